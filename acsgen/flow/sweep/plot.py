"""The Pareto plot of a sweep: accuracy against what an image costs, as SVG and PNG."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from acsgen.flow.sweep.plan import SweepPlan
from acsgen.flow.sweep.table import Row
from acsgen.report.figures import STYLE
from acsgen.support.fsutil import write_whole
from acsgen.support.printing import name_as_text

PLOT_FILES = ("pareto.svg", "pareto.png")

_COLOURS = ("#2563a8", "#b3540c", "#2d7565", "#7a3e9d", "#8a6d00", "#555555")
_MARKS = ("o", "D", "s", "^", "v", "P", "X", "*")
_MAX_SERIES = len(_COLOURS) * 2
_INCHES = 3.6, 2.9

#: Points on the front that have their value beside them.
_MAX_LABELS = 12
_LABEL: Any = {"fontsize": 6, "color": "#333333"}

#: Labels of neighbours on the front stand on its two sides.
_SIDES: Any = (
    {"xytext": (-3, 3), "ha": "right", "va": "bottom"},
    {"xytext": (4, -3), "ha": "left", "va": "top"},
)


@dataclass(frozen=True)
class Panel:
    """One part of the plot.

    Attributes:
        column: of the cost.
        title: how the cost is known.
        axis: the cost, and its unit.
        scale: factor from the column to the unit.
    """

    column: str
    title: str
    axis: str
    scale: float = 1.0


PANELS = (
    Panel("predicted_ms", "latency, predicted by the cost model", "ms an image, clock assumed"),
    Panel(
        "simulated_hls_ms",
        "latency, simulated: HLS schedule in C simulation",
        "ms an image, clock assumed",
    ),
    Panel("simulated_rtl_ms", "latency, simulated: RTL", "ms an image, clock assumed"),
    Panel(
        "estimated_energy_of_predicted_counts",
        "energy, estimated on predicted counts",
        "millions of MAC energies an image",
        1e-6,
    ),
    Panel(
        "estimated_energy_of_simulated_counts",
        "energy, estimated on simulated counts",
        "millions of MAC energies an image",
        1e-6,
    ),
)


def can_plot() -> bool:
    """Whether matplotlib is installed."""
    return find_spec("matplotlib") is not None


def pareto(points: Sequence[tuple[float, float]]) -> list[int]:
    """Return the indices of the points that no other one is better than, cheapest first.

    Args:
        points: cost and accuracy; better is a lower cost and no less accuracy, or more accuracy and
            no higher cost.
    """
    order = sorted(range(len(points)), key=lambda i: (points[i][0], -points[i][1], i))
    front: list[int] = []
    best = float("-inf")
    for index in order:
        if points[index][1] > best:
            front.append(index)
            best = points[index][1]
    return front


def write_plot(folder: Path, plan: SweepPlan, rows: Sequence[Row]) -> list[str]:
    """Write the plot of the points that are done.

    Returns:
        The names of the files; none if no point has something to plot.

    Raises:
        UserError: a file cannot be written.
    """
    done = [row for row in rows if row.done]
    height = _height(done)
    panels = [p for p in PANELS if all(row.figure(p.column) is not None for row in done)]
    if not done or not panels:
        return []
    import matplotlib as mpl
    from matplotlib.figure import Figure

    across = 2
    down = -(-len(panels) // across)
    series = _series(plan, done)
    with mpl.rc_context(STYLE):
        size = (_INCHES[0] * across, _INCHES[1] * down + 0.8)
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.subplots(down, across, squeeze=False).flat
        for ax, panel in zip(axes, panels, strict=False):
            _draw(ax, panel, height, series, _along(plan))
        for ax in list(axes)[len(panels) :]:
            ax.axis("off")
        figure.suptitle(_title(plan, done), fontsize=9)
        handles, labels = figure.axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=2, fontsize=7)
        for name in PLOT_FILES:
            buffer = io.BytesIO()
            kind = name.rpartition(".")[2]
            metadata: dict[str, Any] = {"svg": {"Date": None}, "png": {"Software": None}}[kind]
            figure.savefig(buffer, format=kind, dpi=150, metadata=metadata)
            write_whole(folder / name, buffer.getvalue())
    return [*PLOT_FILES]


def _height(rows: Sequence[Row]) -> tuple[str, str]:
    """Return the column and the title of the upright axis: accuracy where it is known."""
    if all(row.figure("accuracy_int8") is not None for row in rows):
        return "accuracy_int8", "accuracy of the integer network, %"
    return "agreement", "same prediction as in floats, %"


def _title(plan: SweepPlan, rows: Sequence[Row]) -> str:
    images, simulated = rows[0].figure("accuracy_images"), rows[0].figure("simulated_images")
    points = len(plan.points)
    hidden = points - len(rows)
    left_out = f"; {hidden} of {points} points have no figures" if hidden else ""
    return (
        f"{name_as_text(plan.request.source.name)}\n{images} images for accuracy and "
        f"predictions, {simulated} of them simulated{left_out}"
    )


def _series(plan: SweepPlan, rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Part the rows by their settings but that which varies most, whose points a line joins."""
    along = _along(plan)
    found: dict[str, list[Row]] = {}
    for row in rows:
        rest = [f"{k} {v}" for k, v in row.point.values.items() if k != along and _varies(plan, k)]
        found.setdefault(", ".join(rest) or f"by {along}", []).append(row)
    if len(found) > _MAX_SERIES:
        return {f"{len(rows)} points": [*rows]}
    return found


def _along(plan: SweepPlan) -> str:
    """Return the axis with the most values."""
    return max(plan.space.axes, key=lambda axis: len(axis.values)).key


def _varies(plan: SweepPlan, key: str) -> bool:
    return any(axis.key == key and len(axis.values) > 1 for axis in plan.space.axes)


def _draw(
    ax: Any, panel: Panel, height: tuple[str, str], series: dict[str, list[Row]], along: str
) -> None:
    every = [row for rows in series.values() for row in rows]
    places = [
        (panel.scale * row.figure(panel.column), 100 * row.figure(height[0])) for row in every
    ]
    for index, (label, rows) in enumerate(series.items()):
        xs = [panel.scale * row.figure(panel.column) for row in rows]
        ys = [100 * row.figure(height[0]) for row in rows]
        colour, mark = _COLOURS[index % len(_COLOURS)], _MARKS[index % len(_MARKS)]
        ax.scatter(xs, ys, s=16, color=colour, marker=mark, label=label, linewidths=0, zorder=3)
    front = pareto(places)
    if len(front) <= _MAX_LABELS:
        for number, index in enumerate(front):
            text, side = every[index].point.values[along], _SIDES[number % len(_SIDES)]
            ax.annotate(text, places[index], textcoords="offset points", **_LABEL, **side)
    ax.plot(
        *zip(*(places[index] for index in front), strict=True),
        drawstyle="steps-post",
        color="#888888",
        linewidth=0.9,
        label=f"Pareto front: no point is cheaper and as accurate; labels: {along}",
        zorder=2,
    )
    ax.set_title(panel.title, fontsize=8, loc="left")
    ax.set_xlabel(panel.axis)
    ax.set_ylabel(height[1])
    ax.margins(y=0.1)
    ax.set_xlim(left=0)
    ax.grid(color="#dddddd", linewidth=0.5, zorder=0)
    ax.ticklabel_format(axis="y", useOffset=False)
