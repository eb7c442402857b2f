"""Draws cycles saved against MACs saved, from the recorded runs of ``acsgen bench``.

``python -m benchmarks.plot`` writes ``docs/cycles-against-macs.svg`` from ``benchmarks/rtl.json``:
each point is a network and a set of masks, run on the SystemVerilog engine in simulation.  On the
diagonal every MAC that is saved saves its cycles.
"""

from __future__ import annotations

import sys
from pathlib import Path

from acsgen.flow.baseline import load_baseline
from acsgen.support.assets import asset

TARGET = Path(__file__).resolve().parent.parent / "docs" / "cycles-against-macs.svg"
BOARD = "zedboard, 256 lanes"
COLOURS = {"resnet8": "#c2410c", "resnet38": "#1d4ed8"}

#: Side of the square plot, and its place.
_SIDE, _LEFT, _TOP = 360.0, 64.0, 24.0


def points(board: str = BOARD) -> dict[str, list[tuple[float, float, str]]]:
    """Return for each network the shares of MACs and of cycles saved, and the name of the case."""
    recorded = load_baseline(asset("benchmarks", "rtl.json"), "acsgen bench", "cases")
    cases = recorded[board]["cases"]
    found: dict[str, list[tuple[float, float, str]]] = {}
    for name, case in cases.items():
        network, _, masks = name.partition("/")
        dense = cases[f"{network}/dense"]
        saved = [1 - case[figure] / dense[figure] for figure in ("macs", "cycles")]
        # With all gates open nothing is saved, and the gates' own work is spent.
        if masks not in ("dense", "open"):
            found.setdefault(network, []).append((saved[0], saved[1], masks))
    return {network: sorted(items) for network, items in found.items()}


def svg() -> str:
    """Return the plot."""
    low, high = 0.0, 0.9

    def x(value: float) -> float:
        return round(_LEFT + _SIDE * (value - low) / (high - low), 1)

    def y(value: float) -> float:
        return round(_TOP + _SIDE * (high - value) / (high - low), 1)

    lines = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 460 450" width="460" height="450" '
        'font-family="system-ui, sans-serif" font-size="13" role="img" '
        'aria-label="Cycles saved against MACs saved, in RTL simulation">',
        '<rect width="460" height="450" fill="#ffffff"/>',
    ]
    for tick in range(0, 10, 1):
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
    for index, (network, items) in enumerate(points().items()):
        colour = COLOURS[network]
        for macs, cycles, masks in items:
            # The masks that the network's own gates close are filled, drawn masks are rings.
            fill = colour if masks == "own" else "#ffffff"
            lines.append(
                f'<circle cx="{x(macs)}" cy="{y(cycles)}" r="5" fill="{fill}" stroke="{colour}" '
                f'stroke-width="2"><title>{network}, {masks}: {100 * macs:.1f} % of MACs, '
                f"{100 * cycles:.1f} % of cycles</title></circle>"
            )
        at = _TOP + 22 + 20 * index
        lines += [
            f'<circle cx="{_LEFT + 18}" cy="{at}" r="5" fill="{colour}"/>',
            f'<text x="{_LEFT + 30}" y="{at + 4}" fill="#111827">{network}</text>',
        ]
    lines += [
        f'<text x="{_LEFT + 13}" y="{_TOP + at}" fill="#374151">{text}</text>'
        for at, text in ((66, "filled: masks of its gates"), (84, "rings: masks drawn at random"))
    ]
    middle = _LEFT + _SIDE / 2
    lines += [
        f'<text x="{middle}" y="{_TOP + _SIDE + 42}" text-anchor="middle" fill="#111827">'
        "MACs saved, % of the network without gates</text>",
        f'<text transform="translate(20 {_TOP + _SIDE / 2}) rotate(-90)" text-anchor="middle" '
        'fill="#111827">cycles saved, % (RTL simulation)</text>',
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write the plot."""
    TARGET.write_text(svg(), encoding="utf-8")
    for network, items in points().items():
        for macs, cycles, masks in items:
            print(f"{network} {masks}: {cycles / macs:.3f} cycles saved / MACs saved")
    return 0


if __name__ == "__main__":
    sys.exit(main())
