"""The cycles that the C simulation counts."""

from __future__ import annotations

import numpy as np
import pytest
from acsgen_host.words import pack_image

from acsgen.compiler import compile_graph
from acsgen.engines.loop_counts import PROGRAM_LOOP, RUNS, WAITS, LoopCounts
from acsgen.program.program import Program
from acsgen.quant.thresholds import force_masks
from tests.differential.engines import Engines, EngineUnderTest
from tests.nets.images import patches
from tests.nets.integer_graphs import GraphBuilder


@pytest.fixture(scope="module")
def engine(engines: Engines) -> EngineUnderTest:
    return engines(4)


def gated() -> tuple[GraphBuilder, str]:
    builder = GraphBuilder(1)
    x = builder.conv(builder.input(3, 16, 16), 32)
    gate = builder.gate(builder.gavg(x), 32)
    y = builder.conv(x, 32, mask=gate)
    builder.logits(builder.gavg(builder.conv(y, 32)))
    return builder, gate


def counted(engine: EngineUnderTest, closed: int = 0) -> tuple[Program, LoopCounts]:
    builder, gate = gated()
    graph = builder.graph()
    program = compile_graph(graph, engine.config)
    params = program.with_thresholds(force_masks(graph, {gate: np.arange(32) >= closed}))
    image = pack_image(patches(graph.input.shape, 1, seed=3)[0])
    loops = engine.csim.run(program.words, params, image, program.result_words).loops
    assert loops is not None
    return program, loops


def test_loops_and_instructions_add_up(engine: EngineUnderTest) -> None:
    program, loops = counted(engine)
    assert loops.cycles.shape == (len(program.lines), len(loops.claims))
    assert loops.cycles.sum() == loops.total == sum(loops.by_loop().values())
    labels = [claim.label for claim in loops.claims]
    steps = loops.counts[:, labels.index(PROGRAM_LOOP), 0]
    assert (steps == 1).all()


def test_cycles_fall_as_masks_thin_out(engine: EngineUnderTest) -> None:
    totals = [counted(engine, closed)[1].total for closed in (0, 8, 16, 24)]
    assert totals == sorted(set(totals), reverse=True)


def test_two_runs_count_the_same(engine: EngineUnderTest) -> None:
    assert counted(engine)[1].total == counted(engine)[1].total


def array_cycles(engine: EngineUnderTest, builder: GraphBuilder) -> list[int]:
    """The cycles of the lane array, for every instruction that has any."""
    graph = builder.graph()
    program = compile_graph(graph, engine.config)
    image = pack_image(patches(graph.input.shape, 1, seed=3)[0])
    loops = engine.csim.run(program.words, program.params, image, program.result_words).loops
    assert loops is not None
    labels = [claim.label for claim in loops.claims]
    return [int(cycles) for cycles in loops.cycles[:, labels.index("LANE_ARRAY")] if cycles]


def test_a_residual_is_read_beside_the_taps_of_a_row(engine: EngineUnderTest) -> None:
    def convolutions(residual: bool) -> list[int]:
        builder = GraphBuilder(1)
        x = builder.conv(builder.input(3, 16, 16), 16)
        y = builder.conv(x, 16, residual=x if residual else None)
        builder.logits(builder.gavg(y))
        return array_cycles(engine, builder)

    with_residual, without = convolutions(residual=True), convolutions(residual=False)
    assert with_residual[0] == without[0]
    # Behind the last taps items leave one by one, and each may have waited for its residual.
    assert without[1] <= with_residual[1] <= without[1] + engine.config.lane_groups


def test_a_round_begins_with_the_first_words_of_its_rows(engine: EngineUnderTest) -> None:
    """Of rows of 72 words, behind an instruction that is not of the array: nothing came ahead."""
    builder = GraphBuilder(1)
    x = builder.conv(builder.input(64, 8, 8), 4)
    builder.logits(builder.gavg(x))
    (cycles,) = array_cycles(engine, builder)
    groups, words, taps = engine.config.lane_groups, 2 + 64 * 9 // 8, 64 * 9
    assert groups == 4
    # Latency and depths are far less than the rows that are loaded beside the taps.
    assert taps + 16 * groups < cycles < taps + words * groups


def test_lists_that_follow_each_other_are_two_runs(engine: EngineUnderTest) -> None:
    """Of a convolution with masks on both sides behind a gate, and of the one behind it."""
    builder = GraphBuilder(1)
    x = builder.conv(builder.input(3, 16, 16), 16)
    first = builder.gate(builder.gavg(x), 16)
    y = builder.conv(x, 16, mask=first)
    second = builder.gate(builder.gavg(x), 16)
    z = builder.conv(y, 16, mask=second)
    builder.logits(builder.gavg(builder.conv(z, 16)))
    graph = builder.graph()
    program = compile_graph(graph, engine.config)
    image = pack_image(patches(graph.input.shape, 1, seed=3)[0])
    loops = engine.csim.run(program.words, program.params, image, program.result_words).loops
    assert loops is not None
    runs = loops.counts[:, [claim.label for claim in loops.claims].index("LISTS"), RUNS]
    assert max(runs) == 2


def test_a_slow_memory_is_waited_for(engine: EngineUnderTest) -> None:
    usual = counted(engine)[1]
    try:
        engine.csim.set_memory(latency=200, bandwidth=64)
        slow = counted(engine)[1]
    finally:
        engine.csim.set_memory(latency=32, bandwidth=256)
    assert slow.waits > usual.waits
    # Waits differ, and nothing else: the loops turn as often.
    assert (np.delete(slow.counts, WAITS, 2) == np.delete(usual.counts, WAITS, 2)).all()
    assert slow.total - usual.total == slow.waits - usual.waits
