"""The classifier: results stay wide."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from acsgen.ir.integer import Format, IntLayer, IntLogits
from acsgen.ir.layers import Logits
from acsgen.quant.arithmetic import round_shift
from acsgen.quant.kinds import _steps as steps
from acsgen.quant.kinds.base import QUANT_KINDS, Operator, Quantization, QuantKind, Sources
from acsgen.quant.scales import (
    MAX_BIAS,
    UNSIGNED_LEVELS,
    encode_ratio,
    integer_bias,
    integer_weights,
)
from acsgen.quant.warning import warn

#: Largest magnitude of an input that may be negative.
SIGNED_REACH = 128


def _quantize(layer: Logits, so_far: Quantization) -> IntLogits:
    x, most = so_far.done[layer.x], so_far.weight_max
    largest_bias = np.where(_decided(layer, x, most), 0.0, np.abs(layer.bias))
    integers = integer_weights(layer.weight, x.format, largest_bias, weight_max=most)
    scale = float(integers.acc_scale.max())
    mult, shift = encode_ratio(integers.acc_scale / scale)
    draft = IntLogits(
        layer.name,
        layer.where,
        layer.shape,
        format=Format(scale, True),
        x=layer.x,
        weight=integers.weight,
        bias=integer_bias(np.asarray(layer.bias), integers.acc_scale),
        mult=mult,
        shift=shift,
    )
    return so_far.fitted(draft, integers)


def _decided(layer: Logits, x: IntLayer, weight_max: int) -> NDArray[np.bool_]:
    """The classes whose bias decides alone, ``(O,)``, so that it may be cut as an integer.

    A bias of -1e30 takes a class out. In the scale that holds it nothing would be left of the other
    logits, though any bias that no product can make up for does the same.
    """
    bias = np.asarray(layer.bias, np.float64)
    weight, none = np.asarray(layer.weight, np.float64), np.zeros(len(bias))
    held = MAX_BIAS * integer_weights(weight, x.format, none, weight_max=weight_max).acc_scale
    beyond = np.abs(bias) > held
    if not beyond.any():
        return beyond
    levels = np.where(x.format.signs(weight.shape[1]), SIGNED_REACH, UNSIGNED_LEVELS)
    reach = np.abs(weight) @ (x.format.scales(weight.shape[1]) * levels)
    kept = np.clip(bias, -held, held)
    lowest, highest = kept - reach, kept + reach
    first = int(np.argmax(lowest))
    rest = np.delete(np.arange(len(bias)), first)
    # One class wins by far, or those that lose by far are beside others that may win.
    lost = rest[beyond[rest]]
    same = bool(np.all(bias[lost] < 0) and np.all(highest[lost] < lowest[first]))
    if beyond[first]:
        same = same and bool(bias[first] > 0 and np.all(highest[rest] < lowest[first]))
    if not same:
        return np.zeros_like(beyond)
    classes = ", ".join(str(index) for index in np.flatnonzero(beyond))
    warn(
        f"{layer.where}: biases that decide whatever the image are cut to what an integer holds "
        f"(class {classes}): predictions stay, these logits do not"
    )
    return beyond


def _operator(layer: IntLogits, sources: Sources) -> Operator:
    weighted = steps.VECTOR_SUMS.operator(layer, sources)
    bias, mult, shift = (steps.int64(a) for a in (layer.bias, layer.mult, layer.shift))
    return lambda values: round_shift((weighted(values) + bias) * mult, shift).to(torch.int32)


QUANT_KINDS.add(
    "logits",
    QuantKind(
        quantize=_quantize,
        operator=_operator,
        measured=False,
        sums=steps.VECTOR_SUMS,
    ),
)
