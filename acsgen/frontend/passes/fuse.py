"""Fuses the operator graph into the layer graph: one layer for one instruction of the engine.

One walk in execution order.  Every operation is taken in by the layer that made its input if it is
the only reader and the rules of :mod:`.absorb` allow it; otherwise it starts a layer of its own.  A
layer is placed where the last operation it took in was, so that everything it reads comes before
it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from acsgen.frontend import opgraph as og
from acsgen.frontend.passes import absorb
from acsgen.frontend.passes.normalize import copy_image, depthwise
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
        self.index = 0
        self.placed: dict[str, _Placed] = {}
        self.holder: dict[str, str] = {}
        self._rules: dict[type[og.Op], Callable[..., None]] = {
            og.Image: self._image,
            og.Conv: self._conv,
            og.Linear: self._linear,
            og.Affine: self._affine,
            og.Relu: self._relu,
            og.Sigmoid: self._sigmoid,
            og.Add: self._add,
            og.ApplyMask: self._mask,
            og.ApplyVector: self._scale,
            og.Pool: self._pool,
            og.GlobalAvg: self._global_avg,
            og.Flatten: self._flatten,
            og.ChannelGate: self._gate,
        }

    def take(self, index: int, op: og.Op) -> None:
        """Add the next operation."""
        self.index = index
        self._rules[type(op)](op)

    # -- bookkeeping ---------------------------------------------------------------------------

    def _of(self, op_name: str) -> ir.Layer:
        return self.placed[self.holder[op_name]].layer

    def _start(self, op: og.Op, layer: ir.Layer) -> None:
        self.placed[layer.name] = _Placed(layer, (self.index, 0), op.node)
        self.holder[op.name] = layer.name

    def _absorbed(self, op: og.Op, into: str, layer: ir.Layer | None) -> bool:
        """Let ``layer``, which does ``op`` too, replace that of ``into``; False if it is None."""
        if layer is None:
            return False
        del self.placed[self.holder[into]]
        self._start(op, layer)
        return True

    def _alone(self, op_name: str) -> ir.Layer | None:
        """The layer that holds a result with one reader; None where others read it too."""
        return self._of(op_name) if self.uses[op_name] == 1 else None

    def _fresh(self, name: str) -> str:
        """``name``, lengthened until no operation has it."""
        while name in self.names:
            name += "_"
        return name

    # -- one rule per operation ----------------------------------------------------------------

    def _image(self, op: og.Image) -> None:
        self._start(op, ir.Input(op.name, op.where, op.shape, scale=op.scale, offset=op.offset))

    def _conv(self, op: og.Conv) -> None:
        self._start(
            op,
            ir.Conv(
                op.name,
                op.where,
                op.shape,
                x=self.holder[op.x],
                weight=op.weight,
                bias=op.bias,
                masked_bias=np.zeros_like(op.bias),
                stride=op.stride,
                pad=op.pad,
                groups=op.groups,
                relu=False,
            ),
        )

    def _linear(self, op: og.Linear) -> None:
        before = self._alone(op.x)
        if before is not None and self._absorbed(op, op.x, absorb.collapse_linear(before, op)):
            return
        self._start_linear(op, op.weight, op.bias)

    def _start_linear(self, op: og.Op, weight: ir.FloatArray, bias: ir.FloatArray) -> None:
        (x,) = op.inputs
        layer = ir.Linear(op.name, op.where, op.shape, self.holder[x], weight, bias, "none")
        self._start(op, layer)

    def _start_identity(self, op: og.Op) -> ir.Layer:
        """A linear layer that passes its vector on, for an activation that has none."""
        self._start_linear(op, np.eye(op.shape[0]), np.zeros(op.shape[0]))
        return self._of(op.name)

    def _affine(self, op: og.Affine) -> None:
        before = self._alone(op.x)
        if before is not None and self._absorbed(op, op.x, absorb.absorb_affine(before, op)):
            return
        if len(op.shape) == 1:
            self._start_linear(op, np.diag(op.scale), op.offset)
        else:
            self._conv(depthwise(op, op.x, op.scale, op.offset))

    def _relu(self, op: og.Relu) -> None:
        before = self._alone(op.x)
        if before is not None and self._absorbed(op, op.x, absorb.absorb_relu(before)):
            return
        if len(op.shape) == 1:
            self._absorbed(op, op.name, absorb.absorb_relu(self._start_identity(op)))
        else:
            self._start(op, ir.Eltwise(op.name, op.where, op.shape, self.holder[op.x], relu=True))

    def _sigmoid(self, op: og.Sigmoid) -> None:
        before = self._alone(op.x)
        if before is not None and self._absorbed(op, op.x, absorb.absorb_sigmoid(before)):
            return
        self._absorbed(op, op.name, absorb.absorb_sigmoid(self._start_identity(op)))

    def _add(self, op: og.Add) -> None:
        """The later of the two layers takes in the sum: it runs when the other result is there."""
        pairs = [(op.x, op.y), (op.y, op.x)]
        pairs.sort(key=lambda p: self.placed[self.holder[p[0]]].position, reverse=True)
        for into, other in pairs:
            before = self._alone(into)
            if before is None:
                continue
            if self._absorbed(op, into, absorb.absorb_residual(before, self.holder[other])):
                return
        x, y = (self.holder[name] for name in op.inputs)
        self._start(op, ir.Eltwise(op.name, op.where, op.shape, x, relu=False, residual=y))

    def _mask(self, op: og.ApplyMask) -> None:
        mask = self._gate_for(op.mask, op.shape[0])
        before = self._alone(op.x)
        if before is not None and self._absorbed(op, op.x, absorb.absorb_mask(before, mask)):
            return
        x = self.holder[op.x]
        self._start(op, ir.Eltwise(op.name, op.where, op.shape, x, relu=False, mask=mask))

    def _gate_for(self, name: str, channels: int) -> str:
        """The gate ``name``, or a copy of it with its one decision repeated for every channel."""
        placed = self.placed[self.holder[name]]
        gate = placed.layer
        assert isinstance(gate, ir.Gate)
        if gate.shape == (channels,):
            return gate.name
        wide = self._fresh(f"{gate.name}.x{channels}")
        if wide not in self.placed:
            layer = replace(
                gate,
                name=wide,
                shape=(channels,),
                weight=np.repeat(gate.weight, channels, axis=0),
                bias=np.repeat(gate.bias, channels),
            )
            position = (placed.position[0], channels)
            self.placed[wide] = _Placed(layer, position, placed.node)
        return wide

    def _scale(self, op: og.ApplyVector) -> None:
        x, vector = (self.holder[name] for name in op.inputs)
        self._start(op, ir.Scale(op.name, op.where, op.shape, x, vector))

    def _pool(self, op: og.Pool) -> None:
        layer = ir.Pool(
            op.name,
            op.where,
            op.shape,
            self.holder[op.x],
            mode=op.mode,
            kernel=op.kernel,
            stride=op.stride,
            pad=op.pad,
        )
        self._start(op, layer)

    def _global_avg(self, op: og.GlobalAvg) -> None:
        self._start(op, ir.GlobalAvg(op.name, op.where, op.shape, self.holder[op.x]))

    def _flatten(self, op: og.Flatten) -> None:
        self._start(op, ir.Flatten(op.name, op.where, op.shape, self.holder[op.x]))

    def _gate(self, op: og.ChannelGate) -> None:
        """A gate owns its linear layer; the layer itself goes away if nothing else reads it."""
        x = self.holder[op.x]
        weight: ir.FloatArray = np.eye(op.shape[0])
        bias: ir.FloatArray = np.zeros(op.shape[0])
        before = self._of(op.x)
        if isinstance(before, ir.Linear) and before.activation == "none":
            x, weight, bias = before.x, before.weight, before.bias
        self._start(op, ir.Gate(op.name, op.where, op.shape, x, weight, bias, op.threshold))

    # -- the end -------------------------------------------------------------------------------

    def finish(self) -> Fused:
        """Name the classifier, drop what nothing reads, and put the layers in order."""
        name = self.holder[self.graph.output]
        classifier = self.placed.pop(name)
        linear = classifier.layer
        assert isinstance(linear, ir.Linear)
        others = [p.layer for p in self.placed.values() if name in p.layer.inputs]
        if others:
            self.placed[name] = classifier
        logits = ir.Logits(
            name=self._fresh(f"{name}.logits") if others else name,
            where=linear.where,
            shape=linear.shape,
            x=linear.x,
            weight=linear.weight,
            bias=linear.bias,
        )
        self.placed[logits.name] = replace(
            classifier, layer=logits, position=(len(self.graph.ops), 0)
        )
        live = self._live(logits.name)
        kept = sorted((self.placed[n] for n in live), key=lambda placed: placed.position)
        nodes = {p.layer.name: p.node for p in kept if p.node}
        layers = tuple(p.layer for p in kept)
        return Fused(ir.LayerGraph(self.graph.name, layers), nodes)

    def _live(self, last: str) -> set[str]:
        live = {self.graph.ops[0].name}
        pending = [last]
        while pending:
            name = pending.pop()
            if name not in live:
                live.add(name)
                pending.extend(self.placed[name].layer.inputs)
        return live
