"""The classifier: results stay wide."""

from __future__ import annotations

import numpy as np
import torch

from acsgen.ir.integer import Format, IntLogits
from acsgen.ir.layers import Logits
from acsgen.quant.arithmetic import round_shift
from acsgen.quant.kinds import _steps as steps
from acsgen.quant.kinds.base import QUANT_KINDS, Operator, Quantization, QuantKind, Sources
from acsgen.quant.scales import encode_ratio, integer_bias, integer_weights


def _quantize(layer: Logits, so_far: Quantization) -> IntLogits:
    x = so_far.done[layer.x]
    largest_bias, most = np.abs(layer.bias), so_far.weight_max
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
