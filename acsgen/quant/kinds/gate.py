"""Decisions of gates: accumulators, and thresholds in their units."""

from __future__ import annotations

import numpy as np

from acsgen.ir.integer import Format, IntGate
from acsgen.ir.layers import Gate
from acsgen.quant.kinds import _steps as steps
from acsgen.quant.kinds.base import QUANT_KINDS, Operator, Quantization, QuantKind, Sources
from acsgen.quant.scales import integer_bias, integer_weights
from acsgen.quant.thresholds import integer_threshold


def _quantize(layer: Gate, so_far: Quantization) -> IntGate:
    x = so_far.done[layer.x]
    largest_bias, most = np.abs(layer.bias), so_far.weight_max
    integers = integer_weights(layer.weight, x.format, largest_bias, weight_max=most)
    draft = IntGate(
        layer.name,
        layer.where,
        layer.shape,
        format=Format(1.0, False),
        x=layer.x,
        weight=integers.weight,
        bias=integer_bias(np.asarray(layer.bias), integers.acc_scale),
        threshold=integer_threshold(layer.threshold, integers.acc_scale),
        acc_scale=integers.acc_scale,
        alpha=layer.threshold,
    )
    return so_far.fitted(draft, integers)


def _operator(layer: IntGate, sources: Sources) -> Operator:
    """The accumulators: the thresholds are given at run time."""
    weighted, bias = steps.VECTOR_SUMS.operator(layer, sources), steps.int64(layer.bias)
    return lambda values: weighted(values) + bias


QUANT_KINDS.add(
    "gate",
    QuantKind(
        quantize=_quantize,
        operator=_operator,
        measured=False,
        sums=steps.VECTOR_SUMS,
    ),
)
