"""A map read as a vector."""

from __future__ import annotations

from dataclasses import dataclass

from acsgen.ir.kinds.base import (
    ActiveOf,
    IntLayer,
    Layer,
    LayerWork,
    Stores,
    ZeroMaskOf,
    register,
)


@dataclass(frozen=True)
class Flatten(Layer):
    """``(C, H, W)`` to ``(C*H*W,)`` in PyTorch's order."""

    x: str

    KIND = "flatten"
    READS = ("x",)


@dataclass(frozen=True)
class IntFlatten(IntLayer):
    """``(C, H, W)`` to ``(C*H*W,)`` in PyTorch's order."""

    x: str

    KIND = "flatten"
    READS = ("x",)

    @property
    def stores(self) -> Stores:
        return Stores.VECTOR

    @property
    def window_stride(self) -> int:
        return 1

    @property
    def pixelwise(self) -> bool:
        return False

    def zero_mask(self, of: ZeroMaskOf) -> str | None:
        return None

    def macs(self, active: ActiveOf, of: ZeroMaskOf) -> LayerWork | None:
        return None


register(Flatten, IntFlatten)
