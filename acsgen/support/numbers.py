"""Numbers as people read them."""

from __future__ import annotations

import math


def known(value: float) -> float | None:
    """Return a figure, or None for NaN, which stands for one that nothing is known of, such as an
    accuracy without labels: JSON has no NaN.
    """
    return None if math.isnan(value) else value


def percent(fraction: float | None) -> str:
    """Return a fraction in percent, or a dash where there is none (no labels, no gates)."""
    return "-" if fraction is None else f"{100 * fraction:.2f} %"


def share(part: float, whole: float) -> str:
    """Return ``part`` of ``whole`` in percent, or a dash when there is no whole."""
    return f"{100 * part / whole:.1f} %" if whole else "-"


def images(number: int) -> str:
    """Return a number of images in words, of one image too."""
    return f"{count(number)} image" if number == 1 else f"{count(number)} images"


def count(value: float) -> str:
    """Return a whole number with thousands separators."""
    return f"{round(value):,}"
