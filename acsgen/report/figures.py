"""The figures of a report as PDF and SVG by matplotlib, for papers."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from acsgen.report.data import Report
from acsgen.report.series import (
    ENGINES,
    describe_image,
    histograms,
    layer_rows,
    limits,
    roof_points,
    shown_images,
    simulated,
    skipped_layers,
)
from acsgen.support.errors import Problem, UserError
from acsgen.support.fsutil import write_whole
from acsgen.verify.builddir import BuildDirectory

FORMATS = ("pdf", "svg")

#: Inches: a column of a page with two, and the whole of it.
COLUMN, PAGE = 3.4, 7.0

#: Colours that print in grey too; the engines also differ by the form of their marks.
COLOURS = {"hls": "#2563a8", "rtl": "#b3540c"}
MARKS = {"hls": "o", "rtl": "D"}
PLACES = ("#bcd3ec", "#d9cdea", "#c7e2d3")
SKIPPED = "#2d7565"

STYLE: Any = {
    "font.size": 8,
    "font.family": "serif",
    "text.parse_math": False,  # names of layers and files may have dollars
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "legend.frameon": False,
    "pdf.fonttype": 42,  # text stays text
    "svg.fonttype": "none",
    "svg.hashsalt": "acsgen",  # the same figure is the same file
}

#: A figure's name, and its inches.
Draw = Callable[[Any, Report, BuildDirectory], None]


def check_matplotlib() -> None:
    """Refuse to draw without matplotlib.

    Raises:
        UserError: it is not installed.
    """
    if find_spec("matplotlib") is None:
        raise UserError(
            Problem(
                "--figures",
                "matplotlib is not installed",
                "pip install 'acsgen[figures]', or take the charts of report.html",
            )
        )


def write_figures(folder: Path, report: Report, build: BuildDirectory) -> list[str]:
    """Write every figure that the report has data for, in each of :data:`FORMATS`.

    Returns:
        The names of the files.

    Raises:
        UserError: a file cannot be written.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    names = []
    with mpl.rc_context(STYLE):
        for name, draw, width, height in _figures(report):
            figure = Figure(figsize=(width, height), layout="constrained")
            draw(figure, report, build)
            for suffix in FORMATS:
                buffer = io.BytesIO()
                date = {"pdf": "CreationDate", "svg": "Date"}[suffix]
                figure.savefig(buffer, format=suffix, metadata={date: None})
                write_whole(folder / f"{name}.{suffix}", buffer.getvalue())
                names.append(f"{name}.{suffix}")
    return names


def _figures(report: Report) -> Iterator[tuple[str, Draw, float, float]]:
    """Yield name, function, width and height of the figures that have something to show."""
    if skipped_layers(report):
        rows = len(skipped_layers(report))
        yield "skipping-by-layer", _skipping, COLUMN, 0.7 + 0.14 * rows
    if report.gates:
        yield "masks-by-image", _masks, PAGE, 2.6
    if histograms(report):
        yield "cycles-histogram", _histogram, COLUMN, 0.7 + 0.95 * len(simulated(report))
    if simulated(report) and len({image.macs for image in report.images}) > 1:
        yield "cycles-against-macs", _savings, COLUMN, 2.6
    if roof_points(report):
        yield "roofline", _roofline, COLUMN, 2.6
    if simulated(report):
        rows = len(layer_rows(report))
        yield "cycles-by-layer", _cycles, PAGE, 0.8 + 0.16 * rows
    yield "resources", _resources, COLUMN, 1.5
    if any(place.memory == "feature" for place in report.buffers):
        yield "memory-map", _memory, COLUMN, 2.6


def _skipping(figure: Any, report: Report, build: BuildDirectory) -> None:
    rows = skipped_layers(report)
    axes = figure.subplots()
    axes.barh([row.name for row in rows], [100 * row.skipped for row in rows], color=SKIPPED)
    axes.invert_yaxis()
    axes.set(xlabel="MACs skipped, %", xlim=(0, 100))
    axes.tick_params(axis="y", length=0)


def _masks(figure: Any, report: Report, build: BuildDirectory) -> None:
    least, most = shown_images(report)
    shown = [*least, *most]
    gates = build.program.gates
    widest = max(gate.channels for gate in gates)
    grid = figure.subplots(2, len(shown), squeeze=False, height_ratios=(1, 1))
    for column, index in enumerate(shown):
        image = build.vectors.images[index]
        pixels = image.transpose(1, 2, 0) if len(image) == 3 else image[0]
        picture, masks = grid[0][column], grid[1][column]
        picture.imshow(pixels, cmap="gray", interpolation="nearest")
        picture.set_title("\n".join(describe_image(report, index)[1:4]), fontsize=6)
        # Every gate is as wide as the widest, whatever its channels.
        bits = np.array(
            [
                build.vectors.golden.masks[gate.name][index][
                    np.arange(widest) * gate.channels // widest
                ]
                for gate in gates
            ]
        )
        masks.imshow(bits, cmap="Greys", vmin=0, vmax=1.2, aspect="auto", interpolation="nearest")
        for axes in (picture, masks):
            axes.set(xticks=[], yticks=[])
    grid[1][0].set_ylabel("gates")


def _histogram(figure: Any, report: Report, build: BuildDirectory) -> None:
    found = histograms(report)
    panels = figure.subplots(len(found), sharex=True, squeeze=False)[:, 0]
    for axes, item in zip(panels, found, strict=True):
        axes.stairs(item.counts, item.edges, fill=True, color=COLOURS[item.engine])
        axes.axvline(item.dense, color="black", linestyle="--", linewidth=0.8)
        axes.set(ylabel=f"images, {ENGINES[item.engine]}")
    panels[-1].set(xlabel="cycles an image (broken line: without gates)")


def _savings(figure: Any, report: Report, build: BuildDirectory) -> None:
    axes = figure.subplots()
    axes.plot([0, 100], [0, 100], color="black", linestyle="--", linewidth=0.8)
    for engine, counted in simulated(report).items():
        pairs = [
            (100 * image.macs / report.macs.dense, 100 * cycles / counted.dense)
            for image in report.images
            if (cycles := getattr(image, f"cycles_{engine}")) is not None
        ]
        _scatter(axes, engine, pairs, 10)
    axes.set(xlabel="MACs, % of those without gates", ylabel="cycles, % of those without gates")
    axes.set(xlim=(0, None), ylim=(0, None))
    axes.legend(loc="upper left")


def _scatter(axes: Any, engine: str, pairs: list[tuple[float, float]], size: Any) -> None:
    x, y = zip(*pairs, strict=True) if pairs else ((), ())
    axes.scatter(
        x, y, size, COLOURS[engine], MARKS[engine], alpha=0.6, linewidths=0, label=ENGINES[engine]
    )


def _roofline(figure: Any, report: Report, build: BuildDirectory) -> None:
    axes = figure.subplots()
    points, best = roof_points(report), limits(report)
    most = points[-1].cycles
    for engine in simulated(report):
        own = [point for point in points if point.engine == engine]
        sizes = [6 + 40 * point.cycles / most for point in own]
        _scatter(axes, engine, [(point.intensity, point.rate) for point in own], sizes)
    low = min(point.intensity for point in points) / 2
    high = 2 * max(*(point.intensity for point in points), best.macs / best.bytes)
    x = np.geomspace(low, high, 200)
    axes.plot(x, np.minimum(best.macs, best.bytes * x), color="black", linewidth=0.9)
    axes.set(xscale="log", yscale="log", xlabel="MACs a byte of external memory")
    axes.set(ylabel="MACs a cycle")
    axes.legend(loc="lower right")


def _cycles(figure: Any, report: Report, build: BuildDirectory) -> None:
    axes = figure.subplots()
    rows, best, engines = layer_rows(report), limits(report), [*simulated(report)]
    height = 0.8 / len(engines)
    places = np.arange(len(rows))
    for number, engine in enumerate(engines):
        values = [row.cycles.get(engine, 0.0) for row in rows]
        shifted = places + height * (number + 0.5) - 0.4
        axes.barh(shifted, values, height, color=COLOURS[engine], label=ENGINES[engine])
    bounds = np.array([best.cycles(row.macs, row.bytes) for row in rows])
    for column, line, words in ((0, "-", "least by lanes"), (1, ":", "least by memory")):
        axes.vlines(
            bounds[:, column], places - 0.45, places + 0.45, "black", line, words, linewidth=1.1
        )
    axes.set_yticks(places, [row.label for row in rows])
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    axes.set(xlabel="cycles an image", xlim=(0, None))
    axes.legend(loc="lower right")


def _resources(figure: Any, report: Report, build: BuildDirectory) -> None:
    axes = figure.subplots()
    has, taken = build.manifest.board.resources, report.resources
    names = ("dsp", "bram36", "lut", "ff")
    values = [100 * getattr(taken, name) / getattr(has, name) for name in names]
    bars = axes.barh([name.upper() for name in names], values, color=SKIPPED)
    # On white, so that the line of 100 % does not cross the label of a bar that ends before it.
    on_white = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
    axes.bar_label(bars, [f"{value:.1f} %" for value in values], padding=2, bbox=on_white)
    axes.axvline(100, color="grey", linewidth=0.6, zorder=0)
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    axes.set(xlabel=f"share of {build.manifest.board.part}, % ({taken.source})")
    axes.set(xlim=(0, max(115, *values)))


def _memory(figure: Any, report: Report, build: BuildDirectory) -> None:
    axes = figure.subplots()
    places = [place for place in report.buffers if place.memory == "feature"]
    steps = max(place.last for place in places) + 1
    blocks = max(place.address + place.size for place in places)
    for number, place in enumerate(places):
        axes.broken_barh(
            [(place.first, place.last + 1 - place.first)],
            (place.address, place.size),
            facecolor=PLACES[number % len(PLACES)],
            edgecolor="white",
            linewidth=0.4,
        )
        # A label where it fits: points of the page against letters of 6 points.
        wide = (place.last + 1 - place.first) / steps * COLUMN * 60 > 3.5 * len(place.layer)
        if wide and place.size / blocks * 130 > 8:
            middle = ((place.first + place.last + 1) / 2, place.address + place.size / 2)
            axes.text(*middle, place.layer, fontsize=6, ha="center", va="center")
    axes.set(xlabel="instruction", ylabel="block of the feature memory", xlim=(0, None))
    axes.set(ylim=(0, None))
