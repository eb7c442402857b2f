"""Decisions of early exits: whether the entropy of a classifier's softmax is below a threshold."""

from __future__ import annotations

import torch
from torch import Tensor

from acsgen.frontend import opgraph as og
from acsgen.frontend.kinds.base import FLOAT_KINDS, FloatKind, Results
from acsgen.ir.kinds.base import Layer
from acsgen.ir.kinds.entropy import Entropy


def _run(layer: Entropy, results: Results, images: Tensor) -> Tensor:
    logits = results[layer.x]
    entropy = torch.special.entr(torch.softmax(logits, 1)).sum(1, keepdim=True)
    sure: Tensor = entropy < layer.threshold
    return sure.to(logits.dtype)


def _start(op: og.Entropy, sources: tuple[Layer, ...]) -> Entropy:
    return Entropy(op.name, op.where, op.shape, sources[0].name, op.threshold)


FLOAT_KINDS.add("entropy", FloatKind(run=_run, starts={(og.Entropy, 1): _start}, absorbs={}))
