"""Small drawings in SVG, for the page of a report: scales, axes, and marks with titles.

Colours are classes, which the page's style sheet gives their light and their dark form.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape


def number(value: float) -> str:
    """Return a coordinate with as few digits as it needs."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


@dataclass(frozen=True)
class Scale:
    """From values to coordinates.

    Attributes:
        low, high: the values at the ends.
        start, end: their coordinates.
        log: whether equal ratios are equal lengths.
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """Return the coordinate of a value; one beyond an end is put there."""
        low, high = self._form(self.low), self._form(self.high)
        share = (self._form(value) - low) / ((high - low) or 1.0)
        return self.start + min(1.0, max(0.0, share)) * (self.end - self.start)

    def _form(self, value: float) -> float:
        return math.log10(max(value, 1e-12)) if self.log else value

    def ticks(self, most: int = 5) -> list[float]:
        """Return round values between the ends: powers of ten, or steps of 1, 2 or 5."""
        if self.log:
            first, last = math.ceil(math.log10(self.low)), math.floor(math.log10(self.high))
            stride = max(1, math.ceil((last - first + 1) / (most + 1)))
            return [10.0**power for power in range(first, last + 1, stride)]
        span = (self.high - self.low) or 1.0
        power = 10.0 ** math.floor(math.log10(span / most))
        step = next(power * n for n in (1, 2, 5, 10) if span / (power * n) <= most)
        lowest, highest = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [step * i for i in range(lowest, highest + 1)]


def short(value: float) -> str:
    """Return a value for an axis: 12 k, 3.5 M, 0.1."""
    for size, suffix in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if abs(value) >= size:
            return f"{value / size:g}{suffix}"
    return f"{value:g}"


class Drawing:
    """An SVG element in the making; sizes are in its own units, text is 11 of them high."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self._parts: list[str] = []

    def _add(self, element: str, attributes: dict[str, object], title: str = "") -> None:
        words = " ".join(
            f'{name.rstrip("_").replace("_", "-")}="'
            f'{escape(number(value) if isinstance(value, float) else value)}"'
            for name, value in attributes.items()
            if value not in (None, "")
        )
        inner = f"<title>{escape(title)}</title></{element}>" if title else ""
        self._parts.append(f"<{element} {words}{'>' + inner if title else '/>'}")

    def rect(
        self, x: float, y: float, width: float, height: float, kind: str, title: str = ""
    ) -> None:
        """Add a rectangle of a class."""
        size = {"width": float(max(width, 0)), "height": float(max(height, 0))}
        self._add("rect", {"class": kind, "x": float(x), "y": float(y), **size}, title)

    def line(self, x1: float, y1: float, x2: float, y2: float, kind: str) -> None:
        """Add a line of a class."""
        ends = {"x1": float(x1), "y1": float(y1), "x2": float(x2), "y2": float(y2)}
        self._add("line", {"class": kind, **ends})

    def path(self, commands: str, kind: str, title: str = "") -> None:
        """Add a path of a class."""
        self._add("path", {"class": kind, "d": commands}, title)

    def dot(self, x: float, y: float, radius: float, kind: str, title: str = "") -> None:
        """Add a circle of a class."""
        place = {"cx": float(x), "cy": float(y), "r": float(radius)}
        self._add("circle", {"class": kind, **place}, title)

    def diamond(self, x: float, y: float, radius: float, kind: str, title: str = "") -> None:
        """Add a square that stands on a corner."""
        r = radius * 1.25
        corners = ((x, y - r), (x + r, y), (x, y + r), (x - r, y))
        points = "L".join(f"{number(px)} {number(py)}" for px, py in corners)
        self.path(f"M{points}Z", kind, title)

    def text(self, x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> None:
        """Add words; ``anchor`` says which part of them is at ``x``."""
        self._parts.append(
            f'<text class="{escape(kind)}" x="{number(x)}" y="{number(y)}" '
            f'text-anchor="{anchor}">{escape(words)}</text>'
        )

    def x_axis(
        self,
        scale: Scale,
        y: float,
        label: str,
        top: float,
        format_: Callable[[float], str] = short,
        most: int = 5,
    ) -> None:
        """Add a horizontal axis at ``y`` with its label below, and grid lines up to ``top``."""
        self.line(scale.start, y, scale.end, y, "axis")
        for tick in scale.ticks(most):
            self.line(scale(tick), top, scale(tick), y, "grid")
            self.text(scale(tick), y + 14, format_(tick), "tick", "middle")
        self.text((scale.start + scale.end) / 2, y + 30, label, "label", "middle")

    def y_axis(
        self,
        scale: Scale,
        x: float,
        label: str,
        right: float,
        format_: Callable[[float], str] = short,
        most: int = 5,
    ) -> None:
        """Add a vertical axis at ``x``; its label stands above it, so that it reads level."""
        self.line(x, scale.start, x, scale.end, "axis")
        for tick in scale.ticks(most):
            self.line(x, scale(tick), right, scale(tick), "grid")
            self.text(x - 6, scale(tick) + 4, format_(tick), "tick", "end")
        self.text(2, scale.end - 10, label, "label")

    def legend(self, x: float, y: float, entries: Sequence[tuple[str, str, str]]) -> None:
        """Add entries in a row: a shape (``dot``, ``diamond``, ``rect``), its class, its words."""
        for shape, kind, words in entries:
            if shape == "dot":
                self.dot(x + 5, y - 4, 4, kind)
            elif shape == "diamond":
                self.diamond(x + 5, y - 4, 4, kind)
            elif shape == "line":
                self.line(x, y - 4, x + 10, y - 4, kind)
            else:
                self.rect(x, y - 9, 10, 10, kind)
            self.text(x + 15, y, words, "tick")
            x += 15 + 6.2 * len(words) + 12

    def markup(self, title: str, kind: str = "chart", *, stretched: bool = False) -> Markup:
        """Return the element; ``title`` says in words what it shows, for those who do not see."""
        ratio = 'preserveAspectRatio="none" ' if stretched else ""
        return Markup(
            f'<svg class="{escape(kind)}" role="img" aria-label="{escape(title)}" {ratio}'
            f'viewBox="0 0 {number(self.width)} {number(self.height)}" '
            f'xmlns="http://www.w3.org/2000/svg">{"".join(self._parts)}</svg>'
        )
