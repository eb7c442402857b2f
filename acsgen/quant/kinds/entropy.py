"""Decisions in front of exits: a small network of integer layers, and its accumulator."""

from __future__ import annotations

from acsgen.ir.integer import IntLogits
from acsgen.ir.kinds.base import IntLayer
from acsgen.ir.kinds.entropy import Entropy, IntEntropy
from acsgen.quant.entropy import entropy_layers
from acsgen.quant.kinds import _steps as steps
from acsgen.quant.kinds.base import QUANT_KINDS, Operator, Quantization, QuantKind, Sources


def _quantize(layer: Entropy, so_far: Quantization) -> tuple[IntLayer, ...]:
    logits = so_far.done[layer.x]
    assert isinstance(logits, IntLogits)
    values = so_far.result(layer.x)
    return entropy_layers(layer.name, layer.where, logits, values, layer.threshold)


def _operator(layer: IntEntropy, sources: Sources) -> Operator:
    """The accumulator: the threshold is given at run time."""
    weighted, bias = steps.VECTOR_SUMS.operator(layer, sources), steps.int64(layer.bias)
    return lambda values: weighted(values) + bias


QUANT_KINDS.add("entropy", QuantKind(quantize=_quantize, operator=_operator, measured=False))
