"""The picture of a measurement; only here matplotlib is needed."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Sequence

import numpy as np

from ..errors import PowerError, Problem
from .csvfile import resample
from .protocol import Point, Timeline
from .trace import Trace

#: More samples than that are drawn as means of bins.
DRAWN = 2000

LOAD, IDLE, TRACE, NET = "#d95f02", "#7f8c99", "#1f4e79", "#1b7f5c"


def require() -> Any:
    """Return the class of figures; raises :class:`PowerError` where matplotlib is missing."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        remedy = "install it, or do without --plot: the JSON has all figures"
        raise PowerError(Problem("matplotlib", f"cannot be imported: {error}", remedy)) from error
    return Figure


def require_format(path: Path) -> None:
    """Raise :class:`PowerError` unless matplotlib can write a picture of this name's suffix."""
    known = require()().canvas.get_supported_filetypes()
    if path.suffix[1:].lower() not in known:
        what = f"is no name of a picture: {path.suffix or 'it has no suffix'}"
        raise PowerError(Problem(str(path), what, "name a .png, .svg or .pdf"))


def draw(points: Sequence[Point], trace: Trace, timeline: Timeline) -> Any:
    """Return a figure: power over time with the loops marked, and the energy of every setting.

    Raises :class:`PowerError` where matplotlib is missing.
    """
    figure = require()(figsize=(10, 6.2))
    grid = figure.add_gridspec(2, 1, height_ratios=(1.15, 1), hspace=0.48)
    _power(figure.add_subplot(grid[0]), points, trace, timeline)
    _energy(figure.add_subplot(grid[1]), points)
    info = trace.info
    shunt = "" if info.shunt_ohm is None else f", shunt {1e3 * info.shunt_ohm:g} mΩ"
    title = f"{info.source}: {info.scope}{shunt}, {trace.rate_hz:.0f} samples a second"
    figure.suptitle(title, fontsize=10, y=0.975)
    if info.synthetic:
        figure.text(
            0.5, 0.5, "SYNTHETIC", fontsize=76, color="#c0392b", alpha=0.13, ha="center",
            va="center", rotation=18, weight="bold",
        )  # fmt: skip
    return figure


def save(path: Path, points: Sequence[Point], trace: Trace, timeline: Timeline) -> None:
    """Write the figure; raises :class:`PowerError` where that cannot be done."""
    figure = draw(points, trace, timeline)
    try:
        figure.savefig(str(path), dpi=130)
    except (OSError, ValueError) as error:
        raise PowerError(
            Problem(str(path), f"cannot be written: {error}", "name a .png, .svg or .pdf")
        ) from error


def _power(axes: Any, points: Sequence[Point], trace: Trace, timeline: Timeline) -> None:
    step = (trace.time[-1] - trace.time[0]) / DRAWN
    time, watts = resample(trace, step) if len(trace.time) > DRAWN else (trace.time, trace.watts)
    zero = trace.time[0]
    drawn = False
    for repeats in timeline.repeats:
        for repeat in repeats:
            label = None if drawn else "loops that are evaluated"
            axes.axvspan(
                repeat.load[0] - zero, repeat.load[1] - zero, color=LOAD, alpha=0.18, lw=0,
                label=label,
            )  # fmt: skip
            drawn = True
    axes.plot(time - zero, watts, color=TRACE, lw=0.7, label="power")
    axes.set_xlim(0, time[-1] - zero)
    axes.set_xlabel("seconds")
    axes.set_ylabel("watts")
    axes.legend(loc="upper left", fontsize=8, ncol=2, framealpha=0.9)
    low, high = float(np.min(watts)), float(np.max(watts))
    axes.set_ylim(low - 0.05 * (high - low), high + 0.28 * (high - low))
    _plain(axes)


def _energy(axes: Any, points: Sequence[Point]) -> None:
    places = np.arange(len(points))
    for shift, name, color in ((-0.2, "total", IDLE), (0.2, "net", NET)):
        found = [getattr(point.energy, name).scaled(1e3) for point in points]
        values = [estimate.value for estimate in found]
        label = "in total" if name == "total" else "above idle"
        bars = axes.bar(
            places + shift, values, 0.36, color=color, label=label,
            yerr=[estimate.half_width for estimate in found], capsize=4,
            error_kw={"lw": 1.2, "ecolor": "#222222"},
        )  # fmt: skip
        for bar, estimate in zip(bars, found):
            text = f"{estimate.value:.3g}" if estimate.resolved else "unresolved"
            top = max(0.0, estimate.high)
            axes.annotate(
                text, (bar.get_x() + bar.get_width() / 2, top), xytext=(0, 2),
                textcoords="offset points", ha="center", va="bottom", fontsize=8,
            )  # fmt: skip
    axes.set_xticks(places)
    axes.set_xticklabels([point.name for point in points])
    axes.set_ylabel("mJ an image")
    axes.axhline(0, color="#222222", lw=0.8)
    axes.margins(y=0.18)
    axes.legend(loc="upper right", fontsize=8, title="95 % intervals", title_fontsize=8)
    _plain(axes)


def _plain(axes: Any) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.grid(axis="y", color="#dddddd", lw=0.6)
    axes.set_axisbelow(True)
