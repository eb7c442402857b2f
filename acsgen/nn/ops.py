"""The custom operators of acsgen: channel gates and early exits.

``torch.export`` keeps ``torch.ops.acsgen.channel_gate.default`` as a single node, which is how the
front end recognises a skippable channel in *any* network, however its logits are made; likewise
``torch.ops.acsgen.early_exit.default`` for a classifier at which a run may end.
"""

from __future__ import annotations

import torch
from acsgen_host.thresholds import logit
from torch import Tensor


@torch.library.custom_op("acsgen::channel_gate", mutates_args=())
def channel_gate(logits: Tensor, threshold: float) -> Tensor:
    """Binary channel mask ``sigmoid(logits) > threshold`` with a straight-through gradient.

    Args:
        logits: any floating-point tensor, normally [N, C].
        threshold: in [0, 1]; 0 opens every channel, 1 closes every channel.

    Returns:
        A tensor of the logits' shape and dtype holding exactly 0 or 1. Its gradient is that of
        ``sigmoid(logits)`` (straight-through estimator).
    """
    if threshold <= 0.0:
        return torch.ones_like(logits)
    return (logits.float() > logit(threshold)).to(logits.dtype)


@channel_gate.register_fake
def _(logits: Tensor, threshold: float) -> Tensor:
    return torch.empty_like(logits)


def _setup_context(
    ctx: torch.autograd.function.FunctionCtx, inputs: tuple[Tensor, float], output: Tensor
) -> None:
    ctx.save_for_backward(inputs[0])


def _backward(ctx: torch.autograd.function.BackwardCFunction, grad: Tensor) -> tuple[Tensor, None]:
    (logits,) = ctx.saved_tensors
    p = torch.sigmoid(logits)
    return grad * p * (1.0 - p), None


channel_gate.register_autograd(_backward, setup_context=_setup_context)


@torch.library.custom_op("acsgen::early_exit", mutates_args=())
def early_exit(logits: Tensor, threshold: float) -> Tensor:
    """The logits as they are, marked: a run may end with them.

    Args:
        logits: of a classifier, [N, classes].
        threshold: entropy of their softmax, in nats, below which it ends; 0 never.
    """
    return logits.clone()


@early_exit.register_fake
def _(logits: Tensor, threshold: float) -> Tensor:
    return torch.empty_like(logits)


def _pass_gradient(
    ctx: torch.autograd.function.BackwardCFunction, grad: Tensor
) -> tuple[Tensor, None]:
    return grad, None


early_exit.register_autograd(_pass_gradient)
