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
from benchmarks.square import LEFT, TOP, Square

TARGET = Path(__file__).resolve().parent.parent / "docs" / "cycles-against-macs.svg"
BOARD = "zedboard, 256 lanes"
COLOURS = {"resnet8": "#c2410c", "resnet38": "#1d4ed8"}


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
    square = Square(0.0, 0.9)
    lines = square.frame("Cycles saved against MACs saved, in RTL simulation")
    for index, (network, items) in enumerate(points().items()):
        colour = COLOURS[network]
        for macs, cycles, masks in items:
            # The masks that the network's own gates close are filled, drawn masks are rings.
            fill = colour if masks == "own" else "#ffffff"
            lines.append(
                f'<circle cx="{square.x(macs)}" cy="{square.y(cycles)}" r="5" fill="{fill}" '
                f'stroke="{colour}" stroke-width="2"><title>{network}, {masks}: '
                f"{100 * macs:.1f} % of MACs, {100 * cycles:.1f} % of cycles</title></circle>"
            )
        at = TOP + 22 + 20 * index
        lines += [
            f'<circle cx="{LEFT + 18}" cy="{at}" r="5" fill="{colour}"/>',
            f'<text x="{LEFT + 30}" y="{at + 4}" fill="#111827">{network}</text>',
        ]
    lines += [
        f'<text x="{LEFT + 13}" y="{TOP + at}" fill="#374151">{text}</text>'
        for at, text in ((66, "filled: masks of its gates"), (84, "rings: masks drawn at random"))
    ]
    lines += square.axes(
        "MACs saved, % of the network without gates", "cycles saved, % (RTL simulation)"
    )
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
