"""Convolution, with everything that the engine does to its sums."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from acsgen.ir.grammar import Constant, Grammar, a_map, a_mask
from acsgen.ir.groups import channel_groups
from acsgen.ir.kinds._windows import WINDOWS
from acsgen.ir.kinds.base import (
    ActiveOf,
    FloatArray,
    IntArray,
    IntLayer,
    Layer,
    LayerWork,
    ZeroMaskOf,
    register,
)
from acsgen.ir.masks import UNMASKED, ChannelMask
from acsgen.ir.ranges import ACCUMULATES, multiplier, shift, sums, weights


@dataclass(frozen=True)
class Conv(Layer):
    """``act(mask * conv(x) + bias + residual)`` in the order written in the engine's contract.

    ``weight`` is ``(O, I/groups, K, K)``.  With ``mask`` the channels whose bit is 0 take
    ``masked_bias[o]`` (zero unless the mask acts before BatchNorm) in place of ``conv + bias``;
    then residual and ReLU act on all channels alike.  DGConv arrives here as a dense convolution
    with zeroed weights (``groups == 1``); the compiler finds its group structure.  ``clip`` is the
    upper end of a ReLU that has one, such as ReLU6: the integer result saturates there.
    """

    x: str
    weight: FloatArray = field(repr=False)
    bias: FloatArray = field(repr=False)
    masked_bias: FloatArray = field(repr=False)
    stride: int
    pad: int
    groups: int
    relu: bool
    residual: str | None = None
    mask: ChannelMask = UNMASKED
    clip: float | None = None

    KIND = "conv"
    READS = ("x", "residual", "mask")


@dataclass(frozen=True)
class IntConv(IntLayer):
    """See :mod:`acsgen.ir.integer`.  ``weight`` ``(O, I/groups, K, K)``; the other arrays
    ``(O,)``."""

    x: str
    weight: IntArray = field(repr=False)
    bias: IntArray = field(repr=False)
    masked_bias: IntArray = field(repr=False)
    mult: IntArray = field(repr=False)
    shift: IntArray = field(repr=False)
    stride: int
    pad: int
    groups: int
    residual: str | None = None
    res_mult: int = 0
    mask: ChannelMask = UNMASKED

    KIND = "conv"
    READS = ("x", "residual", "mask")

    @property
    def window_stride(self) -> int:
        return self.stride

    @property
    def pixelwise(self) -> bool:
        window = self.weight.shape[-1], self.stride, self.pad
        return window == (1, 1, 0) and self.residual is None

    def zero_mask(self, of: ZeroMaskOf) -> ChannelMask:
        """Its own, if it adds no residual and ``masked_bias`` is zero."""
        exact = self.residual is None and not np.any(self.masked_bias)
        return self.mask if exact else UNMASKED

    def macs(self, active: ActiveOf, of: ZeroMaskOf) -> LayerWork:
        outs, group_ins, kernel, _ = self.weight.shape
        ins = group_ins * self.groups
        active_outs = active(self.mask, outs)
        active_ins = active(of(self.x), ins)
        groups = channel_groups(self.weight, self.groups)
        if groups is None:
            count, pairs = 1, active_outs.sum(axis=1) * active_ins.sum(axis=1)
        else:
            count = groups.groups
            in_group = active_ins[:, groups.inputs].sum(axis=2)
            out_group = active_outs[:, groups.outputs].sum(axis=2)
            pairs = (in_group * out_group).sum(axis=1)
        taps = kernel**2 * self.shape[1] * self.shape[2]
        return LayerWork(taps * (outs * ins // count), taps * pairs)


GRAMMAR = Grammar(
    result=a_map("O Y X"),
    reads={"x": a_map("I H W"), "residual": a_map("O Y X"), "mask": a_mask("O")},
    constants={
        "weight": weights("O I/groups K K"),
        "bias": sums("O"),
        "masked_bias": sums("O"),
        "mult": multiplier("O"),
        "shift": shift("O"),
        "res_mult": multiplier(""),
        "stride": Constant("", 1),
        "pad": Constant("", 0),
        "groups": Constant("", 1),
    },
    relations=(WINDOWS, ACCUMULATES),
)

register(Conv, IntConv, GRAMMAR)
