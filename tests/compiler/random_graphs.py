"""Random networks from everything that the engine can do, for differential tests."""

from __future__ import annotations

import numpy as np

from acsgen.ir.integer import IntGraph
from tests.compiler.graphs import GraphBuilder, acs_block

#: Keeps maps of random networks within the vector memory when they are flattened.
MAX_FLAT_BLOCKS = 60


class RandomNetwork:
    """Grows a network step by step from random choices."""

    def __init__(self, seed: int) -> None:
        self.b = GraphBuilder(seed)
        self.rng = np.random.default_rng(seed + 10_000)
        height, width = (int(n) for n in self.rng.integers(5, 41, 2))
        self.maps = [self.b.input(int(self.rng.integers(1, 6)), height, width)]
        self.maps = [self._conv(self.maps[0], first=True)]
        for _ in range(int(self.rng.integers(3, 9))):
            self._grow()

    def graph(self) -> IntGraph:
        b, x = self.b, self.maps[-1]
        channels, height, width = b.shape(x)
        blocks = channels * -(-height * (1 << (width > 8) + (width > 16) + (width > 32)) // 8)
        flat = blocks < MAX_FLAT_BLOCKS and self._chance(0.6)
        vector = b.flatten(x) if flat else b.gavg(x)
        if self._chance(0.4):
            vector = b.linear(vector, self._int(1, 20), signed=self._chance(0.5))
        b.logits(vector, self._int(1, 12))
        return b.graph(f"random{self.b.seed}")

    def _grow(self) -> None:
        b, x = self.b, self._any_map()
        small = min(b.shape(x)[1:]) < 4
        kind = self._int(0, 9)
        if kind <= 4:
            made = self._conv(x)
        elif kind == 5 and not small:
            made = acs_block(b, x, 8, self._int(1, 2))
        elif kind == 6:
            mask = self._gate(x, b.shape(x)[0]) if self._chance(0.5) else None
            made = b.eltwise(x, self._residual(b.shape(x)), mask, self._chance(0.5))
        elif kind == 7 and not small:
            kernel = self._int(1, 3)
            mode = "max" if self._chance(0.5) else "avg"
            made = b.pool(x, mode, kernel, self._int(1, 2), self._int(0, kernel // 2))
        else:
            vector = b.linear(b.gavg(x), b.shape(x)[0], sigmoid=self._chance(0.7))
            made = b.scale(x, vector)
        self.maps.append(made)

    def _conv(self, x: str, first: bool = False) -> str:
        b = self.b
        ins, *size = b.shape(x)
        kernel = self._int(1, min(5, *size))
        groups = 1
        if not first and self._chance(0.3):
            groups = int(self.rng.choice([g for g in (1, 2, 3, 4, 8) if ins % g == 0]))
        channels = groups * self._int(1, max(1, 24 // groups))
        zeros = None
        if self._chance(0.2):
            order = self.rng.permutation(ins)
            zeros = np.arange(channels)[:, None] % 2 != order[None, :] % 2
            groups = 1
        stride = self._int(1, 2) if min(size) >= 4 else 1
        pad = self._int(0, kernel - 1)
        shape = (channels, *((n + 2 * pad - kernel) // stride + 1 for n in size))
        return b.conv(
            x,
            channels,
            kernel,
            stride,
            pad,
            groups=groups,
            zeros=zeros,
            residual=None if first else self._residual(shape),
            mask=self._gate(x, channels) if not first and self._chance(0.5) else None,
            signed=self._chance(0.3),
            masked_bias=self._chance(0.3),
        )

    def _gate(self, x: str, channels: int) -> str:
        return self.b.gate(self.b.gavg(x), channels)

    def _residual(self, shape: tuple[int, ...]) -> str | None:
        fitting = [m for m in self.maps if self.b.shape(m) == shape]
        return str(self.rng.choice(fitting)) if fitting and self._chance(0.8) else None

    def _any_map(self) -> str:
        return self.maps[-1] if self._chance(0.7) else str(self.rng.choice(self.maps))

    def _int(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high + 1))

    def _chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)


def random_graph(seed: int) -> IntGraph:
    """A network from ``seed``; a few are not for the engine, and refused by the compiler."""
    return RandomNetwork(seed).graph()
