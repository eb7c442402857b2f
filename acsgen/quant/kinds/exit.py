"""Early exits: the decision in front of one is its result."""

from __future__ import annotations

import torch
from torch import Tensor

from acsgen.ir.integer import Format
from acsgen.ir.kinds.exit import Exit, IntExit
from acsgen.ir.masks import mask_names
from acsgen.quant.kinds.base import QUANT_KINDS, Operator, Quantization, QuantKind, Sources, Values


def _quantize(layer: Exit, so_far: Quantization) -> IntExit:
    return IntExit(layer.name, layer.where, layer.shape, Format(1.0, False), layer.decision)


def _operator(layer: IntExit, sources: Sources) -> Operator:
    names = mask_names(layer.decision)

    def run(values: Values) -> Tensor:
        if names:
            return values[names[0]]
        images = len(next(iter(values.values())))
        return torch.zeros((images, 1), dtype=torch.uint8)

    return run


QUANT_KINDS.add("exit", QuantKind(quantize=_quantize, operator=_operator, measured=False))
