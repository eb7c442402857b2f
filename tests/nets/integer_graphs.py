"""Makes integer graphs for tests, layer by layer, with random constants that keep values alive."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acsgen.ir.integer import (
    Format,
    IntConcat,
    IntConv,
    IntEltwise,
    IntEntropy,
    IntExit,
    IntFlatten,
    IntGate,
    IntGlobalAvg,
    IntGraph,
    IntInput,
    IntLayer,
    IntLinear,
    IntLogits,
    IntPool,
    IntScale,
)
from acsgen.ir.kinds.join import IntJoin
from acsgen.ir.masks import whole


def window_shape(
    shape: tuple[int, ...], channels: int, kernel: int, stride: int, pad: int
) -> tuple[int, int, int]:
    height, width = ((size + 2 * pad - kernel) // stride + 1 for size in shape[1:])
    return channels, height, width


@dataclass
class GraphBuilder:
    """Appends layers; every method returns the name of the new one."""

    seed: int = 0
    layers: list[IntLayer] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)

    def graph(self, name: str = "test") -> IntGraph:
        """The graph; its outputs are all classifiers."""
        outputs = tuple(layer.name for layer in self.layers if isinstance(layer, IntLogits))
        return IntGraph(name, tuple(self.layers), outputs)

    def layer(self, name: str) -> IntLayer:
        return next(layer for layer in self.layers if layer.name == name)

    def signed(self, name: str) -> bool:
        signed = self.layer(name).format.one_sign
        assert signed is not None
        return signed

    def shape(self, name: str) -> tuple[int, ...]:
        return self.layer(name).shape

    def input(self, channels: int = 3, height: int = 8, width: int = 8) -> str:
        pad_value = self.rng.integers(0, 256, channels)
        pad_value[4:] = pad_value[3:4] if channels > 4 else 0
        return self._add(IntInput, "image", (channels, height, width), False, pad_value=pad_value)

    def conv(
        self,
        x: str,
        channels: int,
        kernel: int = 3,
        stride: int = 1,
        pad: int | None = None,
        *,
        groups: int = 1,
        residual: str | None = None,
        mask: str | None = None,
        signed: bool = False,
        masked_bias: bool = False,
        zeros: NDArray[np.bool_] | None = None,
    ) -> str:
        """``zeros`` ``(O, I)``: kernels that are zero, as in a DGConv."""
        pad = kernel // 2 if pad is None else pad
        ins = self.shape(x)[0]
        weight = self.rng.integers(-127, 128, (channels, ins // groups, kernel, kernel))
        if zeros is not None:
            weight[zeros] = 0
        fan = ins // groups * kernel**2
        bound = 2000 * math.isqrt(fan)
        mult, shift = self._scales(channels, 255 * 40 * math.sqrt(fan))
        masked = self.rng.integers(-bound, bound, channels) * masked_bias
        shape = window_shape(self.shape(x), channels, kernel, stride, pad)
        return self._add(
            IntConv,
            "conv",
            shape,
            signed,
            x=x,
            weight=weight,
            bias=self.rng.integers(-bound, bound, channels),
            masked_bias=masked,
            mult=mult,
            shift=shift,
            stride=stride,
            pad=pad,
            groups=groups,
            residual=residual,
            res_mult=int(self.rng.integers(1 << 12, 1 << 15)) if residual else 0,
            mask=whole(mask, channels) if mask else (),
        )

    def eltwise(
        self, x: str, residual: str | None = None, mask: str | None = None, signed: bool = False
    ) -> str:
        return self._add(
            IntEltwise,
            "eltwise",
            self.shape(x),
            signed,
            x=x,
            mult=int(self.rng.integers(1 << 12, 1 << 16)),
            shift=int(self.rng.integers(14, 17)),
            residual=residual,
            res_mult=int(self.rng.integers(1 << 12, 1 << 15)) if residual else 0,
            mask=whole(mask, self.shape(x)[0]) if mask else (),
        )

    def pool(
        self, x: str, mode: str = "max", kernel: int = 2, stride: int = 2, pad: int = 0
    ) -> str:
        shape = window_shape(self.shape(x), self.shape(x)[0], kernel, stride, pad)
        return self._add(
            IntPool,
            "pool",
            shape,
            self.signed(x),
            x=x,
            mode=mode,
            kernel=kernel,
            stride=stride,
            pad=pad,
            mult=round((1 << 18) / kernel**2) % 65536,
            shift=18,
        )

    def concat(self, *maps: str) -> str:
        channels = tuple(self.shape(x)[0] for x in maps)
        shape = (sum(channels), *self.shape(maps[0])[1:])
        signed = self.signed(maps[0])
        return self._add(IntConcat, "concat", shape, signed, maps=maps, channels=channels)

    def join(self, *vectors: str) -> str:
        """Vectors of one sign, each a part of this one alone."""
        sizes = tuple(self.shape(x)[0] for x in vectors)
        signed = self.signed(vectors[0])
        return self._add(IntJoin, "join", (sum(sizes),), signed, vectors=vectors, sizes=sizes)

    def gavg(self, x: str) -> str:
        channels, height, width = self.shape(x)
        mult = min(65535, round((1 << 20) / (height * width)))
        signed = self.signed(x)
        return self._add(IntGlobalAvg, "gavg", (channels,), signed, x=x, mult=mult, shift=19)

    def flatten(self, x: str) -> str:
        size = math.prod(self.shape(x))
        return self._add(IntFlatten, "flatten", (size,), self.signed(x), x=x)

    def linear(self, x: str, channels: int, sigmoid: bool = False, signed: bool = False) -> str:
        constants = self._linear_constants(x, channels)
        signed = signed and not sigmoid
        return self._add(
            IntLinear, "linear", (channels,), signed, x=x, sigmoid=sigmoid, **constants
        )

    def logits(self, x: str, classes: int = 10) -> str:
        constants = self._linear_constants(x, classes)
        return self._add(IntLogits, "logits", (classes,), True, x=x, **constants)

    def gate(self, x: str, channels: int) -> str:
        constants = self._linear_constants(x, channels)
        # By a generator of its own, so that other constants do not depend on it.
        order = np.random.default_rng([self.seed, len(self.layers)]).permutation(channels)
        return self._add(
            IntGate,
            "gate",
            (channels,),
            False,
            x=x,
            weight=constants["weight"],
            bias=constants["bias"],
            threshold=self.rng.integers(-3000, 3000, channels),
            acc_scale=self.rng.uniform(1e-4, 1e-3, channels),
            alpha=0.5,
            order=tuple(order.tolist()),
        )

    def exit(self, x: str) -> str:
        """An early exit by a decision on a vector."""
        constants = self._linear_constants(x, 1)
        decision = self._add(
            IntEntropy,
            "entropy",
            (1,),
            False,
            x=x,
            weight=constants["weight"],
            bias=constants["bias"],
            threshold=self.rng.integers(-3000, 3000, 1),
            acc_scale=self.rng.uniform(1e-4, 1e-3, 1),
            entropy=0.5,
        )
        return self._add(IntExit, "exit", (1,), False, decision=whole(decision, 1))

    def scale(self, x: str, vector: str) -> str:
        signed = self.signed(x)
        shape = self.shape(x)
        return self._add(
            IntScale, "scale", shape, signed, x=x, vector=vector, mult=1 << 10, shift=17
        )

    def _linear_constants(self, x: str, channels: int) -> dict[str, Any]:
        (ins,) = self.shape(x)
        mult, shift = self._scales(channels, 255 * 40 * math.sqrt(ins))
        bound = 2000 * math.isqrt(ins)
        return {
            "weight": self.rng.integers(-127, 128, (channels, ins)),
            "bias": self.rng.integers(-bound, bound, channels),
            "mult": mult,
            "shift": shift,
        }

    def _scales(self, channels: int, spread: float) -> tuple[NDArray[Any], NDArray[Any]]:
        """Multipliers and shifts that bring accumulators of this spread to 8 bits."""
        shift = self.rng.integers(20, 30, channels)
        factor = self.rng.uniform(0.5, 2, channels) * 100 / spread
        mult = np.round(factor * 2.0**shift).astype(np.int64)
        return np.clip(mult, 1, 65535), shift

    def _add(
        self, kind: type[IntLayer], prefix: str, shape: tuple[int, ...], signed: bool, **fields: Any
    ) -> str:
        names = {layer.name for layer in self.layers}
        plain = prefix in ("image", "logits") and prefix not in names
        name = prefix if plain else f"{prefix}{len(self.layers)}"
        layer = kind(
            name=name, where=f"net.{name}", shape=shape, format=Format(1.0, signed), **fields
        )
        self.layers.append(layer)
        return name


def acs_block(b: GraphBuilder, x: str, channels: int, stride: int = 1, dgconv: bool = True) -> str:
    """A residual block whose gate is the paper's: 1x1, DGConv 3x3/2, SE, DGConv 3x3, GAP, FC."""
    ins = b.shape(x)[0]
    hidden = max(4, channels // 4)
    zeros = None
    if dgconv and hidden & (hidden - 1) == 0:
        index = np.arange(hidden)
        zeros = (index[:, None] ^ index & (hidden // 2)) & (hidden // 2) != 0
    squeezed = b.conv(x, hidden, 1)
    small = b.conv(squeezed, hidden, 3, 2, zeros=zeros)
    weights = b.linear(b.linear(b.gavg(small), max(2, hidden // 2)), hidden, sigmoid=True)
    gate_map = b.conv(b.scale(small, weights), hidden, 3, zeros=zeros)
    pooled = b.gavg(gate_map)
    first, second = b.gate(pooled, channels), b.gate(pooled, channels)
    identity = x
    if stride == 2 or ins != channels:
        identity = b.conv(x, channels, 1, stride, signed=True)
    y = b.conv(x, channels, 3, stride, mask=first)
    return b.conv(y, channels, 3, residual=identity, mask=second)


def resnet(seed: int = 0, widths: tuple[int, ...] = (8, 16, 32), size: int = 32) -> IntGraph:
    """A small ResNet with ACS gates."""
    b = GraphBuilder(seed)
    x = b.conv(b.input(3, size, size), widths[0])
    for stage, channels in enumerate(widths):
        x = acs_block(b, x, channels, 1 if stage == 0 else 2)
    b.logits(b.gavg(x))
    return b.graph(f"resnet{seed}")


def dense_blocks(seed: int = 0, growth: int = 12, size: int = 16) -> IntGraph:
    """Two blocks in which every layer reads all maps before it, a stride between them, gates, and a
    classifier on each block."""
    b = GraphBuilder(seed)
    x = b.conv(b.input(3, size, size), growth)
    for stage in range(2):
        maps = [x]
        for _ in range(3):
            y = b.conv(x, 2 * growth, 1)
            mask = b.gate(b.gavg(x), growth)
            maps.append(b.conv(y, growth, mask=mask))
            x = b.concat(*maps)
        b.logits(b.gavg(x))
        if stage == 0:
            # The first maps of the block once more, behind what the block made of them.
            x = b.conv(b.concat(x, maps[0], maps[0]), growth, 3, 2)
    return b.graph(f"dense{seed}")
