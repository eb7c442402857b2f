"""Channels that a gate decides are kept in its order, and nobody else sees that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from acsgen_host.words import by_channel, in_order, pack_bits, unpack

from acsgen.compiler import compile_graph
from acsgen.compiler.channel_order import channel_orders
from acsgen.compiler.channel_order import in_order as reordered
from acsgen.compiler.predict import predict
from acsgen.ir.integer import IntConv, IntGate, IntGraph
from acsgen.isa.generated import HEADER_WORDS, INSTRUCTION_WORDS, RECORD_WORDS, Opcode
from acsgen.program.engine_config import EngineConfig
from acsgen.program.program import load_program
from acsgen.program.result import decode_result
from acsgen.quant.golden import GoldenModel
from acsgen.verify.compare import expected_words
from tests.nets.integer_graphs import GraphBuilder, resnet

pytestmark = pytest.mark.unit

HIDDEN = 12


def gated(
    rest: Callable[[GraphBuilder, str, str, str], str] = lambda b, x, h, gate: b.conv(h, 6),
    **fields: object,
) -> tuple[IntGraph, str, str]:
    """A gate, and the map that it decides, read by ``rest``, which is given the map before too."""
    b = GraphBuilder()
    x = b.conv(b.input(), HIDDEN)
    gate = b.gate(b.gavg(x), HIDDEN)
    h = b.conv(x, HIDDEN, mask=gate, **fields)  # type: ignore[arg-type]
    b.logits(b.gavg(rest(b, x, h, gate)))
    return b.graph(), gate, h


def images(graph: IntGraph, count: int = 3) -> np.ndarray:
    shape = (count, *graph.input.shape)
    return np.random.default_rng(1).integers(0, 256, shape).astype(np.uint8)


def test_every_other_result_is_the_same() -> None:
    graph = resnet()
    orders = channel_orders(graph)
    assert {graph[name].KIND for name in orders} == {"gate", "conv"}
    found = GoldenModel(reordered(graph, orders)).run(images(graph), keep="all")
    expected = GoldenModel(graph).run(images(graph), keep="all")
    for name, values in expected.values.items():
        wanted = values[:, list(orders[name])] if name in orders else values
        assert np.array_equal(found.values[name], wanted), name
    for gate in graph.gates:
        masks = expected.masks[gate.name]
        wanted = masks[:, list(orders[gate.name])] if gate.name in orders else masks
        assert np.array_equal(found.masks[gate.name], wanted)


def test_the_gate_its_map_and_its_readers_are_reordered() -> None:
    graph, gate, h = gated()
    orders = channel_orders(graph)
    assert set(orders) == {gate, h}
    order = list(orders[h])
    assert order != sorted(order)
    kept = reordered(graph, orders)
    first, reader = kept[h], kept[graph.layers[-3].name]
    assert isinstance(first, IntConv)
    assert isinstance(reader, IntConv)
    assert reader.x == h
    before, read = graph[h], graph[reader.name]
    assert isinstance(before, IntConv)
    assert isinstance(read, IntConv)
    assert np.array_equal(first.weight, before.weight[order])
    assert np.array_equal(reader.weight, read.weight[:, order])


def shuffled(b: GraphBuilder, x: str, h: str, gate: str) -> str:
    return b.conv(h, HIDDEN, groups=2)


NOT_ALONE = {
    "read by groups": shuffled,
    "added": lambda b, x, h, gate: b.conv(x, HIDDEN, residual=h),
    "averaged": lambda b, x, h, gate: b.scale(b.conv(h, HIDDEN), b.gavg(h)),
    "pooled": lambda b, x, h, gate: b.conv(b.pool(h), 6),
    "concatenated": lambda b, x, h, gate: b.conv(b.concat(x, h), 6),
    "one gate of two maps": lambda b, x, h, gate: b.conv(b.conv(h, HIDDEN, mask=gate), 6),
}


@pytest.mark.parametrize("what", NOT_ALONE)
def test_channels_that_somebody_else_sees_keep_their_order(what: str) -> None:
    graph, *_ = gated(NOT_ALONE[what])
    assert channel_orders(graph) == {}


@pytest.mark.parametrize(
    "fields", [{"groups": 2}, {"residual": "conv1"}, {"masked_bias": True}], ids=str
)
def test_maps_that_a_gate_does_not_clear_keep_their_order(fields: dict[str, object]) -> None:
    graph, *_ = gated(**fields)
    assert channel_orders(graph) == {}


def test_without_an_order_of_the_gate_nothing_changes() -> None:
    graph, *_ = gated()
    layers = [replace(la, order=None) if isinstance(la, IntGate) else la for la in graph]
    plain = replace(graph, layers=tuple(layers))
    assert channel_orders(plain) == {}
    assert [g.order for g in compile_graph(plain, EngineConfig(4, 256, 32, 8192)).gates] == [
        tuple(range(HIDDEN))
    ]


def test_an_order_without_a_channel_is_refused() -> None:
    graph, gate, _ = gated()
    layers = [replace(la, order=(0,) * HIDDEN) if la.name == gate else la for la in graph]
    with pytest.raises(ValueError, match="order does not have each of 12 channels once"):
        replace(graph, layers=tuple(layers))


def test_masks_and_thresholds_are_given_by_channel(engine: EngineConfig, tmp_path: Path) -> None:
    graph, name, _ = gated()
    program = compile_graph(graph, engine)
    program.save(tmp_path)
    program = load_program(tmp_path)
    (gate,) = program.gates
    assert gate.order == graph.gates[0].order
    assert np.array_equal(gate.acc_scale, graph.gates[0].acc_scale)
    values = np.arange(HIDDEN, dtype=np.int32)
    for params, wanted in (
        (program.params, graph.gates[0].threshold),
        (program.with_thresholds({name: values}), values),
    ):
        kept = unpack(params[gate.threshold_address :][: HIDDEN // 2], "<i4", HIDDEN)
        assert np.array_equal(kept, in_order(wanted, gate.order))
    golden = GoldenModel(graph).run(images(graph, 1))
    result = np.zeros(program.result_words, np.uint64)
    result[HEADER_WORDS:] = expected_words(program, golden, 0)
    mask = golden.masks[name][0]
    assert 0 < mask.sum() < HIDDEN
    assert result[gate.mask_address] == pack_bits(mask[list(gate.order)])[0]
    assert np.array_equal(decode_result(program, result).masks[name], mask)


def test_traces_are_decoded_by_channel(engine: EngineConfig) -> None:
    graph, _, h = gated()
    program = compile_graph(graph, engine)
    trace = next(t for t in program.traces if t.layer == h)
    assert trace.order == graph.gates[0].order
    result = np.zeros(program.traced_words, np.uint64)
    blocks = result[trace.address :][: trace.words].reshape(HIDDEN, -1)
    blocks[:] = np.arange(HIDDEN, dtype=np.uint64)[:, None]
    first = decode_result(program, result, trace=True).layers[h][:, 0, 0]
    assert first.tolist() == by_channel(np.arange(HIDDEN), trace.order).tolist()


def test_predicted_words_follow_the_order_of_the_engine(engine: EngineConfig) -> None:
    graph, name, _ = gated()
    program = compile_graph(graph, engine)
    order = graph.gates[0].order
    assert order is not None
    mask = np.zeros(HIDDEN, np.uint8)
    mask[list(order[:5])] = 1  # Neighbours in memory, from the first one on.
    lines = predict(program, {name: mask}, skips_words=True).instructions
    reader = [line for line in lines if line.opcode is Opcode.CONV][-1]
    (op,) = (line.instruction for line in program.lines if line.layer == reader.layer)
    weights = -(-5 * 9 // 8)
    words = op.channels * (RECORD_WORDS + weights)
    assert reader.counters.read_words == INSTRUCTION_WORDS + words
