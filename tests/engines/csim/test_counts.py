"""The cycles that the C simulation counts."""

from __future__ import annotations

import numpy as np
import pytest
from acsgen_host.words import pack_image

from acsgen.compiler import compile_graph
from acsgen.engines.loop_counts import PROGRAM_LOOP, WAITS, LoopCounts
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
