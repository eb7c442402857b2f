"""Losses of training: each a file of its own, found when this is imported."""

from acsgen.train.losses.base import (
    LOSSES,
    Forward,
    ForwardPass,
    Loss,
    LossParameters,
    LossResult,
    Terms,
    register,
)

__all__ = [
    "LOSSES",
    "Forward",
    "ForwardPass",
    "Loss",
    "LossParameters",
    "LossResult",
    "Terms",
    "register",
]

LOSSES.find_all(__name__)
