"""The integer graph: the layer graph with integer constants.  Its arithmetic is the contract.

Made by :mod:`acsgen.quant`, run by :mod:`acsgen.quant.golden` (the golden model), compiled by
:mod:`acsgen.compiler`.  All executors agree on every word.

Arithmetic, once for all:

* A result holds 8-bit integers, unsigned ``0..255`` (after ReLU) or signed ``-128..127``; the real
  value is ``scale * q``, zero point 0, with one scale and sign for all channels or one for each
  (:class:`acsgen.ir.format.Format`).  Only the image differs: raw pixels, whose convolution pads
  with ``Input.pad_value[c]``, the pixel that normalizes to zero.
* A mask of a map is made of slices: channel ``c`` takes a certain bit of a certain gate, or is
  never switched (:mod:`acsgen.ir.masks`).
* ``requantize(v, shift, signed)``: ``r = (|v| + 2**(shift-1)) >> shift`` with the sign of ``v``
  (round half away from zero), then saturate to -128..127 if ``signed`` else to 0..255.  Saturating
  at 0 *is* the ReLU.
* Convolution: ``acc[o] = bias[o] + sum w*x`` (int32, never overflows: checked when quantizing), or
  ``acc[o] = masked_bias[o]`` where the mask bit is 0.
  ``y = requantize(acc*mult[o] + (res*res_mult << (shift[o]-14)), shift[o], signed)``.
* Eltwise: the same with ``acc = x`` (0 where masked), one mult and shift for all channels.
* Pool: max over the valid pixels; or ``requantize(sum*mult, shift)``, padding counts as zero.
* GlobalAvg: ``requantize(sum*mult, shift)``.  Scale: ``requantize(x*v*mult, shift)``.
* Concat: the channels of several maps one behind the other, unchanged.  Join: likewise the entries
  of several vectors.
* Linear: ``acc = bias + w@x``; ``requantize(acc*mult[o], shift[o])``.  With ``sigmoid`` the signed
  8-bit result ``q`` indexes ``SIGMOID_TABLE[q + 128]``.
* Logits: ``acc*mult[o]`` rounded half away by ``shift[o]``, kept as int32.
* Gate, entropy: mask bit ``acc[o] > threshold[o]``; INT32_MIN opens, INT32_MAX closes.
* Exit: no layer behind it runs where its decision is 1.

``mult`` is in 0..65535, ``shift`` in 14..38, weights in -127..127.  The kinds of layers are files
of :mod:`acsgen.ir.kinds`.
"""

from __future__ import annotations

from dataclasses import dataclass

from acsgen.ir.format import Format
from acsgen.ir.graph import Graph, InvalidGraph
from acsgen.ir.kinds._vectors import IntFullyConnected
from acsgen.ir.kinds.base import IntArray, IntLayer
from acsgen.ir.kinds.concat import IntConcat
from acsgen.ir.kinds.conv import IntConv
from acsgen.ir.kinds.eltwise import IntEltwise
from acsgen.ir.kinds.entropy import IntEntropy
from acsgen.ir.kinds.exit import IntExit
from acsgen.ir.kinds.flatten import IntFlatten
from acsgen.ir.kinds.gate import IntGate
from acsgen.ir.kinds.global_avg import IntGlobalAvg
from acsgen.ir.kinds.input import IntInput
from acsgen.ir.kinds.linear import IntLinear
from acsgen.ir.kinds.logits import IntLogits
from acsgen.ir.kinds.pool import IntPool
from acsgen.ir.kinds.scale import IntScale
from acsgen.ir.masks import UNMASKED, ChannelMask, one_mask
from acsgen.ir.ranges import INT32_MAX, INT32_MIN
from acsgen.isa.generated import SIGMOID_FRACTION_BITS
from acsgen.isa.sigmoid import sigmoid_table

__all__ = [
    "INT32_MAX",
    "INT32_MIN",
    "SIGMOID_TABLE",
    "Format",
    "IntArray",
    "IntConcat",
    "IntConv",
    "IntEltwise",
    "IntEntropy",
    "IntExit",
    "IntFlatten",
    "IntFullyConnected",
    "IntGate",
    "IntGlobalAvg",
    "IntGraph",
    "IntInput",
    "IntLayer",
    "IntLinear",
    "IntLogits",
    "IntPool",
    "IntScale",
    "InvalidGraph",
]

#: The sigmoid of every executor: entry ``q + 128``.
SIGMOID_TABLE = sigmoid_table(SIGMOID_FRACTION_BITS)


@dataclass(frozen=True)
class IntGraph(Graph[IntLayer]):
    """Integer layers in execution order, the :class:`IntInput` first."""

    @property
    def gates(self) -> tuple[IntGate, ...]:
        """The gates, in execution order."""
        return tuple(layer for layer in self.layers if isinstance(layer, IntGate))

    @property
    def deciders(self) -> tuple[IntGate | IntEntropy, ...]:
        """The layers whose accumulators are compared with run-time thresholds, in execution
        order: gates, and entropies in front of exits."""
        return tuple(layer for layer in self.layers if isinstance(layer, (IntGate, IntEntropy)))

    @property
    def exits(self) -> tuple[IntExit, ...]:
        """The early exits, in execution order."""
        return tuple(layer for layer in self.layers if isinstance(layer, IntExit))

    @property
    def input(self) -> IntInput:
        """The image."""
        first = self.layers[0]
        assert isinstance(first, IntInput)
        return first

    def zero_mask(self, name: str) -> ChannelMask:
        """The mask whose 0 bits make channels of result ``name`` exact zero; empty without one.

        A convolution or eltwise has it when it is masked, adds no residual, and its
        ``masked_bias`` is zero; pooling and scaling by a vector keep the zeros of their source.
        """
        return self[name].zero_mask(self.zero_mask)

    def source_mask(self, name: str) -> ChannelMask:
        """The mask by which a reader of result ``name`` leaves channels out.

        It is the :meth:`zero_mask` where that is a gate's mask as it is; an engine has one mask
        register for the source of an instruction, so that zeros by pieces of masks are read.
        """
        zeros = self.zero_mask(name)
        gate = one_mask(zeros)
        as_it_is = gate is not None and self[gate].shape == self[name].shape[:1]
        return zeros if as_it_is else UNMASKED
