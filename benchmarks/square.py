"""The frame of a square plot in SVG: a grid in percent, the diagonal and the names of the axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

#: Side of the square, and its place.
SIDE, LEFT, TOP = 360.0, 64.0, 24.0


@dataclass(frozen=True)
class Square:
    """Shares from ``low`` to ``high``, in tenths, on both axes.

    Attributes:
        low: at the left and below.
        high: at the right and above.
        width: of the picture, in pixels; what is right of the square is free.
    """

    low: float
    high: float
    width: int = 460

    def x(self, value: float) -> float:
        """The place of a share on the axis to the right."""
        return round(LEFT + SIDE * (value - self.low) / (self.high - self.low), 1)

    def y(self, value: float) -> float:
        """The place of a share on the axis upwards."""
        return round(TOP + SIDE * (self.high - value) / (self.high - self.low), 1)

    def frame(self, label: str) -> list[str]:
        """The beginning of the picture, the grid and the diagonal.

        Args:
            label: what the picture shows, for those who do not see it.
        """
        low, high, x, y = self.low, self.high, self.x, self.y
        lines = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} 450" '
            f'width="{self.width}" height="450" '
            'font-family="system-ui, sans-serif" font-size="13" role="img" '
            f'aria-label="{label}">',
            f'<rect width="{self.width}" height="450" fill="#ffffff"/>',
        ]
        for tick in range(round(10 * low), round(10 * high) + 1):
            value = tick / 10
            lines += [
                f'<path d="M{x(value)} {y(low)}V{y(high)}M{x(low)} {y(value)}H{x(high)}" '
                'stroke="#e5e7eb"/>',
                f'<text x="{x(value)}" y="{y(low) + 18}" text-anchor="middle" fill="#374151">'
                f"{10 * tick}</text>",
                f'<text x="{x(low) - 8}" y="{y(value) + 4}" text-anchor="end" fill="#374151">'
                f"{10 * tick}</text>",
            ]
        lines.append(
            f'<path d="M{x(low)} {y(low)}L{x(high)} {y(high)}" stroke="#6b7280" '
            'stroke-dasharray="5 4"/>'
        )
        return lines

    def axes(self, right: str, upwards: str) -> Sequence[str]:
        """The names of the axes, and the end of the picture."""
        middle = LEFT + SIDE / 2
        return (
            f'<text x="{middle}" y="{TOP + SIDE + 42}" text-anchor="middle" fill="#111827">'
            f"{right}</text>",
            f'<text transform="translate(20 {TOP + SIDE / 2}) rotate(-90)" text-anchor="middle" '
            f'fill="#111827">{upwards}</text>',
            "</svg>",
        )
