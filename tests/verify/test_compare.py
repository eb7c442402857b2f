"""Verification finds the faults of an engine, and names the place that comes first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace

import numpy as np
import pytest
from acsgen_host.words import POISON
from numpy.typing import NDArray

from acsgen.compiler import compile_graph
from acsgen.compiler.predict import predict
from acsgen.engines.base import BusCounts, EngineHung, EngineRun, EngineViolation
from acsgen.isa.generated import HEADER_WORDS, WORD_BYTES, ResultHeader, Status
from acsgen.program.engine_config import EngineConfig
from acsgen.program.program import Program, Trace
from acsgen.quant.golden import GoldenModel
from acsgen.support.errors import CheckFailed
from acsgen.verify.check import check_vectors, require_exact
from acsgen.verify.compare import Verification, expected_words
from acsgen.verify.vectors import Vectors
from tests.nets.integer_graphs import resnet

Change = Callable[[EngineRun, bool], EngineRun]


@pytest.fixture(scope="module")
def network() -> tuple[Program, Vectors]:
    graph = resnet()
    program = compile_graph(graph, EngineConfig(4, 256, 32, 8192))
    images = np.random.default_rng(0).integers(0, 256, (2, *graph.input.shape)).astype(np.uint8)
    return program, Vectors(images, GoldenModel(graph).run(images))


class Recorded:
    """An engine that plays the golden results back, with a change."""

    skips_words = False

    def __init__(self, network: tuple[Program, Vectors], change: Change) -> None:
        self.program, self.vectors = network
        self.change = change
        self.runs = 0

    def run(self, *args: object, **kwargs: object) -> EngineRun:
        index, trace = divmod(self.runs, 2)
        self.runs += 1
        golden = self.vectors.golden
        size = self.program.traced_words if trace else self.program.result_words
        result = np.full(size, POISON, np.uint64)
        result[:HEADER_WORDS] = 0
        result[HEADER_WORDS : self.program.result_words] = expected_words(
            self.program, golden, index
        )
        masks = {name: bits[index] for name, bits in golden.masks.items()}
        for name, value in asdict(predict(self.program, masks, trace=bool(trace)).counters).items():
            result[ResultHeader[name.upper()]] = value
        result[ResultHeader.INSTRUCTIONS] = len(self.program.lines)
        if trace:
            for stored in self.program.traces:
                put(result, stored.address, golden.values[stored.layer][index], stored)
        return self.change(EngineRun(result, Status.OK, 0, 0, 0), bool(trace))


def put(
    result: NDArray[np.uint64], address: int, values: NDArray[np.generic], stored: Trace
) -> None:
    """Write a layer as the engine does, the inverse of decoding."""
    cells = np.zeros(stored.words * WORD_BYTES, np.uint8)
    kept = values[list(stored.order)] if stored.order else values
    flat = kept.astype(np.int16).ravel().astype(np.uint8)
    if stored.format is None:
        cells[: flat.size] = flat
    else:
        # Which cell holds which pixel is read byte by byte, as pixels are bytes.
        numbers = np.arange(cells.size)
        where = sum(
            stored.format.pixels((numbers >> shift).astype(np.uint8)).astype(int) << shift
            for shift in (0, 8, 16)
        )
        cells[np.ravel(where)] = flat
    result[address : address + stored.words] = cells.view("<u8")


def check(network: tuple[Program, Vectors], change: Change) -> Verification:
    program, vectors = network
    return check_vectors(program, Recorded(network, change), vectors, "recording")


def test_what_is_equal_passes(network: tuple[Program, Vectors]) -> None:
    found = check(network, lambda run, trace: run)
    assert (found.mismatches, found.first) == (0, None)
    assert [header["status"] for header in found.headers] == [0, 0]
    require_exact(found, "recording")


def test_the_layer_that_runs_first_is_named_not_what_follows_from_it(
    network: tuple[Program, Vectors],
) -> None:
    program, _ = network
    early, late = program.traces[1], program.traces[-1]

    def change(run: EngineRun, trace: bool) -> EngineRun:
        run.result[program.outputs[0].address] ^= np.uint64(1)
        if trace:
            run.result[late.address] ^= np.uint64(1)
            run.result[early.address] ^= np.uint64(1)
        return run

    found = check(network, change)
    assert found.mismatches >= 6
    assert found.first is not None
    assert found.first.startswith(f"image 0, second run (traced): {early.layer} (instruction ")
    assert "channel 0, row 0, column 0" in found.first
    with pytest.raises(CheckFailed, match=f"First: image 0, .*{early.layer}"):
        require_exact(found, "recording")


def test_a_stop_with_an_error_names_instruction_and_layer(
    network: tuple[Program, Vectors],
) -> None:
    stop = replace_status(Status.FEATURE_RANGE, 2)
    found = check(network, stop)
    assert found.mismatches == 4
    layer = network[0].lines[2].layer
    assert found.first is not None
    assert f"stopped with FEATURE_RANGE at instruction 2 ({layer})" in found.first


def replace_status(status: int, index: int) -> Change:
    return lambda run, trace: replace(run, status=status, fault_index=index)


def test_a_status_and_an_instruction_that_do_not_exist(network: tuple[Program, Vectors]) -> None:
    found = check(network, replace_status(77, 10**6))
    assert found.first is not None
    assert "unknown status 77 at instruction 1000000" in found.first


def test_a_wrong_counter_is_a_mismatch(network: tuple[Program, Vectors]) -> None:
    def change(run: EngineRun, trace: bool) -> EngineRun:
        run.result[ResultHeader.MACS_SKIPPED] += np.uint64(1)
        return run

    found = check(network, change)
    assert found.mismatches == 4
    assert "counter macs_skipped is" in (found.first or "")


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("read", "words read: "),
        ("written", "words written: "),
        ("stray", "words outside the buffers: 1 on the bus, 0 by"),
    ],
)
def test_what_the_bus_counted_must_agree(
    network: tuple[Program, Vectors], field: str, said: str
) -> None:
    def change(run: EngineRun, trace: bool) -> EngineRun:
        header = run.result[:HEADER_WORDS].astype(int)
        counted = {
            "read": int(header[ResultHeader.READ_WORDS]),
            "written": int(header[ResultHeader.WRITTEN_WORDS]) + HEADER_WORDS,
            "stray": 0,
        }
        counted[field] += 1
        return replace(run, cycles=9, bus=BusCounts(**counted))

    found = check(network, change)
    assert found.mismatches == 4
    assert said in (found.first or "")


@pytest.mark.parametrize("error", [EngineHung("no end after 5 cycles"), EngineViolation("WLAST")])
def test_an_engine_that_hangs_or_breaks_the_protocol_fails_the_check(
    network: tuple[Program, Vectors], error: Exception
) -> None:
    def change(run: EngineRun, trace: bool) -> EngineRun:
        raise error

    with pytest.raises(CheckFailed, match=str(error)):
        check(network, change)
