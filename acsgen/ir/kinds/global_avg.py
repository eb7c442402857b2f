"""The mean of each channel."""

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
class GlobalAvg(Layer):
    """Mean over the map: ``(C, H, W)`` to ``(C,)``."""

    x: str

    KIND = "global_avg"
    READS = ("x",)


@dataclass(frozen=True)
class IntGlobalAvg(IntLayer):
    """Mean of each channel; ``mult`` and ``shift`` include the division."""

    x: str
    mult: int
    shift: int

    KIND = "global_avg"
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
        return of(self.x)

    def macs(self, active: ActiveOf, of: ZeroMaskOf) -> LayerWork | None:
        return None


register(GlobalAvg, IntGlobalAvg)
