"""The charts of a report's page, as SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from acsgen.report.data import Report
from acsgen.report.series import (
    ENGINES,
    Limits,
    RoofPoint,
    histograms,
    limits,
    roof_points,
    simulated,
)
from acsgen.report.svg import Drawing, Scale, short
from acsgen.support.numbers import count, share

#: Units of a drawing's width: a phone's screen shows them about as large as they are.
WIDTH = 400
LEFT, RIGHT = 44, 388

#: Layers that are named in the roofline.
NAMED = 4

#: Letters of a name that fit a drawing beside its mark.
LONGEST_LABEL = 24

#: Width of a letter of a drawing's text.
LETTER = 5.6

#: Where a label may stand below its mark, the nearest place first.
LABEL_PLACES = tuple((dx, dy) for dy in range(26, 150, 14) for dx in (0, 30, -30, 60, -60))


def percent(value: float) -> str:
    """Return a share for an axis."""
    return f"{100 * value:.0f} %"


def histogram(report: Report) -> Markup | None:
    """Draw the cycles an image of every engine; None where all images take the same."""
    found = histograms(report)
    if not found:
        return None
    panel = 92
    drawing = Drawing(WIDTH, 34 + panel * len(found) + 34)
    low = min(min(item.edges[0], item.dense) for item in found)
    high = max(max(item.edges[-1], item.dense) for item in found)
    margin = (high - low) * 0.03
    x = Scale(max(0.0, low - margin), high + margin, LEFT, RIGHT)
    entries = [("rect", item.engine, f"{ENGINES[item.engine]}") for item in found]
    drawing.legend(LEFT + 12, 12, [*entries, ("line", "dense", "without gates")])
    bottom = 0.0
    for index, item in enumerate(found):
        top = 30 + panel * index
        bottom = top + panel - 14
        y = Scale(0, max(item.counts), bottom, top)
        for tick in y.ticks(3):
            drawing.line(LEFT, y(tick), RIGHT, y(tick), "grid")
            if tick == int(tick):
                drawing.text(LEFT - 6, y(tick) + 4, short(tick), "tick", "end")
        for left, right, number in zip(item.edges, item.edges[1:], item.counts, strict=False):
            if number:
                title = (
                    f"{ENGINES[item.engine]}: {number} images, {left:,.0f} to {right:,.0f} cycles"
                )
                width = max(1.5, x(right) - x(left) - 1)
                drawing.rect(
                    x(left) + 0.5, y(number), width, bottom - y(number), item.engine, title
                )
        drawing.line(x(item.dense), top - 4, x(item.dense), bottom, "dense")
        drawing.line(LEFT, bottom, RIGHT, bottom, "axis")
    drawing.text(2, 12, "images", "label")
    drawing.x_axis(x, bottom, "cycles an image", bottom)
    words = "; ".join(
        f"{ENGINES[item.engine]}: mean {count(item.mean)}, {count(item.dense)} without gates"
        for item in found
    )
    return drawing.markup(f"Histogram of cycles an image. {words}.")


def savings(report: Report) -> Markup | None:
    """Draw cycles against MACs, a mark for each image; None where no image skips."""
    engines = simulated(report)
    if not engines or len({image.macs for image in report.images}) < 2:
        return None
    drawing = Drawing(WIDTH, 288)
    points = [
        (engine, image.macs / report.macs.dense, cycles / counted.dense, index)
        for engine, counted in engines.items()
        for index, image in enumerate(report.images)
        if (cycles := getattr(image, f"cycles_{engine}")) is not None
    ]
    highest = max(1.0, *(max(macs, cycles) for _, macs, cycles, _ in points)) * 1.02
    x, y = Scale(0, highest, LEFT, RIGHT), Scale(0, highest, 244, 40)
    drawing.x_axis(x, 244, "MACs executed, of those without gates", 40, percent, 6)
    drawing.y_axis(y, LEFT, "cycles, of those without gates", RIGHT, percent, 6)
    drawing.line(x(0), y(0), x(highest), y(highest), "dense")
    for engine, macs, cycles, index in points:
        mark = drawing.dot if engine == "hls" else drawing.diamond
        title = f"{ENGINES[engine]}, image {index}: {percent(macs)} MACs, {percent(cycles)} cycles"
        mark(x(macs), y(cycles), 3.5, f"{engine} mark", title)
    shapes = {"hls": "dot", "rtl": "diamond"}
    entries = [(shapes[engine], f"{engine} mark", ENGINES[engine]) for engine in engines]
    drawing.legend(LEFT, 12, [*entries, ("line", "dense", "as many cycles saved as MACs")])
    return drawing.markup(
        "Cycles against multiply-accumulates, a mark for each image, both as shares of the network "
        "without gates; on the diagonal a skipped multiply-accumulate saves its whole time."
    )


def roofline(report: Report) -> Markup | None:
    """Draw the layers' MACs a cycle against their MACs a byte; None where none was simulated."""
    points = roof_points(report)
    if not points:
        return None
    best = limits(report)
    lowest = min(point.intensity for point in points)
    highest = max(*(point.intensity for point in points), best.macs / best.bytes)
    slowest = min(point.rate for point in points)
    x = Scale(
        10 ** np.floor(np.log10(lowest)), 10 ** np.ceil(np.log10(highest * 1.5)), LEFT, RIGHT, True
    )
    y = Scale(min(1.0, 10 ** np.floor(np.log10(slowest))), best.macs * 3, 264, 40, True)
    drawing = Drawing(WIDTH, 308)
    drawing.x_axis(x, 264, "MACs a byte of external memory", 40)
    drawing.y_axis(y, LEFT, "MACs a cycle", RIGHT)
    _roof(drawing, x, y, best)
    for point in points:
        mark = drawing.dot if point.engine == "hls" else drawing.diamond
        title = (
            f"{point.name}, {ENGINES[point.engine]}: {count(point.cycles)} cycles, "
            f"{point.rate:.1f} MACs a cycle, {point.intensity:.1f} MACs a byte"
        )
        kind = f"{point.engine} mark{' gate' if point.for_gates else ''}"
        radius = 2.5 + 4 * (point.cycles / points[-1].cycles) ** 0.5
        mark(x(point.intensity), y(point.rate), radius, kind, title)
    _name_slowest(drawing, x, y, points)
    shapes = {"hls": "dot", "rtl": "diamond"}
    entries = [(shapes[engine], f"{engine} mark", ENGINES[engine]) for engine in simulated(report)]
    gates = any(point.for_gates for point in points)
    faint = [("dot", f"{points[0].engine} mark gate", "of a gate")] if gates else []
    drawing.legend(LEFT, 12, [*entries, *faint, ("line", "roof", "limits")])
    slow = points[-1]
    return drawing.markup(
        f"Roofline: each layer's multiply-accumulates a cycle against its multiply-accumulates a "
        f"byte moved. The lanes allow {best.macs} a cycle, memory {best.bytes:g} bytes a cycle. "
        f"The layer with most cycles, {slow.name}, reaches {slow.rate:.0f} on "
        f"{ENGINES[slow.engine]}."
    )


def _power(value: float) -> float:
    """Return the largest power of ten that is not above a value."""
    return 10.0 ** math.floor(math.log10(value))


def _roof(drawing: Drawing, x: Scale, y: Scale, best: Limits) -> None:
    ridge = best.macs / best.bytes
    start = max(x.low, y.low / best.bytes)
    middle = min(max(ridge, start), x.high)
    drawing.line(x(start), y(start * best.bytes), x(middle), y(middle * best.bytes), "roof")
    if ridge < x.high:
        drawing.line(x(middle), y(best.macs), x(x.high), y(best.macs), "roof")
        drawing.text(RIGHT, y(best.macs) - 10, f"lanes: {best.macs} MACs a cycle", "tick", "end")
    words = f"memory: {best.bytes:g} bytes a cycle"
    if x(middle) - 10 - LETTER * len(words) > LEFT:
        drawing.text(x(middle) - 10, y(middle * best.bytes) + 4, words, "tick", "end")


def _name_slowest(drawing: Drawing, x: Scale, y: Scale, points: Sequence[RoofPoint]) -> None:
    """Name the layers with most cycles, each once, below the roof where there is room."""
    taken: list[tuple[float, ...]] = []
    for point in points:
        at_x, at_y = x(point.intensity), y(point.rate)
        taken.append((at_x - 5, at_y - 5, at_x + 5, at_y + 5))
    named: set[str] = set()
    for point in reversed(points):
        if point.name in named or len(named) == NAMED:
            continue
        named.add(point.name)
        cut = len(point.name) > LONGEST_LABEL
        label = f"…{point.name[-LONGEST_LABEL:]}" if cut else point.name
        half = LETTER * len(label) / 2
        at_x, at_y = x(point.intensity), y(point.rate)
        for dx, dy in LABEL_PLACES:
            middle, line = at_x + dx, at_y + dy
            box = (middle - half, line - 9, middle + half, line + 3)
            inside = box[0] > LEFT + 2 and box[2] < RIGHT and box[3] < y.start - 4
            if inside and not any(_meet(box, other) for other in taken):
                drawing.line(at_x, at_y, middle, line - 9, "leader")
                drawing.text(middle, line, label, "name", "middle")
                taken.append(box)
                break


def _meet(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def memory_map(report: Report) -> Markup | None:
    """Draw which part of the feature memory holds which result, from instruction to instruction."""
    places = [place for place in report.buffers if place.memory == "feature"]
    if not places:
        return None
    drawing = Drawing(WIDTH, 300)
    steps = max(place.last for place in places) + 1
    x = Scale(0, steps, LEFT, RIGHT)
    y = Scale(0, max(place.address + place.size for place in places), 256, 24)
    drawing.y_axis(y, LEFT, "block of the feature memory", RIGHT, count)
    drawing.x_axis(x, 256, "instruction", 24, count)
    for index, place in enumerate(places):
        left, right = x(place.first), x(place.last + 1)
        top, bottom = y(place.address + place.size), y(place.address)
        title = (
            f"{place.layer}: {place.size} blocks from {place.address}, "
            f"instructions {place.first} to {place.last}"
        )
        drawing.rect(left, top, right - left, bottom - top, f"place tone{index % 3}", title)
        if right - left > LETTER * len(place.layer) + 6 and bottom - top > 12:
            drawing.text((left + right) / 2, (top + bottom) / 2 + 4, place.layer, "name", "middle")
    used = report.memory.feature_blocks
    return drawing.markup(
        f"Map of the feature memory over the program: {len(places)} results in {used} blocks, the "
        f"most that are needed at once, {share(used, report.engine.feature_blocks)} of the memory."
    )


def mask_picture(masks: Sequence[NDArray[np.generic]], title: str) -> Markup:
    """Draw masks, a row for each gate: open channels are dark, closed ones pale.

    Args:
        masks: ``(channels,)`` of every gate; 0 or 1, or a share.
        title: says what it shows.
    """
    width, pitch = 160.0, min(9.0, max(2.5, 200 / len(masks)))
    gap = pitch * 0.18
    drawing = Drawing(width, pitch * len(masks))
    for row, bits in enumerate(masks):
        cell, top = width / len(bits), row * pitch
        drawing.rect(0, top, width, pitch - gap, "closed")
        start = None
        for channel, bit in enumerate([*bits.tolist(), 0]):
            if bit and start is None:
                start = channel
            elif not bit and start is not None:
                drawing.rect(cell * start, top, cell * (channel - start), pitch - gap, "open")
                start = None
        if cell > 1.2:
            for channel in range(1, len(bits)):
                drawing.line(cell * channel, top, cell * channel, top + pitch - gap, "cut")
    return drawing.markup(title, "masks")


def strip(shares: Sequence[float], title: str) -> Markup:
    """Draw how often channels are open, the most open first: the height of a bar is the share."""
    drawing = Drawing(160, 20)
    drawing.rect(0, 0, 160, 20, "closed")
    cell = 160 / len(shares)
    heights = sorted(shares, reverse=True)
    tops = "".join(
        f"V{20 - 20 * value:.2f}H{cell * (i + 1):.2f}" for i, value in enumerate(heights)
    )
    drawing.path(f"M0 20{tops}V20Z", "open")
    return drawing.markup(title, "strip", stretched=True)
