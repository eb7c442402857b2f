"""A map read as a vector."""

from __future__ import annotations

from dataclasses import dataclass

from acsgen.ir.kinds._vectors import IntMapToVector
from acsgen.ir.kinds.base import Layer, ZeroMaskOf, register


@dataclass(frozen=True)
class Flatten(Layer):
    """``(C, H, W)`` to ``(C*H*W,)`` in PyTorch's order."""

    x: str

    KIND = "flatten"
    READS = ("x",)


@dataclass(frozen=True)
class IntFlatten(IntMapToVector):
    """``(C, H, W)`` to ``(C*H*W,)`` in PyTorch's order."""

    KIND = "flatten"

    def zero_mask(self, of: ZeroMaskOf) -> str | None:
        return None


register(Flatten, IntFlatten)
