"""Linear layers, with the activations behind them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from acsgen.ir.integer import SIGMOID_TABLE, Format, IntLinear
from acsgen.ir.layers import Linear
from acsgen.isa.generated import SIGMOID_FRACTION_BITS
from acsgen.quant.arithmetic import requantize
from acsgen.quant.kinds import _steps as steps
from acsgen.quant.kinds.base import (
    QUANT_KINDS,
    Operator,
    Quantization,
    QuantKind,
    Sources,
    Values,
)
from acsgen.quant.scales import encode_ratio, integer_bias, integer_weights

SIGMOID_SCALE = 1 / 256
ARGUMENT_SCALE = 2.0**-SIGMOID_FRACTION_BITS


def _quantize(layer: Linear, so_far: Quantization) -> IntLinear:
    x, sigmoid = so_far.done[layer.x], layer.activation == "sigmoid"
    limit = ARGUMENT_SCALE * steps.RATIO_LIMIT if sigmoid else steps.clip_limit(layer.clip)
    largest_bias, most = np.abs(layer.bias), so_far.weight_max
    integers = integer_weights(layer.weight, x.format, largest_bias, limit, weight_max=most)
    acc_scale = integers.acc_scale
    at_least = acc_scale / steps.RATIO_LIMIT
    if sigmoid:
        result = Format(SIGMOID_SCALE, False)
        mult, shift = encode_ratio(acc_scale / max(ARGUMENT_SCALE, float(at_least.max())))
    else:
        result = so_far.channel_format(layer, layer.activation == "none", at_least)
        result = steps.clipped(result, layer.clip)
        mult, shift = encode_ratio(acc_scale / result.scales(layer.shape[0]))
    draft = IntLinear(
        layer.name,
        layer.where,
        layer.shape,
        format=result,
        x=layer.x,
        weight=integers.weight,
        bias=integer_bias(np.asarray(layer.bias), acc_scale),
        mult=mult,
        shift=shift,
        sigmoid=sigmoid,
    )
    return so_far.fitted(draft, integers)


def _operator(layer: IntLinear, sources: Sources) -> Operator:
    weighted = steps.VECTOR_SUMS.operator(layer, sources)
    bias, mult, shift = (steps.int64(a) for a in (layer.bias, layer.mult, layer.shift))
    signed = steps.signs(layer)
    table = torch.as_tensor(SIGMOID_TABLE.astype(np.int16))

    def run(values: Values) -> Tensor:
        acc = weighted(values) + bias
        if layer.sigmoid:
            argument = requantize(acc * mult, shift, signed=True)
            return table[argument.to(torch.int64) + 128]
        return requantize(acc * mult, shift, signed)

    return run


QUANT_KINDS.add(
    "linear",
    QuantKind(
        quantize=_quantize,
        operator=_operator,
        measured=True,
        sums=steps.VECTOR_SUMS,
    ),
)
