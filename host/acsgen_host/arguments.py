"""Checks of plain arguments, so that a wrong one is refused in words before anything runs."""

from __future__ import annotations

import math
from typing import Any, Iterable

import numpy as np

from .errors import InputError, Problem


def number(value: Any) -> float:
    """Return a number as a float, and not-a-number for anything else.

    A text or a boolean is no number, even where Python could convert it: a figure that comes out
    of a configuration file as text is more likely a mistake.
    """
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    kinds = (int, float, np.integer, np.floating)
    if not isinstance(value, kinds) or isinstance(value, bool):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.nan


def seconds(value: Any) -> float:
    """Return a timeout in seconds; infinity is one.  Raises :class:`InputError` for no timeout."""
    found = number(value)
    if not found > 0:
        what = f"must be a number of seconds above 0, not {value!r}"
        raise InputError(Problem("timeout", what, "pass float('inf') for no limit"))
    return found


def listed(values: Any) -> Any:
    """Return a generator or another one-way series as a list, and everything else as it is."""
    known = isinstance(values, (str, bytes)) or hasattr(values, "__len__")
    if known or hasattr(values, "__array__") or not isinstance(values, Iterable):
        return values
    return list(values)
