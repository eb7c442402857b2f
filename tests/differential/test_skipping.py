"""Skipping is real: the engine's own count of inner iterations falls with the open channels."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from acsgen_host.words import header as decode_header
from acsgen_host.words import pack_image

from acsgen.compiler import compile_graph
from acsgen.ir.integer import IntGraph
from acsgen.isa.generated import LANES, Status
from acsgen.nn import AcsConfig, ResNet, ResNetConfig
from acsgen.program.program import Program
from acsgen.quant.thresholds import force_masks
from tests.differential.engines import EngineUnderTest
from tests.nets.images import noise_and_extremes
from tests.nets.integer_graphs import GraphBuilder
from tests.nets.quantized import integer_network

CHANNELS = 32
SIZE = 16
BLOCKS = SIZE * SIZE // LANES
TAPS = 9


def iterations(
    program: Program, graph: IntGraph, engine: EngineUnderTest, closed: Mapping[str, float]
) -> int:
    """Count with the first ``closed`` share of each gate's channels masked, the others open."""
    masks = {
        gate.name: np.arange(gate.shape[0]) >= gate.shape[0] * closed.get(gate.name, 0.0)
        for gate in graph.gates
    }
    params = program.with_thresholds(force_masks(graph, masks))
    image = pack_image(noise_and_extremes(graph.input.shape)[0])
    run = engine.csim.run(program.words, params, image, program.result_words)
    assert run.status == Status.OK
    return decode_header(run.result)["array_iterations"]


@pytest.mark.parametrize("inner", [0.0, 0.25, 0.5, 0.75, 1.0])
@pytest.mark.parametrize("outer", [0.0, 0.25, 0.5, 0.75, 1.0])
def test_iterations_fall_on_both_sides(engine: EngineUnderTest, inner: float, outer: float) -> None:
    b = GraphBuilder()
    x = b.conv(b.input(3, SIZE, SIZE), CHANNELS)
    pooled = b.gavg(x)
    first, second = b.gate(pooled, CHANNELS), b.gate(pooled, CHANNELS)
    y = b.conv(b.conv(x, CHANNELS, mask=first), CHANNELS, mask=second)
    b.logits(b.gavg(y))
    graph = b.graph()
    program = compile_graph(graph, engine.config)

    # Items (block, channel) fill whole rounds, so a layer takes this many iterations exactly.
    dense = BLOCKS * CHANNELS // engine.config.lane_groups * CHANNELS * TAPS
    stem = BLOCKS * CHANNELS // engine.config.lane_groups * 3 * TAPS
    left = iterations(program, graph, engine, {first: inner, second: outer})
    assert left == stem + dense * (1 - inner) + dense * (1 - inner) * (1 - outer)


def test_resnet8(engine: EngineUnderTest, tmp_path: Path) -> None:
    config = ResNetConfig(gate=AcsConfig(mask_target="both"))
    graph = integer_network(ResNet(config), (3, 32, 32), tmp_path)
    program = compile_graph(graph, engine.config)

    def dense(ins: int, outs: int, size: int) -> int:
        return size * size // LANES * outs // engine.config.lane_groups * ins * TAPS

    first = dense(16, 16, 32) + dense(16, 32, 16) + dense(32, 64, 8)
    second = dense(16, 16, 32) + dense(32, 32, 16) + dense(64, 64, 8)
    everything = iterations(program, graph, engine, {})
    for closed in (0.25, 0.5, 0.75):
        left = iterations(program, graph, engine, {gate.name: closed for gate in graph.gates})
        assert everything - left == first * closed + second * (1 - (1 - closed) ** 2)


def test_masks_of_other_consumers_do_not_skip_inputs(engine: EngineUnderTest) -> None:
    """Where masked channels are not zero, their consumer reads all of them."""
    b = GraphBuilder()
    x = b.conv(b.input(3, SIZE, SIZE), CHANNELS)
    gate = b.gate(b.gavg(x), CHANNELS)
    y = b.conv(b.conv(x, CHANNELS, mask=gate, masked_bias=True), CHANNELS)
    b.logits(b.gavg(y))
    graph = b.graph()
    program = compile_graph(graph, engine.config)
    dense = BLOCKS * CHANNELS // engine.config.lane_groups * CHANNELS * TAPS
    found = [iterations(program, graph, engine, {gate: closed}) for closed in (0.0, 0.5)]
    assert found[0] - found[1] == dense // 2
