"""A map times one factor per channel, computed at run time."""

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
class Scale(Layer):
    """``x[c] * vector[c]``: squeeze-and-excitation's last step."""

    x: str
    vector: str

    KIND = "scale"
    READS = ("x", "vector")


@dataclass(frozen=True)
class IntScale(IntLayer):
    """``x[c] * vector[c]``, requantized; the vector is unsigned."""

    x: str
    vector: str
    mult: int
    shift: int

    KIND = "scale"
    READS = ("x", "vector")

    @property
    def stores(self) -> Stores:
        return Stores.MAP

    @property
    def window_stride(self) -> int:
        return 1

    @property
    def pixelwise(self) -> bool:
        return True

    def zero_mask(self, of: ZeroMaskOf) -> str | None:
        return of(self.x)

    def macs(self, active: ActiveOf, of: ZeroMaskOf) -> LayerWork | None:
        return None


register(Scale, IntScale)
