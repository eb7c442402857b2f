"""Terms of losses that keep a gate's bits informative and different from each other."""

from __future__ import annotations

import torch
from torch import Tensor

from acsgen.nn.gates.record import GateRecord

#: Added to the variance of a bit's probability over the batch: a bit that hardly moves has hardly
#: a correlation, instead of one that its rounding decides.
_LEAST_VARIANCE = 1e-4


def gate_information(gates: GateRecord) -> Tensor:
    """Mean over gate bits of I(image; bit) = H(E p) - E H(p), in nats, with p = sigmoid(logit).

    Large when a bit is open for about half of the images and sure about each one of them. It looks
    at one bit at a time: bits that all follow one coin have as much of it as bits that differ, see
    :func:`gate_correlation`.
    """
    p = torch.sigmoid(torch.cat(list(gates.logits.values()), dim=1).float())
    return (_entropy(p.mean(0)) - _entropy(p).mean(0)).mean()


def gate_correlation(gates: GateRecord) -> Tensor:
    """Mean squared correlation over the batch of two different bits of a gate, in [0, 1].

    A scalar: the mean over pairs of bits, and over the calls of gates that have two bits or more; 0
    where none has. The bits enter by their probabilities, sigmoid(logit).
    """
    terms = [
        _correlation(torch.sigmoid(v.float())) for v in gates.logits.values() if v.shape[1] > 1
    ]
    if not terms:
        return next(iter(gates.logits.values())).new_zeros((), dtype=torch.float32)
    return torch.stack(terms).mean()


def _correlation(p: Tensor) -> Tensor:
    """Mean squared correlation of different columns of p [N, bits]."""
    centred = p - p.mean(0)
    scaled = centred / (centred.square().mean(0) + _LEAST_VARIANCE).sqrt()
    matrix = scaled.T @ scaled / len(p)
    bits = p.shape[1]
    others = 1.0 - torch.eye(bits, device=p.device)
    return (matrix.square() * others).sum() / (bits * (bits - 1))


def _entropy(p: Tensor) -> Tensor:
    p = p.clamp(1e-6, 1.0 - 1e-6)
    return -(p * p.log() + (1.0 - p) * (1.0 - p).log())
