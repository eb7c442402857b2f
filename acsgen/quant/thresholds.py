"""Integer thresholds of gates: run-time values that turn the knob alpha, or force masks.

A gate's bit is ``acc[o] > threshold[o]``; int32's ends open and close a channel for good.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from acsgen_host.thresholds import of_alpha, of_mask
from numpy.typing import ArrayLike, NDArray

from acsgen.ir.integer import IntGraph

Thresholds = Mapping[str, NDArray[np.int32]]


def integer_threshold(alpha: float, acc_scale: NDArray[np.floating]) -> NDArray[np.int32]:
    """``floor(logit(alpha) / acc_scale[o])``, cut to int32.

    For an accumulator ``acc`` the integer decision equals ``sigmoid(acc * acc_scale[o]) > alpha``;
    the driver makes its thresholds by the same function.

    Args:
        alpha: threshold on the sigmoid; 0 opens every channel, 1 closes every one.
        acc_scale: ``(O,)``, real value of one accumulator unit.

    Raises:
        ValueError: alpha outside [0, 1].
    """
    return of_alpha(alpha, acc_scale)


def thresholds_for(graph: IntGraph, alpha: float) -> dict[str, NDArray[np.int32]]:
    """Thresholds of all gates for one ``alpha``, by gate name."""
    return {gate.name: integer_threshold(alpha, gate.acc_scale) for gate in graph.gates}


def force_masks(graph: IntGraph, masks: Mapping[str, ArrayLike]) -> dict[str, NDArray[np.int32]]:
    """Thresholds that give the same mask for every image.

    Args:
        graph: the gates' graph.
        masks: booleans ``(C,)``, or one for all channels, by gate name; gates not named keep the
            thresholds they have in ``graph``.

    Raises:
        ValueError: a name that is no gate, or a mask of another shape.
    """
    gates = {gate.name: gate for gate in graph.gates}
    unknown = sorted(set(masks) - set(gates))
    if unknown:
        raise ValueError(f"not a gate of {graph.name}: {', '.join(unknown)}")
    forced = {}
    for name, mask in masks.items():
        opened = np.broadcast_to(np.asarray(mask, bool), gates[name].shape)
        forced[name] = of_mask(opened)
    return forced
