"""``report.html``: the report of a build as one page that needs no other file, and no script."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

from acsgen.engines.registry import SIMULATIONS
from acsgen.isa.generated import LANES, MASK_REGISTERS, WORD_BYTES
from acsgen.report import charts
from acsgen.report.clock import at_clock, clock_note
from acsgen.report.data import Report
from acsgen.report.file import read_report
from acsgen.report.hints import hints
from acsgen.report.pictures import data_uri
from acsgen.report.series import (
    ENGINES,
    LayerRow,
    describe_image,
    layer_rows,
    limits,
    saved,
    shown_images,
    simulated,
    skipped_layers,
)
from acsgen.support.assets import asset
from acsgen.support.fsutil import write_whole
from acsgen.support.numbers import count, images, percent, share
from acsgen.verify.builddir import BuildDirectory, open_build

PAGE_FILE = "report.html"


@dataclass(frozen=True)
class Headline:
    """A figure of the page's head: the figure, what it is, and a remark."""

    value: str
    label: str
    remark: str


@dataclass(frozen=True)
class Rung:
    """A rung of the ladder of verification.

    Attributes:
        compared: the two that are compared.
        outcome: in one word or two.
        images: how many, with their runs.
        values: values compared.
        differences: those that differ.
        good: whether it was climbed; None where it was not tried.
    """

    compared: str
    outcome: str
    images: str
    values: str
    differences: str
    good: bool | None


@dataclass(frozen=True)
class ResourceRow:
    """A resource of the part: what is taken, what there is, and how it is known."""

    label: str
    taken: float
    available: int
    source: str


@dataclass(frozen=True)
class CycleBars:
    """A layer's row in the table of cycles; lengths are shares of the longest bar.

    Attributes:
        row: the layer.
        bars: cycles by engine.
        lanes: least cycles by the lanes.
        memory: least cycles by memory.
        bound: the larger of the two.
        reached: its share of the cycles of the faster engine.
    """

    row: LayerRow
    bars: dict[str, float]
    lanes: float
    memory: float
    bound: str
    reached: float


@dataclass(frozen=True)
class ImageCard:
    """An image with its masks."""

    picture: str
    facts: list[str]
    masks: Markup


def write_page(build: Path, target: Path | None = None) -> None:
    """Write the page of a build directory, as ``report.html`` in it or as ``target``.

    Raises:
        UserError: the directory is no build, or it is damaged.
    """
    text = render_page(read_report(build), open_build(build))
    write_whole(target or build / PAGE_FILE, text.encode())


def render_page(report: Report, build: BuildDirectory) -> str:
    """Return the page of a report, with the images and masks of its build, as HTML."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(asset("templates", "report")),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "count": count,
        "percent": percent,
        "breaks": _breaks,
        "size": _size,
        "halves": lambda number: f"{number:,.1f}" if number % 1 else count(number),
    }
    return environment.get_template("report.html.j2").render(_content(report, build))


def _content(report: Report, build: BuildDirectory) -> dict[str, Any]:
    least, most = shown_images(report) if report.gates else ([], [])
    noise = {item.layer: item for item in report.noise}
    return {
        "report": report,
        "board": build.manifest.board,
        "program": build.program,
        "files": build.manifest.files,
        "style": Markup((asset("templates", "report", "report.css")).read_text(encoding="utf-8")),
        "lanes": report.engine.lane_groups * LANES,
        "word_bytes": WORD_BYTES,
        "mask_registers": MASK_REGISTERS,
        "engine_names": " and ".join(
            {"hls": "Vitis HLS C++", "rtl": "SystemVerilog"}[name] for name in report.engines
        ),
        "engines": simulated(report),
        "engine_titles": ENGINES,
        "saved": {name: saved(report, found) for name, found in simulated(report).items()},
        "images": images,
        "share": share,
        "headlines": [*_headlines(report)],
        "clock_note": clock_note(report),
        "hints": hints(report),
        "outputs": report.outputs[:-1],
        "skipped": skipped_layers(report),
        "strip": charts.strip,
        "least": [_card(report, build, index) for index in least],
        "most": [_card(report, build, index) for index in most],
        "histogram": charts.histogram(report),
        "savings": charts.savings(report),
        "roofline": charts.roofline(report),
        "limits": limits(report),
        "cycle_rows": _cycle_bars(report),
        "resources": [*_resources(report, build)],
        "memory_map": charts.memory_map(report),
        "rungs": [*_rungs(report)],
        "noise": noise,
        "more_macs": round(report.energy.counts["macs"] - report.macs.mean),
        "header_bytes": round(
            report.bytes.read + report.bytes.written - report.energy.counts["ddr_bytes"]
        ),
    }


def _headlines(report: Report) -> Iterator[Headline]:
    macs = report.macs
    if report.gates:
        yield Headline(
            share(macs.dense - macs.mean, macs.dense),
            "of the MACs skipped",
            f"mean of {images(report.accuracy.images)}, gating work counted",
        )
    for name, counted in simulated(report).items():
        by_macs, by_cycles = saved(report, counted)
        if report.gates:
            ratio = f": a ratio of {by_cycles / by_macs:.2f}" if by_macs > 0 < by_cycles else ""
            yield Headline(
                f"{100 * abs(by_cycles):.1f} %",
                f"{'of the cycles saved' if by_cycles >= 0 else 'more cycles'}, {ENGINES[name]}",
                f"{images(counted.images)}, of whose MACs {100 * by_macs:.1f} % are skipped{ratio}",
            )
    for name, counted in simulated(report).items():
        yield Headline(
            f"{counted.mean / report.clock_mhz / 1000:.3f} ms",
            f"an image, {ENGINES[name]}",
            f"{count(counted.mean)} cycles, {_known_by(name)}, {at_clock(report)}",
        )
    accuracy = report.accuracy
    narrow = f"; {report.narrow_weights}" if report.narrow_weights else ""
    if accuracy.int8 is not None:
        yield Headline(
            percent(accuracy.int8),
            "accuracy, int8",
            f"{percent(accuracy.floating)} in floats, {images(accuracy.images)}" + narrow,
        )
    else:
        yield Headline(
            percent(accuracy.prediction_agreement),
            "same prediction in floats and int8",
            f"{images(accuracy.images)}; without labels there is no accuracy" + narrow,
        )
    mismatches = sum(check.mismatches for check in report.bit_exact.values())
    values = sum(check.values for check in report.bit_exact.values())
    yield Headline(str(mismatches), "values that differ", f"of {count(values)} that were simulated")


def _known_by(engine: str) -> str:
    return {"hls": "counted at the claimed schedule", "rtl": "simulated"}[engine]


def _card(report: Report, build: BuildDirectory, index: int) -> ImageCard:
    golden = build.vectors.golden
    masks = [golden.masks[gate.name][index] for gate in build.program.gates]
    opened = sum(int(bits.sum()) for bits in masks)
    title = (
        f"Masks of image {index}: {opened} of {sum(len(bits) for bits in masks)} channels open, "
        f"a row for each of {len(masks)} gates"
    )
    return ImageCard(
        picture=data_uri(build.vectors.images[index]),
        facts=describe_image(report, index),
        masks=charts.mask_picture(masks, title),
    )


def _cycle_bars(report: Report) -> list[CycleBars]:
    rows, best = layer_rows(report), limits(report)
    bounds = [best.cycles(row.macs, row.bytes) for row in rows]
    longest = max(
        (value for row, bound in zip(rows, bounds, strict=True)
         for value in (*row.cycles.values(), *bound)),
        default=1.0,
    ) or 1.0  # fmt: skip
    return [
        CycleBars(
            row=row,
            bars={engine: cycles / longest for engine, cycles in row.cycles.items()},
            lanes=lanes / longest,
            memory=memory / longest,
            bound="lanes" if lanes >= memory else "memory",
            reached=max(lanes, memory) / (min(row.cycles.values(), default=0.0) or 1.0),
        )
        for row, (lanes, memory) in zip(rows, bounds, strict=True)
    ]


def _resources(report: Report, build: BuildDirectory) -> Iterator[ResourceRow]:
    has, estimate = build.manifest.board.resources, report.resources
    for label, name in (
        ("DSP slices", "dsp"),
        ("Block RAMs, 36 Kb", "bram36"),
        ("Look-up tables", "lut"),
        ("Flip-flops", "ff"),
    ):
        available = getattr(has, name)
        yield ResourceRow(label, getattr(estimate, name), available, estimate.source)
        for engine, made in report.bitstream.items():
            taken = getattr(made.resources, name)
            yield ResourceRow(f"{label}, {ENGINES[engine]}", taken, available, made.source)


def _rungs(report: Report) -> Iterator[Rung]:
    accuracy = report.accuracy
    same = round(accuracy.prediction_agreement * accuracy.images)
    bits = accuracy.gate_agreement
    gates = "" if bits is None else f"; {percent(bits)} of the gate bits"
    yield Rung(
        "float network and integer network",
        f"{percent(accuracy.prediction_agreement)} of the predictions{gates}",
        count(accuracy.images),
        count(accuracy.images),
        count(accuracy.images - same),
        accuracy.prediction_agreement >= 0.95,
    )
    for name, simulation in SIMULATIONS.items():
        compared = f"integer network and {simulation.title}"
        check = report.bit_exact.get(name)
        if check is None:
            yield Rung(compared, "not run", "", "", "", None)
            continue
        yield Rung(
            compared,
            "bit-exact" if not check.mismatches else "differs",
            f"{count(check.images)} × {check.runs_per_image}",
            count(check.values),
            count(check.mismatches),
            not check.mismatches,
        )
    for name in report.bit_exact.keys() - SIMULATIONS.keys():
        check = report.bit_exact[name]
        numbers = (count(check.images), count(check.values), count(check.mismatches))
        good = not check.mismatches
        yield Rung(
            f"integer network and {name}", "bit-exact" if good else "differs", *numbers, good
        )
    yield Rung("C simulation and co-simulation by Vitis HLS", "not run", "", "", "", None)
    yield Rung("integer network and the board", "not run", "", "", "", None)


def _breaks(name: str) -> Markup:
    """Return a layer's name that may be broken behind its dots and underscores."""
    # On the escaped text as a plain string: Markup would escape the tags as well.
    text = str(escape(name))
    return Markup(text.replace(".", ".<wbr>").replace("_", "_<wbr>"))


def _size(number: float) -> str:
    """Return bytes as people read them."""
    for unit in ("bytes", "KiB", "MiB"):
        if number < 1024 or unit == "MiB":
            return f"{number:,.0f} {unit}" if unit == "bytes" else f"{number:,.1f} {unit}"
        number /= 1024
    raise AssertionError
