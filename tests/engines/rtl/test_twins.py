"""The RTL engine writes the words that the C simulation writes, but for the cycle counters."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from acsgen_host.words import pack_image
from numpy.typing import NDArray

from acsgen.compiler import compile_graph
from acsgen.ir.integer import IntGraph
from acsgen.isa.generated import HEADER_WORDS, Instruction, Opcode, ResultHeader, Status
from acsgen.program.program import Program
from acsgen.program.result import decode_result
from tests.differential.engines import Engines, EngineUnderTest
from tests.isa.places import UNKNOWN_OPCODES, put
from tests.nets.integer_graphs import resnet

pytestmark = pytest.mark.rtl

CYCLES = [ResultHeader.CYCLES, ResultHeader.STALL_CYCLES]


def image_for(graph: IntGraph, seed: int = 0) -> NDArray[np.uint64]:
    rng = np.random.default_rng(seed)
    return pack_image(rng.integers(0, 256, graph.input.shape).astype(np.uint8))


def check(twins: EngineUnderTest, program: Program, image: NDArray[np.uint64]) -> int:
    """Compare a run without and one with trace; returns the cycles of the first."""
    cycles = []
    for trace in (False, True):
        size = program.traced_words if trace else program.result_words
        wanted = twins.csim.run(program.words, program.params, image, size, trace)
        found = twins.rtl.run(program.words, program.params, image, size, trace)
        assert (found.status, found.fault_index) == (wanted.status, wanted.fault_index)
        assert found.spec_hash == wanted.spec_hash
        assert found.bus.stray == 0
        assert found.bus.read == found.result[ResultHeader.READ_WORDS]
        cycles.append(int(found.result[ResultHeader.CYCLES]))
        # The RTL leaves unneeded words in memory (:mod:`acsgen.engines.base`).
        assert found.result[ResultHeader.READ_WORDS] <= wanted.result[ResultHeader.READ_WORDS]
        found.result[ResultHeader.READ_WORDS] = wanted.result[ResultHeader.READ_WORDS]
        found.result[CYCLES] = 0
        # Header, logits and masks are compared word by word, traced maps by their pixels: the cells
        # behind the end of a row keep older bytes, on either engine.
        plain = slice(0, program.result_words)
        np.testing.assert_array_equal(found.result[plain], wanted.result[plain])
        if trace:
            expected = decode_result(program, wanted.result, trace=True).layers
            for name, values in decode_result(program, found.result, trace=True).layers.items():
                np.testing.assert_array_equal(values, expected[name], err_msg=name)
    return cycles[0]


def test_network_twice_takes_the_same_cycles(engines: Engines) -> None:
    twins = engines(4, True)
    graph = resnet()
    program = compile_graph(graph, twins.config)
    first = check(twins, program, image_for(graph))
    assert check(twins, program, image_for(graph)) == first


@pytest.mark.parametrize("beat", [1, 9, 200, 2000])
def test_read_errors_stop_with_a_status(engines: Engines, beat: int) -> None:
    twins = engines(4, True)
    graph = resnet()
    program = compile_graph(graph, twins.config)
    usual = twins.rtl.memory
    twins.rtl.memory = replace(usual, fail_read=beat)
    try:
        run = twins.rtl.run(program.words, program.params, image_for(graph), program.result_words)
    finally:
        twins.rtl.memory = usual
    assert run.status == Status.BUS_ERROR
    assert run.result[ResultHeader.STATUS] == Status.BUS_ERROR
    check(twins, program, image_for(graph))


def test_unknown_opcode_and_missing_end(engines: Engines) -> None:
    twins = engines(4, True)
    end = list(Instruction(Opcode.END).encode())
    unknown, unclean = end.copy(), end.copy()
    put(unknown, "opcode", UNKNOWN_OPCODES[-1])
    put(unclean, "mask_out", 1)
    for words in ([], unknown, unclean, end):
        program = np.array(words, np.uint64)
        empty = np.zeros(0, np.uint64)
        wanted = twins.csim.run(program, empty, empty, HEADER_WORDS)
        found = twins.rtl.run(program, empty, empty, HEADER_WORDS)
        assert (found.status, found.fault_index) == (wanted.status, wanted.fault_index)
        # The RTL leaves unneeded words in memory (:mod:`acsgen.twins.base`).
        assert found.result[ResultHeader.READ_WORDS] <= wanted.result[ResultHeader.READ_WORDS]
        found.result[ResultHeader.READ_WORDS] = wanted.result[ResultHeader.READ_WORDS]
        found.result[CYCLES] = 0
        np.testing.assert_array_equal(found.result, wanted.result)
