"""Random integer graphs, drawn layer by layer, with constants up to the ends of their ranges."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from acsgen.ir.integer import (
    INT32_MAX,
    INT32_MIN,
    IntConv,
    IntEltwise,
    IntGate,
    IntGlobalAvg,
    IntGraph,
    IntLayer,
    IntLinear,
    IntLogits,
    IntPool,
    IntScale,
)
from acsgen.ir.ranges import largest_partial_sum
from acsgen.isa.generated import MAX_KERNEL, MULT_MAX, SHIFT_MAX, SHIFT_MIN
from acsgen.quant.thresholds import Thresholds, force_masks
from tests.isa.places import HIGH
from tests.nets.integer_graphs import GraphBuilder, acs_block

#: A layer is kept below so many multiply-accumulates, a map below a tenth as many pixels in all
#: channels: enough for many rounds and chunks, little enough for many examples.
MAX_MACS = 400_000
MAX_FLAT = 2000
MAX_CONCATENATED = 300

#: Multiplier that halves with the smallest shift: odd values lie between two results.
HALF = 1 << (SHIFT_MIN - 1)

STEPS = (
    *("conv", "conv", "conv", "block", "block", "acs_block", "acs_block"),
    *("eltwise", "pool", "squeeze_excite", "gate", "concat", "exit"),
)

Draw = st.DrawFn


def _results(size: int, kernel: int, stride: int, pad: int) -> int:
    """Results of a window that moves along ``size`` pixels."""
    return (size + 2 * pad - kernel) // stride + 1


@dataclass
class RandomGraph:
    """Appends random layers; any of them may read any map made so far."""

    draw: Draw
    builder: GraphBuilder
    max_macs: int = MAX_MACS
    maps: list[str] = field(default_factory=list)

    def integer(self, low: int, high: int) -> int:
        return self.draw(st.integers(low, high))

    def chance(self) -> bool:
        return self.draw(st.booleans())

    def some_map(self) -> str:
        """A map that layers may read, the newest most of the time."""
        older = self.integer(0, 3) == 3
        return self.maps[self.integer(0, len(self.maps) - 1)] if older else self.maps[-1]

    def step(self) -> None:
        kind = self.draw(st.sampled_from(STEPS))
        x = self.some_map()
        if kind == "conv":
            self.conv(x)
        elif kind == "block":
            self.block(x)
        elif kind == "acs_block":
            channels = self._affordable(self.integer(1, 70), 9 * self.builder.shape(x)[0], x)
            stride = self.integer(1, 2)
            self.maps.append(acs_block(self.builder, x, channels, stride, self.chance()))
        elif kind == "eltwise":
            self.eltwise(x)
        elif kind == "pool":
            self.pool(x)
        elif kind == "squeeze_excite":
            self.squeeze_excite(x)
        elif kind == "concat":
            self.concat(x)
        elif kind == "exit":
            vector = self._vector(x)
            self.builder.logits(vector, self.integer(1, 12))
            if self.integer(0, 1):
                self.builder.exit(vector)
        else:
            self.gate(x, self.integer(1, 70))

    def stem(self) -> None:
        """The image and a convolution over it, the only layer that reads it."""
        channels = self.integer(1, 6)
        full = st.sampled_from([8, 16, 32])  # rows and planes without padding
        height = self.draw(full | st.integers(1, 40))
        width = self.draw(full | st.integers(1, 64))
        image = self.builder.input(channels, height, width)
        self.conv(image)
        if self.chance():
            self.conv(image)

    def conv(self, x: str) -> None:
        b = self.builder
        ins, height, width = b.shape(x)
        kernel = self.draw(st.sampled_from([1, 1, 3, 3, 3, 2, 4, 5, 6, 7]))
        stride = self.integer(1, 2)
        pad = self.draw(st.one_of(st.just(kernel // 2), st.integers(0, kernel - 1)))
        pad = min(pad, HIGH["pad"])
        rows, columns = (_results(size, kernel, stride, pad) for size in (height, width))
        if min(rows, columns) < 1 or columns > 64:
            return
        residual = self._like(rows, columns) if self.chance() else None
        outs = self._affordable(self.integer(1, 70), ins * kernel**2, x)
        if residual is not None:
            outs = b.shape(residual)[0]
        common = [d for d in range(1, min(ins, outs) + 1) if ins % d == outs % d == 0]
        groups = self.draw(st.sampled_from(common)) if self.chance() else 1
        zeros = None
        if groups == 1 and self.chance():
            zeros = self._zeros(outs, ins, self.draw(st.sampled_from(common)))
        self.maps.append(
            b.conv(
                x,
                outs,
                kernel,
                stride,
                pad,
                groups=groups,
                residual=residual,
                mask=self._mask(outs),
                signed=self.chance(),
                masked_bias=self.integer(0, 3) == 3,
                zeros=zeros,
            )
        )

    def block(self, x: str) -> None:
        """A layer whose masked channels are zero, and one that skips them: a convolution, perhaps
        behind others that keep zeros."""
        b = self.builder
        channels = b.shape(x)[0]
        hidden = self._affordable(self.integer(1, 70), channels, x)
        mask = self.gate(self.some_map(), hidden)
        if self.chance():
            y = b.conv(x, hidden, 1, mask=mask, signed=self.chance())
        else:
            y = b.eltwise(b.conv(x, hidden, 1, signed=self.chance()), mask=mask)
        if self.chance():
            y = b.eltwise(y, signed=self.chance())
        if self.chance():
            vector = b.linear(b.gavg(y), hidden, sigmoid=True)
            y = b.scale(y, vector)
        self.maps.append(y)
        self.conv(y)

    def eltwise(self, x: str) -> None:
        channels, height, width = self.builder.shape(x)
        residual = self._like(height, width, channels) if self.chance() else None
        mask = self._mask(channels)
        self.maps.append(self.builder.eltwise(x, residual, mask, self.chance()))

    def pool(self, x: str) -> None:
        mode = self.draw(st.sampled_from(["max", "avg"]))
        kernel, stride = self.integer(1, MAX_KERNEL), self.integer(1, 2)
        # PyTorch, and so the golden model, has no maximum over windows with more padding.
        pad = self.integer(0, min(kernel // 2 if mode == "max" else kernel - 1, HIGH["pad"]))
        _, height, width = self.builder.shape(x)
        sizes = [_results(size, kernel, stride, pad) for size in (height, width)]
        if min(sizes) >= 1 and sizes[1] <= 64:
            self.maps.append(self.builder.pool(x, mode, kernel, stride, pad))

    def squeeze_excite(self, x: str) -> None:
        b = self.builder
        vector = b.gavg(x)
        if self.chance():
            vector = b.linear(vector, self.integer(1, 20))
        sigmoid = self.chance()
        vector = b.linear(vector, b.shape(x)[0], sigmoid)
        self.maps.append(b.scale(x, vector))

    def concat(self, x: str) -> None:
        """Some maps of one size and sign, perhaps the same one twice, in any order."""
        b = self.builder
        fit = [
            y for y in self.maps if b.shape(y)[1:] == b.shape(x)[1:] and b.signed(y) == b.signed(x)
        ]
        maps = [x, *(self.draw(st.sampled_from(fit)) for _ in range(self.integer(1, 3)))]
        if sum(b.shape(y)[0] for y in maps) <= MAX_CONCATENATED:
            self.maps.append(b.concat(*self.draw(st.permutations(maps))))

    def gate(self, x: str, channels: int) -> str:
        vector = self._vector(x)
        if self.chance():
            vector = self.builder.linear(vector, self.integer(1, 20), signed=self.chance())
        return self.builder.gate(vector, channels)

    def logits(self) -> None:
        vector = self._vector(self.maps[-1])
        if self.chance():
            vector = self.builder.linear(vector, self.integer(1, 40), signed=self.chance())
        self.builder.logits(vector, self.integer(1, 12))

    def _vector(self, x: str) -> str:
        size = np.prod(self.builder.shape(x))
        if size <= MAX_FLAT and self.chance():
            return self.builder.flatten(x)
        return self.builder.gavg(x)

    def _like(self, rows: int, columns: int, channels: int | None = None) -> str | None:
        """A map of this size to add."""
        for name in reversed(self.maps):
            shape = self.builder.shape(name)
            if shape[1:] == (rows, columns) and channels in (None, shape[0]):
                return name
        return None

    def _mask(self, channels: int) -> str | None:
        """No mask, an existing one, or that of a new gate."""
        if not self.chance():
            return None
        every = [layer for layer in self.builder.layers if isinstance(layer, IntGate)]
        gates = [gate.name for gate in every if gate.shape == (channels,)]
        if gates and self.chance():
            return self.draw(st.sampled_from(gates))
        return self.gate(self.some_map(), channels) if self.maps else None

    def _affordable(self, outs: int, taps: int, x: str) -> int:
        """At most ``outs`` channels for a result about as large as ``x``."""
        _, height, width = self.builder.shape(x)
        pixels = height * width
        return max(1, min(outs, self.max_macs // (taps * pixels), self.max_macs // 10 // pixels))

    def _zeros(self, outs: int, ins: int, groups: int) -> NDArray[np.bool_]:
        """Kernels outside of ``groups`` groups of channels in random order, and some inside."""
        rng = self.builder.rng
        row = rng.permutation(outs) % groups
        column = rng.permutation(ins) % groups
        return np.asarray((row[:, None] != column) | (rng.random((outs, ins)) < 0.2))


@st.composite
def graphs(draw: Draw, max_macs: int = MAX_MACS) -> IntGraph:
    """Integer graphs that keep the arithmetic contract; few are more than an engine holds."""
    drawn = RandomGraph(draw, GraphBuilder(draw(st.integers(0, 9999))), max_macs)
    drawn.stem()
    if drawn.maps:
        for _ in range(draw(st.integers(0, 8))):
            drawn.step()
    else:
        drawn.maps.append(drawn.builder.conv("image", 3, 1))
    drawn.logits()
    graph = drawn.builder.graph()
    if draw(st.integers(0, 2)) == 2:
        graph = extreme(graph, np.random.default_rng(draw(st.integers(0, 9999))))
    return graph


def extreme(graph: IntGraph, rng: np.random.Generator) -> IntGraph:
    """``graph`` with the constants of some of its layers at the ends of their ranges."""
    signed = {layer.name: layer.format.any_signed for layer in graph}
    layers = (
        _extreme_layer(layer, signed, rng) if rng.random() < 0.3 else layer for layer in graph
    )
    return replace(graph, layers=tuple(layers))


def _extreme_layer(layer: IntLayer, signed: dict[str, bool], rng: np.random.Generator) -> IntLayer:
    if isinstance(layer, (IntConv, IntLinear, IntLogits, IntGate)):
        outs = layer.shape[0]
        signs = rng.choice([-127, 127], (outs, *[1] * (layer.weight.ndim - 1)))
        weight = np.where(layer.weight == 0, 0, signs)
        room = INT32_MAX - largest_partial_sum(weight, signed[layer.x])
        layer = replace(layer, weight=weight, bias=rng.choice([-1, 0, 1], outs) * room)
    if isinstance(layer, IntGate):
        ends = [INT32_MIN, INT32_MIN + 1, -1, 0, INT32_MAX - 1, INT32_MAX]
        return replace(layer, threshold=rng.choice(ends, layer.shape))
    if isinstance(layer, (IntConv, IntLinear, IntLogits)):
        layer = replace(
            layer,
            mult=rng.choice([0, 1, 1 << 14, MULT_MAX], layer.shape[0]),
            shift=rng.choice([SHIFT_MIN, 23, SHIFT_MAX - 1, SHIFT_MAX], layer.shape[0]),
        )
    if isinstance(layer, IntConv) and np.any(layer.masked_bias):
        ends = [INT32_MIN, INT32_MAX, 0]
        layer = replace(layer, masked_bias=rng.choice(ends, layer.shape[0]))
    if isinstance(layer, (IntEltwise, IntPool, IntGlobalAvg, IntScale)):
        layer = replace(
            layer,
            mult=int(rng.choice([0, HALF, HALF, MULT_MAX])),
            shift=int(rng.choice([SHIFT_MIN, SHIFT_MIN, SHIFT_MAX])),
        )
    if isinstance(layer, (IntConv, IntEltwise)) and layer.residual is not None:
        layer = replace(layer, res_mult=int(rng.choice([0, 1, MULT_MAX])))
    return layer


@st.composite
def thresholds(draw: Draw, graph: IntGraph) -> Thresholds:
    """Thresholds that leave each gate as it is, open it, close it, or force a random mask."""
    rng = np.random.default_rng(draw(st.integers(0, 9999)))
    masks: dict[str, NDArray[np.bool_]] = {}
    for gate in graph.gates:
        share = draw(st.sampled_from([None, None, 0.0, 0.5, 0.9, 1.0]))
        if share is not None:
            masks[gate.name] = rng.random(gate.shape) < share
    return force_masks(graph, masks)
