"""A channel that is read only where a mask leaves it out takes that mask itself.

The last convolution of a residual block has the block's mask, and nothing else reads the first:
where the mask is closed, all of the block is dead, and the engine has to skip all of it. One walk
from the classifiers to the image finds for every layer the decision that makes it dead:

* a mask on a pixelwise layer leaves out the channels of its source one by one;
* a mask of one decision for all channels leaves out the whole source of any layer that has it;
* what is read only by dead layers is dead by the same decision.

Convolutions and pixelwise layers without a mask then get one. Gates stand as late as their readers
allow, because a register is taken from the decision to its last use.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from acsgen.frontend.kinds.gate import wide_name, widened
from acsgen.frontend.passes.fuse import Fused
from acsgen.ir import layers as ir
from acsgen.ir.masks import ChannelMask, mask_names, one_mask, whole

#: Kinds whose results are pixels of the same channel of what they read, by the fields that read it.
_PIXELWISE = {"eltwise": ("x", "residual"), "pool": ("x",), "scale": ("x",)}


@dataclass(frozen=True)
class _Switch:
    """What makes a layer's result unread: one decision, or a mask by channel.

    Attributes:
        gate: the gate of one decision, or None.
        mask: by channel; empty with ``gate``.
    """

    gate: str | None
    mask: ChannelMask = ()

    @property
    def gates(self) -> tuple[str, ...]:
        """The gates that decide."""
        return (self.gate,) if self.gate is not None else mask_names(self.mask)


def mask_dead_layers(fused: Fused) -> Fused:
    """The same network with masks on layers whose results are not read where the masks are closed.

    Results of layers that got a mask, and of those behind them, no longer equal the network's own
    where it is closed: ``nodes`` leaves them out.
    """
    graph = fused.graph
    switches = _switches(graph)
    layers = {layer.name: layer for layer in graph}
    changed = False
    for layer in graph:
        switch = switches.get(layer.name)
        if not isinstance(layer, (ir.Conv, ir.Eltwise)) or layer.mask or switch is None:
            continue
        if _decided_by(layers, switch, layer.name):
            continue
        mask = switch.mask
        if switch.gate is not None:
            gate = _wide(layers, switch.gate, layer.shape[0])
            layers[gate.name] = gate
            mask = whole(gate.name, layer.shape[0])
        layers[layer.name] = replace(layer, mask=mask)
        changed = True
    if not changed:
        return fused
    nodes = {name: node for name, node in fused.nodes.items() if name not in switches}
    ordered = _in_order(layers, [layer.name for layer in graph])
    return Fused(ir.LayerGraph(graph.name, ordered, graph.outputs), nodes)


def _decided_by(layers: dict[str, ir.Layer], switch: _Switch, name: str) -> bool:
    """Whether the result ``name`` has a part in the decisions of a switch."""
    pending, seen = list(switch.gates), set(switch.gates)
    while pending:
        for read in layers[pending.pop()].inputs:
            if read not in seen:
                seen.add(read)
                pending.append(read)
    return name in seen


def _in_order(layers: dict[str, ir.Layer], order: list[str]) -> tuple[ir.Layer, ...]:
    """The layers in an order of names, but each behind those that it reads."""
    done: dict[str, ir.Layer] = {}
    for name in order:
        pending = [name]
        while pending:
            missing = [read for read in layers[pending[-1]].inputs if read not in done]
            if missing:
                pending += reversed(missing)
            else:
                last = pending.pop()
                done[last] = layers[last]
    return tuple(done.values())


def decide_late(fused: Fused) -> Fused:
    """The same network with gates that share a vector each before its first reader."""
    graph = fused.graph
    sharing: dict[str, int] = defaultdict(int)
    for gate in graph.gates:
        sharing[gate.x] += 1
    late = {gate.name: gate for gate in graph.gates if sharing[gate.x] > 1}
    if not late:
        return fused
    layers: list[ir.Layer] = []
    for layer in graph:
        if layer.name in late:
            continue
        layers += [late.pop(name) for name in dict.fromkeys(layer.inputs) if name in late]
        layers.append(layer)
    assert not late, f"gates that nothing reads: {', '.join(late)}"
    return replace(fused, graph=ir.LayerGraph(graph.name, tuple(layers), graph.outputs))


def _switches(graph: ir.LayerGraph) -> dict[str, _Switch]:
    """The switch of every layer that has one, by its name."""
    readers: dict[str, list[ir.Layer]] = defaultdict(list)
    for layer in graph:
        for name in dict.fromkeys(layer.inputs):
            readers[name].append(layer)
    found: dict[str, _Switch] = {}
    for layer in reversed(graph.layers):
        uses = [
            use
            for reader in readers[layer.name]
            for use in _uses(graph, reader, layer, found.get(reader.name))
        ]
        if layer.name in graph.outputs or not uses:
            continue
        first = uses[0]
        if first is not None and all(use == first for use in uses):
            found[layer.name] = first
    return found


def _uses(
    graph: ir.LayerGraph, reader: ir.Layer, source: ir.Layer, dead: _Switch | None
) -> Iterator[_Switch | None]:
    """For every field in which ``reader`` reads ``source``: what makes it not read it.

    Args:
        graph: of both.
        reader: a layer.
        source: a layer that it reads.
        dead: what makes the reader's own result unread.
    """
    for field in reader.READS:
        value = getattr(reader, field)
        if field == "mask":
            if source.name in mask_names(value):
                yield dead if dead and dead.gate is not None else None
            continue
        if value != source.name and not (isinstance(value, tuple) and source.name in value):
            continue
        pixelwise = field in _PIXELWISE.get(reader.KIND, ()) or (
            isinstance(reader, ir.Conv) and (field == "residual" or _depthwise(reader))
        )
        own = _of_mask(graph, reader) if field == "x" else None
        candidates = [switch for switch in (own, dead) if switch is not None]
        fitting = [switch for switch in candidates if pixelwise or switch.gate is not None]
        yield fitting[0] if fitting else None


def _depthwise(layer: ir.Conv) -> bool:
    outs, group_ins = layer.weight.shape[:2]
    return bool(layer.groups == outs and group_ins == 1)


def _of_mask(graph: ir.LayerGraph, layer: ir.Layer) -> _Switch | None:
    """What a layer's own mask leaves out of the result."""
    if not isinstance(layer, (ir.Conv, ir.Eltwise)) or not layer.mask:
        return None
    name = one_mask(layer.mask)
    gate = graph[name] if name is not None else None
    if isinstance(gate, ir.Gate) and _is_one_decision(gate):
        return _Switch(_bare(graph, gate))
    return _Switch(None, layer.mask)


def _is_one_decision(gate: ir.Gate) -> bool:
    rows = np.column_stack([gate.weight, gate.bias])
    return bool((rows == rows[:1]).all())


def _bare(graph: ir.LayerGraph, gate: ir.Gate) -> str:
    """One name for all gates that repeat one decision: that of the first of them."""
    return next(other.name for other in graph.gates if _decide_alike(other, gate))


def _decide_alike(one: ir.Gate, other: ir.Gate) -> bool:
    """Whether two gates each repeat one decision, and that is the same."""
    return bool(
        (one.x, one.threshold) == (other.x, other.threshold)
        and _is_one_decision(one)
        and _is_one_decision(other)
        and np.array_equal(one.weight[0], other.weight[0])
        and one.bias[0] == other.bias[0]
    )


def _wide(layers: dict[str, ir.Layer], name: str, channels: int) -> ir.Gate:
    """A gate with the decision of the gate ``name`` for so many channels: one of the layers, if one
    of them is that, or a new one."""
    gate = layers[name]
    assert isinstance(gate, ir.Gate)
    for other in layers.values():
        if isinstance(other, ir.Gate) and other.shape == (channels,) and _decide_alike(other, gate):
            return other
    new = wide_name(re.sub(r"\.x\d+_*$", "", name), channels)
    while new in layers:
        new += "_"
    one = replace(gate, shape=(1,), weight=gate.weight[:1], bias=gate.bias[:1])
    return widened(one, new, channels)
