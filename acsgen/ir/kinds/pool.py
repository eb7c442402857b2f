"""Max and average pooling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

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
class Pool(Layer):
    """Max pooling (padding never wins) or average pooling (divides by ``kernel**2``, padding
    counted)."""

    x: str
    mode: Literal["max", "avg"]
    kernel: int
    stride: int
    pad: int

    KIND = "pool"
    READS = ("x",)


@dataclass(frozen=True)
class IntPool(IntLayer):
    """Max pooling keeps scale and sign and ignores ``mult``/``shift``."""

    x: str
    mode: Literal["max", "avg"]
    kernel: int
    stride: int
    pad: int
    mult: int
    shift: int

    KIND = "pool"
    READS = ("x",)

    @property
    def stores(self) -> Stores:
        return Stores.MAP

    @property
    def window_stride(self) -> int:
        return self.stride

    @property
    def pixelwise(self) -> bool:
        return False

    def zero_mask(self, of: ZeroMaskOf) -> str | None:
        return of(self.x)

    def macs(self, active: ActiveOf, of: ZeroMaskOf) -> LayerWork | None:
        return None


register(Pool, IntPool)
