"""Fuses the operator graph into the layer graph: one layer for one instruction of the engine.

One walk in execution order.  Every operation is taken in by the layer that made its input if it is
the only reader and the layer's kind allows it (:mod:`acsgen.frontend.kinds`); otherwise it starts a
layer of its own.  A layer is placed where the last operation it took in was, so that everything it
reads comes before it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from acsgen.frontend import opgraph as og
from acsgen.frontend.kinds import STARTS, kind_of
from acsgen.frontend.kinds.gate import wide_name, widened
from acsgen.frontend.kinds.logits import classifier
from acsgen.frontend.passes.normalize import copy_image
from acsgen.ir import layers as ir

Position = tuple[int, int]


@dataclass(frozen=True)
class Fused:
    """The layer graph; ``nodes`` names, for layers whose result is a node's, that exported node."""

    graph: ir.LayerGraph
    nodes: dict[str, str]


def fuse(graph: og.OpGraph) -> Fused:
    """Make the layer graph of a checked operator graph whose image is normalized."""
    graph = copy_image(graph)
    fuser = _Fuser(graph)
    for index, op in enumerate(graph.ops):
        fuser.take(index, op)
    return fuser.finish()


def _judges(layer: ir.Layer, name: str) -> bool:
    """Whether a layer is the decision of an exit on a classifier."""
    return isinstance(layer, ir.Entropy) and layer.x == name


@dataclass(frozen=True)
class _Placed:
    layer: ir.Layer
    position: Position
    node: str


class _Fuser:
    """State of the walk: layers by name, and which layer now holds each operation's result."""

    def __init__(self, graph: og.OpGraph) -> None:
        self.graph = graph
        self.names = {op.name for op in graph.ops}
        self.uses = graph.use_counts()
        self.placed: dict[str, _Placed] = {}
        self.holder: dict[str, str] = {}

    def take(self, index: int, op: og.Op) -> None:
        """Add the next operation."""
        sources = self._sources(op)
        layer = self._absorbed(op, sources)
        if layer is None:
            layer = STARTS[type(op), len(op.shape)](op, sources)
        self.placed[layer.name] = _Placed(layer, (index, 0), op.node)
        self.holder[op.name] = layer.name

    def _sources(self, op: og.Op) -> tuple[ir.Layer, ...]:
        """The layers that hold what an operation reads; a mask is as wide as the masked map."""
        if isinstance(op, og.ApplyMask):
            return (self._of(op.x), self._gate_for(op.mask, op.shape[0]))
        return tuple(self._of(name) for name in op.inputs)

    def _of(self, op_name: str) -> ir.Layer:
        return self.placed[self.holder[op_name]].layer

    def _absorbed(self, op: og.Op, sources: tuple[ir.Layer, ...]) -> ir.Layer | None:
        """The layer that does ``op`` too, in place of one that holds what ``op`` reads; or None.

        Of two layers that could take in a sum, the later one does: it runs when the other result is
        there.
        """

        def position(place: int) -> Position:
            return self.placed[self.holder[op.inputs[place]]].position

        for place in sorted(range(len(sources)), key=position, reverse=True):
            before, others = sources[place], sources[:place] + sources[place + 1 :]
            rule = kind_of(before).absorbs.get(type(op))
            if rule is None or self.uses[op.inputs[place]] != 1:
                continue
            layer = rule(before, op, others)
            if layer is not None:
                del self.placed[before.name]
                return layer
        return None

    def _fresh(self, name: str) -> str:
        """``name``, lengthened until no operation has it."""
        while name in self.names:
            name += "_"
        return name

    def _gate_for(self, name: str, channels: int) -> ir.Gate:
        """The gate ``name``, or a copy of it with its one decision repeated for every channel."""
        placed = self.placed[self.holder[name]]
        gate = placed.layer
        assert isinstance(gate, ir.Gate)
        if gate.shape == (channels,):
            return gate
        wide = widened(gate, self._fresh(wide_name(gate.name, channels)), channels)
        if wide.name not in self.placed:
            self.placed[wide.name] = _Placed(wide, (placed.position[0], channels), placed.node)
        return wide

    def finish(self) -> Fused:
        """Name the classifiers, drop what nothing reads, and put the layers in order."""
        outputs = [self._classifier(self.holder[name]) for name in self.graph.outputs]
        exits = [name for name, placed in self.placed.items() if isinstance(placed.layer, ir.Exit)]
        live = self._live([*outputs, *exits])
        kept = sorted((self.placed[n] for n in live), key=lambda placed: placed.position)
        nodes = {p.layer.name: p.node for p in kept if p.node}
        layers = tuple(p.layer for p in kept)
        # The engine computes the outputs in the order of the layers; the answer is the last one.
        order = tuple(layer.name for layer in layers if layer.name in outputs)
        return Fused(ir.LayerGraph(self.graph.name, layers, order), nodes)

    def _classifier(self, name: str) -> str:
        """Make a classifier of the linear layer ``name``, beside it if another layer reads it."""
        last = self.placed.pop(name)
        linear = last.layer
        assert isinstance(linear, ir.Linear)
        judges = [p for p in self.placed.values() if _judges(p.layer, name)]
        readers = [p.layer for p in self.placed.values() if name in p.layer.inputs]
        others = [layer for layer in readers if not _judges(layer, name)]
        if others:
            self.placed[name] = last
        logits = classifier(linear, self._fresh(f"{name}.logits") if others else name)
        answer = self.holder[self.graph.outputs[-1]] == name
        position = (len(self.graph.ops), 0) if answer else (last.position[0], len(self.placed))
        self.placed[logits.name] = replace(last, layer=logits, position=position)
        for judge in judges:
            assert isinstance(judge.layer, ir.Entropy)
            renamed = replace(judge.layer, x=logits.name)
            self.placed[renamed.name] = replace(judge, layer=renamed)
        return logits.name

    def _live(self, needed: list[str]) -> set[str]:
        live = {self.graph.ops[0].name}
        pending = list(needed)
        while pending:
            name = pending.pop()
            if name not in live:
                live.add(name)
                pending.extend(self.placed[name].layer.inputs)
        return live
