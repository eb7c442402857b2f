"""A lone add, ReLU or mask."""

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
class Eltwise(Layer):
    """``act(mask * x + residual)``: a lone add, ReLU or mask that no convolution could take in."""

    x: str
    relu: bool
    residual: str | None = None
    mask: str | None = None

    KIND = "eltwise"
    READS = ("x", "residual", "mask")


@dataclass(frozen=True)
class IntEltwise(IntLayer):
    """Pixelwise ``x * mult + residual``; one multiplier and shift for all channels."""

    x: str
    mult: int
    shift: int
    residual: str | None = None
    res_mult: int = 0
    mask: str | None = None

    KIND = "eltwise"
    READS = ("x", "residual", "mask")

    @property
    def stores(self) -> Stores:
        return Stores.MAP if len(self.shape) == 3 else Stores.VECTOR

    @property
    def window_stride(self) -> int:
        return 1

    @property
    def pixelwise(self) -> bool:
        return self.residual is None

    def zero_mask(self, of: ZeroMaskOf) -> str | None:
        """Its own or that of its source, if it adds no residual."""
        if self.residual is not None:
            return None
        return self.mask if self.mask is not None else of(self.x)

    def macs(self, active: ActiveOf, of: ZeroMaskOf) -> LayerWork | None:
        return None


register(Eltwise, IntEltwise)
