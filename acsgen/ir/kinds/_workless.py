"""Facts of the kinds that look at no windows and multiply nothing; a kind chooses them by its base
class."""

from __future__ import annotations

from dataclasses import dataclass

from acsgen.ir.kinds.base import ActiveOf, IntLayer, LayerWork, ZeroMaskOf


@dataclass(frozen=True)
class IntWorkless(IntLayer):
    """A layer without windows and weights, whose result is no map made pixel by pixel."""

    @property
    def window_stride(self) -> int:
        return 1

    @property
    def pixelwise(self) -> bool:
        return False

    def macs(self, active: ActiveOf, of: ZeroMaskOf) -> LayerWork | None:
        return None
