"""Checks of plain arguments, so that a wrong one is refused in words before anything runs."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any, Iterable

import numpy as np

from .errors import InputError, Problem

#: Characters of a value that a message shows.
SHOWN = 80


def shown(value: Any) -> str:
    """Return a value as a message shows it: not a page of it, and never another error."""
    try:
        text = " ".join(repr(value).split())
    except Exception:
        # A whole number of thousands of digits, or a class whose author made a mistake.
        text = f"<{type(value).__name__}>"
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."


def path_of(value: Any, where: str) -> Path:
    """Return a path, with the home folder in the place of ``~``.

    Raises :class:`InputError` for anything that is none; it says ``where`` that was given.
    """
    try:
        text = os.fsdecode(value)
    except TypeError:
        what = f"must be a path, not {shown(value)}"
        raise InputError(Problem(where, what, "pass it as text, or as a Path")) from None
    if not text or "\0" in text:
        what = "is an empty path" if not text else f"is no path: {shown(text)}"
        raise InputError(Problem(where, what, "look where the path comes from"))
    try:
        return Path(text).expanduser()
    except RuntimeError:
        # No home folder is known.
        return Path(text)


def flag(value: Any, where: str) -> bool | None:
    """Return True, False or None; raises :class:`InputError` for anything else."""
    if value is None or isinstance(value, (bool, np.bool_)):
        return None if value is None else bool(value)
    what = f"must be True, False or None, not {shown(value)}"
    raise InputError(Problem(where, what, "leave it out for the usual way"))


def count(value: Any, where: str) -> int:
    """Return a whole number of at least 1; raises :class:`InputError` for anything else."""
    found = number(value)
    if not (math.isfinite(found) and found >= 1 and found == math.floor(found)):
        what = f"must be a whole number of at least 1, not {shown(value)}"
        raise InputError(Problem(where, what, "leave it out for all"))
    return int(found)


def array(values: Any, where: str, remedy: str) -> np.ndarray:
    """Return values as an array.

    Raises :class:`InputError` where they are none: parts of different shapes, or an object that
    refuses to be one, such as a tensor in the memory of a GPU; it quotes the reason.
    """
    try:
        if isinstance(values, (list, tuple)) and values:
            values = [np.asarray(value) for value in values]
            # numpy before 1.24 would make them an array of objects.
            if len({value.shape for value in values}) > 1:
                raise ValueError("they differ in shape")
        return np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as error:
        reason = str(error).split("\n")[0]
        raise InputError(Problem(where, f"are no array: {reason}", remedy)) from error


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
        what = f"must be a number of seconds above 0, not {shown(value)}"
        raise InputError(Problem("timeout", what, "pass float('inf') for no limit"))
    return found


def listed(values: Any) -> Any:
    """Return a generator, or another series that only a loop reads, as a list.

    Everything else is returned as it is.
    """
    known = hasattr(values, "__getitem__") or hasattr(values, "__array__")
    return list(values) if isinstance(values, Iterable) and not known else values
