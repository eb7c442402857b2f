"""Whether a network was quantized a second time, with more care, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Refinement:
    """The second try at a quantization, judged on the calibration images.  Shares are in [0, 1].

    Attributes:
        images: how many.
        plain: share of them on which the integer network predicts the same as the float network,
            of the output where that is least.
        refined: the same of the network that was quantized with more care; None where the plain
            one was good enough.
        used: whether the refined network is taken.
        repeated: the share with the averages before classifiers stored several times; None where
            that was not tried.
        averages: names of the averages that are; empty where it is not taken.
        added: names of the layers that are there for it, beyond those of the plain network.
    """

    images: int
    plain: float
    refined: float | None = None
    used: bool = False
    repeated: float | None = None
    averages: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
