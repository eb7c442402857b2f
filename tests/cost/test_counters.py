"""The cost model: exact where it counts, falling where channels are skipped."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acsgen.compiler import compile_graph
from acsgen.compiler.predict import predict
from acsgen.cost.counters import CostReport
from acsgen.cost.rounds import best_chunk, chunks, rounds
from acsgen.ir.groups import channel_groups
from acsgen.ir.integer import IntConv, IntGraph
from acsgen.isa.generated import RECORD_WORDS, WORD_BYTES
from acsgen.program.board import load_board
from acsgen.program.engine_config import EngineConfig
from acsgen.program.program import Program
from tests.nets.integer_graphs import GraphBuilder, resnet

pytestmark = pytest.mark.unit

ENGINE = EngineConfig.for_board(load_board("zedboard"))


@pytest.fixture(scope="module")
def program() -> Program:
    return compile_graph(resnet(), ENGINE)


def deal(blocks: int, active: int, lane_groups: int) -> int:
    """Deal items one by one: a round ends when it is full or would touch a third block."""
    count, in_round, touched = 0, 0, set[int]()
    for block in range(blocks):
        for _ in range(active):
            if in_round == 0 or in_round == lane_groups or len(touched | {block}) > 2:
                count, in_round, touched = count + 1, 0, set()
            touched.add(block)
            in_round += 1
    return count


@given(st.integers(1, 40), st.integers(0, 40), st.integers(1, 16))
def test_rounds_are_those_of_dealing_item_by_item(blocks: int, active: int, q: int) -> None:
    assert rounds(blocks, active, q) == deal(blocks, active, q)


def test_chunks_cover_the_active_channels() -> None:
    assert chunks(10, 4) == [4, 4, 2]
    assert chunks(0, 4) == []


@given(st.integers(1, 8), st.integers(1, 64), st.integers(1, 64), st.integers(1, 5))
def test_the_chunk_chosen_is_allowed(
    lane_groups: int, channels: int, rows: int, blocks: int
) -> None:
    largest = rows * lane_groups
    chunk = best_chunk(lane_groups, channels, largest, blocks)
    assert 1 <= chunk <= min(largest, channels)
    assert chunk == channels or chunk % lane_groups == 0


def conv_macs(graph: IntGraph) -> int:
    """Multiply-accumulates of all convolutions, hidden groups accounted for."""
    total = 0
    for layer in graph:
        if isinstance(layer, IntConv):
            found = channel_groups(layer.weight, layer.groups)
            groups = found.groups if found else layer.groups
            ins = layer.weight.shape[1] * layer.groups // groups
            total += ins * layer.weight.shape[-1] ** 2 * math.prod(layer.shape)
    return total


def test_dense_macs_are_those_of_the_network(program: Program) -> None:
    counters = predict(program).counters
    linear = sum(
        WORD_BYTES * i.channels * (i.row_words - RECORD_WORDS)
        for i in program.instructions
        if i.opcode.name == "LINEAR"
    )
    assert counters.macs_skipped == 0
    assert counters.macs_executed == conv_macs(resnet()) + linear


def masked(program: Program, share: float, seed: int = 0) -> CostReport:
    rng = np.random.default_rng(seed)
    return predict(
        program, {g.name: rng.permutation(g.channels) >= g.channels * share for g in program.gates}
    )


def test_what_is_skipped_is_not_executed(program: Program) -> None:
    dense = predict(program).counters
    for share in (0.25, 0.5, 1.0):
        counters = masked(program, share).counters
        total = counters.macs_executed + counters.macs_skipped
        assert total == dense.macs_executed
        channels = counters.channels_executed + counters.channels_skipped
        assert channels == dense.channels_executed
        assert counters.read_words < dense.read_words


def test_iterations_fall_as_masks_thin_out(program: Program) -> None:
    reports = [masked(program, share) for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    iterations = [r.counters.array_iterations for r in reports]
    assert iterations == sorted(set(iterations), reverse=True)


def test_skipping_saves_on_the_output_and_again_on_the_input() -> None:
    b = GraphBuilder(1)
    x = b.conv(b.input(3, 32, 32), 64)
    gate = b.gate(b.gavg(x), 64)
    y = b.conv(x, 64, mask=gate)
    z = b.conv(y, 64)
    b.logits(b.gavg(z))
    program = compile_graph(b.graph(), ENGINE)

    def iterations(report: CostReport, layer: str) -> int:
        return sum(i.counters.array_iterations for i in report.instructions if i.layer == layer)

    dense = predict(program)
    for skipped in (16, 32, 48):
        sparse = predict(program, {gate: np.arange(64) >= skipped})
        for layer in (y, z):
            kept = iterations(sparse, layer) / iterations(dense, layer)
            assert kept == 1 - skipped / 64


def test_traces_are_counted_when_asked_for(program: Program) -> None:
    plain, traced = predict(program), predict(program, trace=True)
    words = sum(t.words for t in program.traces)
    assert traced.counters.written_words - plain.counters.written_words == words


def test_bytes_are_those_of_the_words(program: Program) -> None:
    report = predict(program)
    assert report.bytes_read == WORD_BYTES * report.counters.read_words


def test_masks_of_another_size_are_refused(program: Program) -> None:
    gate = program.gates[0]
    with pytest.raises(ValueError, match=f"{gate.name} has 8 mask bits"):
        predict(program, {gate.name: np.ones(3)})
