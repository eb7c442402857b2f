"""Thresholds of gates: integers that the engine compares accumulators with.

A gate opens channel o where ``accumulator[o] > threshold[o]``.  The numbers are the very ones that
the build and its golden model use.
"""

from __future__ import annotations

import math
from typing import Any, Mapping, Union

import numpy as np

from . import words
from .arguments import array, number, shown
from .bundle import BundleGate
from .errors import InputError, Problem

INT32_MIN = -(2**31)
INT32_MAX = 2**31 - 1

#: An alpha for all channels of a gate, or an int32 threshold for each.
Setting = Union[float, np.ndarray]


def logit(alpha: float) -> float:
    """``ln(alpha / (1 - alpha))``: the number that the logits of a gate are compared with.

    ``sigmoid(x) > alpha`` is decided as ``x > logit(alpha)``, evaluated in double precision and
    rounded once to float32, so that every executor compares with the same number.  It is infinite
    at 0 and 1.  Raises :class:`ValueError` outside [0, 1].
    """
    if not 0.0 <= alpha <= 1.0:
        raise ValueError(f"gate threshold must be within [0, 1], got {alpha}")
    if alpha == 0.0:
        return -math.inf
    if alpha == 1.0:
        return math.inf
    return float(np.float32(math.log(alpha / (1.0 - alpha))))


def above(value: float, acc_scale: np.ndarray) -> np.ndarray:
    """Thresholds int32 for ``accumulator * acc_scale > value``: ``floor(value / acc_scale)``.

    An integer exceeds the floor of a number exactly when it exceeds the number, so nothing is
    rounded away.  Cut to int32, whose ends open and close a channel for good.
    """
    exact = np.floor(value / np.asarray(acc_scale, np.float64))
    return np.clip(exact, INT32_MIN, INT32_MAX).astype(np.int32)


def of_alpha(alpha: float, acc_scale: np.ndarray) -> np.ndarray:
    """Thresholds int32 for ``sigmoid(accumulator * acc_scale) > alpha``.

    0 opens every channel, 1 closes every one.  Raises :class:`ValueError` outside [0, 1].
    """
    return above(logit(alpha), acc_scale)


def of_mask(opened: np.ndarray) -> np.ndarray:
    """Thresholds int32 that open the channels of a boolean mask, and close the others."""
    return np.where(opened, INT32_MIN, INT32_MAX).astype(np.int32)


def from_logit(gate: BundleGate, value: float) -> np.ndarray:
    """Thresholds int32 ``(channels,)`` for ``accumulator * acc_scale > value``."""
    return above(value, gate.acc_scale)


def from_alpha(gate: BundleGate, alpha: float) -> np.ndarray:
    """Thresholds int32 ``(channels,)`` for ``sigmoid(accumulator * acc_scale) > alpha``.

    0 opens every channel, 1 closes every one.  Raises :class:`InputError` outside [0, 1].
    """
    return of_alpha(share(alpha, gate.name, "alpha"), gate.acc_scale)


def from_strictness(gate: BundleGate, strictness: float) -> np.ndarray:
    """Thresholds with ``logit(strictness)`` added to the logit of the gate's own alpha.

    0.5 is as trained; where that alpha is 0.5, strictness is alpha.
    """
    own, more = logit(gate.alpha), logit(share(strictness, "strictness", "it"))
    return from_logit(gate, more if math.isinf(more) else own + more)


def forced(gate: BundleGate, mask: Any) -> np.ndarray:
    """Thresholds that give ``mask``, booleans ``(channels,)`` or one for all, for every image."""
    remedy = "pass True to open a channel"
    given = array(mask, f"{gate.name}: mask bits", remedy)
    if given.dtype.kind not in "biuf" or not np.all((given == 0) | (given == 1)):
        raise InputError(Problem(gate.name, "a mask has booleans", remedy))
    if given.shape not in ((), (gate.channels,)):
        raise _wrong_shape(gate, given, "mask bits")
    opened = np.broadcast_to(given.astype(bool), (gate.channels,))
    return of_mask(opened)


def resolve(gates: Mapping[str, BundleGate], settings: float | Mapping[str, Any]) -> dict[str, Any]:
    """Return int32 thresholds by gate name for an alpha for all, or settings by gate name.

    A setting is an alpha (a number within [0, 1]) or an array of integer thresholds.  Raises
    :class:`InputError` with every setting that is wrong.
    """
    if not isinstance(settings, Mapping):
        alpha = share(settings, "alpha", "it")
        return {name: from_alpha(gate, alpha) for name, gate in gates.items()}
    check_names(gates, settings)
    problems: list[Problem] = []
    resolved = {}
    for name, setting in settings.items():
        try:
            resolved[name] = _one(gates[name], setting)
        except InputError as error:
            problems.extend(error.problems)
    if problems:
        raise InputError(problems)
    return resolved


def check_names(gates: Mapping[str, BundleGate], settings: Any) -> None:
    """Raise :class:`InputError` for names that are no gates, or no names at all."""
    known = "the gates are " + ", ".join(gates) if gates else "this network has no gates"
    if not isinstance(settings, Mapping):
        what = f"must come by the names of gates, not as {shown(settings)}"
        raise InputError(Problem("settings", what, f"pass a dictionary; {known}"))
    unknown = [Problem(str(name), "is not a gate", known) for name in settings if name not in gates]
    if unknown:
        raise InputError(unknown)


def pack(thresholds: np.ndarray) -> np.ndarray:
    """Return int32 thresholds as uint64 words, two to a word, the first in the low half."""
    return words.pack(thresholds, "<i4")


def pack_gate(gate: BundleGate, thresholds: np.ndarray) -> np.ndarray:
    """Return a gate's int32 thresholds ``(channels,)`` as the parameter words have them."""
    return pack(words.in_order(thresholds, gate.order))


def unpack(gate: BundleGate, params: np.ndarray) -> np.ndarray:
    """Return a gate's int32 thresholds ``(channels,)`` from the parameter words."""
    stored = params[gate.threshold_address :][: gate.threshold_words]
    kept = words.unpack(stored, "<i4", gate.channels).astype(np.int32)
    return words.by_channel(kept, gate.order)


def unpack_one(params: np.ndarray, address: int) -> int:
    """Return the int32 threshold that is in a word of the parameters, alone."""
    return int(words.unpack(params[address : address + 1], "<i4", 1)[0])


def _one(gate: BundleGate, setting: Any) -> np.ndarray:
    remedy = "pass one alpha as a number, or int32 thresholds"
    given = array(setting, f"{gate.name}: thresholds", remedy)
    if given.ndim == 0:
        return from_alpha(gate, setting)
    if given.dtype.kind not in "iu":
        what = f"thresholds of single channels are integers, not {given.dtype}"
        raise InputError(Problem(gate.name, what, remedy))
    if given.shape != (gate.channels,):
        raise _wrong_shape(gate, given, "thresholds")
    if np.any(given < INT32_MIN) or np.any(given > INT32_MAX):
        raise InputError(Problem(gate.name, "a threshold does not fit 32 bits", "pass int32"))
    return given.astype(np.int32)


def share(value: Any, where: str, what: str) -> float:
    """Return a number within [0, 1].

    Raises :class:`InputError` for anything else; it says ``where``, and ``what`` was wrong.
    """
    found = number(value)
    if not 0.0 <= found <= 1.0:
        raise InputError(
            Problem(
                where, f"{what} must be a number within [0, 1], not {shown(value)}", "0.5 is usual"
            )
        )
    return found


def _wrong_shape(gate: BundleGate, given: np.ndarray, what: str) -> InputError:
    return InputError(
        Problem(
            gate.name,
            f"takes {gate.channels} {what}, not an array of shape {given.shape}",
            "pass one for each channel",
        )
    )
