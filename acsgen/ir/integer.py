"""The integer graph: the layer graph with integer constants.  Its arithmetic is the contract.

Made by :mod:`acsgen.quant`, run by :mod:`acsgen.quant.golden` (the golden model), compiled by
:mod:`acsgen.compiler`.  All executors agree on every word.

Arithmetic, once for all:

* A tensor holds 8-bit integers, unsigned ``0..255`` (after ReLU) or signed ``-128..127``; the real
  value is ``scale * q``, zero point 0.  Only the image differs: raw pixels, whose convolution pads
  with ``Input.pad_value[c]``, the pixel that normalizes to zero.
* ``requantize(v, shift, signed)``: ``r = (|v| + 2**(shift-1)) >> shift`` with the sign of ``v``
  (round half away from zero), then saturate to -128..127 if ``signed`` else to 0..255.  Saturating
  at 0 *is* the ReLU.
* Convolution: ``acc[o] = bias[o] + sum w*x`` (int32, never overflows: checked when quantizing), or
  ``acc[o] = masked_bias[o]`` where the mask bit is 0.
  ``y = requantize(acc*mult[o] + (res*res_mult << (shift[o]-14)), shift[o], signed)``.
* Eltwise: the same with ``acc = x`` (0 where masked), one mult and shift for all channels.
* Pool: max over the valid pixels; or ``requantize(sum*mult, shift)``, padding counts as zero.
* GlobalAvg: ``requantize(sum*mult, shift)``.  Scale: ``requantize(x*v*mult, shift)``.
* Linear: ``acc = bias + w@x``; ``requantize(acc*mult[o], shift[o])``.  With ``sigmoid`` the signed
  8-bit result ``q`` indexes ``SIGMOID_TABLE[q + 128]``.
* Logits: ``acc*mult[o]`` rounded half away by ``shift[o]``, kept as int32.
* Gate: mask bit ``acc[o] > threshold[o]``; INT32_MIN opens, INT32_MAX closes.

``mult`` is in 0..65535, ``shift`` in 14..38, weights in -127..127.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from acsgen.isa.generated import SIGMOID_FRACTION_BITS
from acsgen.isa.sigmoid import sigmoid_table

IntArray = NDArray[np.integer]

INT32_MIN = -(2**31)
INT32_MAX = 2**31 - 1

#: The sigmoid of every executor: entry ``q + 128``.
SIGMOID_TABLE = sigmoid_table(SIGMOID_FRACTION_BITS)


@dataclass(frozen=True)
class IntLayer:
    """Common part.  ``scale`` is the real value of one unit of the result (unused for masks)."""

    name: str
    where: str
    shape: tuple[int, ...]
    signed: bool
    scale: float

    #: Fields that name the results this layer reads.
    READS: ClassVar[tuple[str, ...]] = ()

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the results this layer reads, masks included."""
        names = (getattr(self, field_name) for field_name in self.READS)
        return tuple(name for name in names if name is not None)


@dataclass(frozen=True)
class IntInput(IntLayer):
    """Raw pixels ``(C, H, W)``, unsigned; ``pad_value`` ``(C,)`` uint8."""

    pad_value: IntArray = field(repr=False)


@dataclass(frozen=True)
class IntConv(IntLayer):
    """See the module docstring.  ``weight`` ``(O, I/groups, K, K)``; the other arrays ``(O,)``."""

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
    mask: str | None = None

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

    READS = ("x", "residual", "mask")


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

    READS = ("x",)


@dataclass(frozen=True)
class IntGlobalAvg(IntLayer):
    """Mean of each channel; ``mult`` and ``shift`` include the division."""

    x: str
    mult: int
    shift: int

    READS = ("x",)


@dataclass(frozen=True)
class IntFlatten(IntLayer):
    """``(C, H, W)`` to ``(C*H*W,)`` in PyTorch's order."""

    x: str

    READS = ("x",)


@dataclass(frozen=True)
class IntLinear(IntLayer):
    """``weight`` ``(O, I)``; the other arrays ``(O,)``.  ``sigmoid``: the result goes through the
    table."""

    x: str
    weight: IntArray = field(repr=False)
    bias: IntArray = field(repr=False)
    mult: IntArray = field(repr=False)
    shift: IntArray = field(repr=False)
    sigmoid: bool

    READS = ("x",)


@dataclass(frozen=True)
class IntLogits(IntLayer):
    """The classifier; results stay int32, all on one scale."""

    x: str
    weight: IntArray = field(repr=False)
    bias: IntArray = field(repr=False)
    mult: IntArray = field(repr=False)
    shift: IntArray = field(repr=False)

    READS = ("x",)


@dataclass(frozen=True)
class IntGate(IntLayer):
    """``acc_scale`` ``(O,)`` is the real value of one accumulator unit: it turns a run-time alpha
    into integer thresholds, ``threshold[o] = floor(logit(alpha) / acc_scale[o])``."""

    x: str
    weight: IntArray = field(repr=False)
    bias: IntArray = field(repr=False)
    threshold: IntArray = field(repr=False)
    acc_scale: NDArray[np.floating] = field(repr=False)
    alpha: float

    READS = ("x",)


@dataclass(frozen=True)
class IntScale(IntLayer):
    """``x[c] * vector[c]``, requantized; the vector is unsigned."""

    x: str
    vector: str
    mult: int
    shift: int

    READS = ("x", "vector")


@dataclass(frozen=True)
class IntGraph:
    """Integer layers in execution order, the :class:`IntInput` first and the :class:`IntLogits`
    last."""

    name: str
    layers: tuple[IntLayer, ...]

    def __iter__(self) -> Iterator[IntLayer]:
        return iter(self.layers)

    def __getitem__(self, name: str) -> IntLayer:
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise KeyError(name)

    @property
    def gates(self) -> tuple[IntGate, ...]:
        """The gates, in execution order."""
        return tuple(layer for layer in self.layers if isinstance(layer, IntGate))

    @property
    def input(self) -> IntInput:
        """The image."""
        first = self.layers[0]
        assert isinstance(first, IntInput)
        return first

    @property
    def logits(self) -> IntLogits:
        """The classifier."""
        last = self.layers[-1]
        assert isinstance(last, IntLogits)
        return last

    def zero_mask(self, name: str) -> str | None:
        """The mask whose 0 bits make the channels of result ``name`` exact zero, if there is one.

        A convolution or eltwise has it when it is masked, adds no residual, and its
        ``masked_bias`` is zero; pooling and scaling by a vector keep the zeros of their source.
        """
        layer = self[name]
        if isinstance(layer, IntConv):
            exact = layer.residual is None and not np.any(layer.masked_bias)
            return layer.mask if exact else None
        if isinstance(layer, IntEltwise):
            if layer.residual is not None:
                return None
            return layer.mask if layer.mask is not None else self.zero_mask(layer.x)
        if isinstance(layer, (IntPool, IntScale, IntGlobalAvg)):
            return self.zero_mask(layer.x)
        return None
