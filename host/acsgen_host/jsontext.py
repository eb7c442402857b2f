"""Reads JSON from files that may be damaged or hostile; takes the noise out of what is written."""

from __future__ import annotations

import json
import math
from typing import Any

#: No number of a file of ours has more bits.
BITS = 64

#: Significant digits that files keep of a figure: a mean of counts has no more; sums add noise.
DIGITS = 12


def load_json(text: str | bytes) -> Any:
    """Return the content of a JSON text; raises ValueError where it is none.

    Other than the standard library's reader it refuses NaN and infinity, which JSON does not have,
    whole numbers of more than 64 bits, halves of characters, and nesting too deep to read, with the
    same kind of error.
    """
    try:
        found = json.loads(text, parse_constant=_refuse, parse_float=_finite, parse_int=_whole)
        # Half a character, which no file and no screen takes: only an escape can bring it in.
        escaped = text if isinstance(text, bytes) else text.encode("utf-8")
        if b"\\ud" in escaped.lower():
            json.dumps(found, ensure_ascii=False).encode("utf-8")
        return found
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def without_noise(value: Any) -> Any:
    """Return plain values without the noise of floating-point sums: 4280 for 4279.999999999986."""
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    if isinstance(value, dict):
        return {key: without_noise(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(without_noise(item) for item in value)
    return value


def _refuse(word: str) -> None:
    raise ValueError(f"it has the number {word}")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"it has a number that is too large: {text[:40]}")
    return value


def _whole(text: str) -> int:
    value = int(text) if len(text) < BITS else 1 << BITS
    if value.bit_length() > BITS:
        raise ValueError(f"it has a number that is too large: {text[:40]}")
    return value
