"""The report of a build as the rows of a table."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from acsgen.engines.registry import SIMULATIONS
from acsgen.program.board import Board
from acsgen.report.clock import at_clock, clock_note
from acsgen.report.data import Accuracy, BitstreamFigures, CountedCycles, Report
from acsgen.support.numbers import count, images, percent, share


class Row(NamedTuple):
    """One figure: its label, the figure itself, and a remark on the whole or the source."""

    label: str
    value: str
    remark: str


def summary_rows(report: Report, board: Board) -> list[Row]:
    """Return the figures of the closing table: savings, costs, accuracy, and bit-exactness."""
    macs, moved, accuracy = report.macs, report.bytes, report.accuracy

    def milliseconds(number: float) -> str:
        return f"{number / report.clock_mhz / 1000:.3f} ms {at_clock(report)}"

    narrow = f"; {report.narrow_weights}" if report.narrow_weights else ""
    rows = [
        Row("MACs an image", count(macs.mean), f"{count(macs.gates)} of them in gates"),
        Row(
            "MACs skipped",
            share(macs.dense - macs.mean, macs.dense),
            f"of {count(macs.dense)} without gates",
        ),
        *_cycle_rows(report, "HLS", report.cycles.hls, milliseconds),
        *_cycle_rows(report, "RTL", report.cycles.rtl, milliseconds),
        Row("clock", f"{report.clock_mhz:g} MHz", clock_note(report)),
        Row(
            "bytes moved an image",
            count(moved.read + moved.written),
            f"{count(moved.read)} read, {count(moved.written)} written",
        ),
        *_lane_rows(report),
        *_resource_rows(report, board),
    ]
    for engine, made in report.bitstream.items():
        rows += bitstream_rows(engine.upper(), made, report, board)
    if report.masks is not None:
        rows.append(
            Row(
                "masks",
                f"{percent(report.masks.mean_open)} open",
                f"{percent(report.masks.input_dependent)} of the gate bits depend on the image",
            )
        )
    rows.append(
        Row(
            "same prediction",
            percent(accuracy.prediction_agreement),
            f"float and int8, {images(accuracy.images)}" + _gates_too(accuracy) + narrow,
        )
    )
    if accuracy.floating is not None:
        rows.append(
            Row(
                "accuracy float / int8",
                f"{percent(accuracy.floating)} / {percent(accuracy.int8)}",
                images(accuracy.images) + narrow,
            )
        )
    # The last one is the answer, whose figures the row above has.
    rows += [
        Row(
            f"accuracy of {output.layer}",
            f"{percent(output.floating)} / {percent(output.int8)}",
            f"predictions agree at {percent(output.prediction_agreement)}",
        )
        for output in report.outputs[:-1]
    ]
    rows += [
        Row(
            f"bit-exact, {SIMULATIONS[name].label if name in SIMULATIONS else name}",
            images(check.images),
            f"{check.mismatches} mismatches in {count(check.values)} values",
        )
        for name, check in report.bit_exact.items()
    ]
    return rows


def bitstream_rows(engine: str, made: BitstreamFigures, report: Report, board: Board) -> list[Row]:
    """Return what the tools measured of a bitstream, beside what the build had estimated."""
    has, took, estimate = board.resources, made.resources, report.resources
    rows = [
        Row(f"bitstream, {engine}", made.stem.rsplit("-", 1)[-1], f"{made.stem}.bit and .hwh"),
        Row(
            f"slack, {engine}",
            f"{made.wns_ns:+.3f} ns",
            f"at {made.clock_mhz:.1f} MHz, {made.source}; hold {made.whs_ns:+.3f} ns",
        ),
    ]
    for label, taken, available, guess in (
        ("DSP", took.dsp, has.dsp, estimate.dsp),
        ("BRAM36", took.bram36, has.bram36, estimate.bram36),
        ("LUT", took.lut, has.lut, estimate.lut),
        ("FF", took.ff, has.ff, estimate.ff),
    ):
        shown = f"{taken:,.1f}" if taken % 1 else count(taken)
        of = f"{share(taken, available)} of {count(available)}"
        rows.append(
            Row(f"{label}, {engine}", shown, f"{of}, {made.source}; estimate {count(guess)}")
        )
    if made.synthesis is not None:
        found = made.synthesis
        broken = len(found.broken)
        rows.append(
            Row(
                f"claims, {engine}",
                f"{found.claims - broken} of {found.claims}",
                f"hold in the report of Vitis HLS {found.vitis_hls}"
                + (f"; not: {'; '.join(found.broken[:3])}" if broken else ""),
            )
        )
    return rows


def _gates_too(accuracy: Accuracy) -> str:
    """Return the agreement of gates as the end of a remark; empty without gates."""
    agreement = accuracy.gate_agreement
    return "" if agreement is None else f"; gates agree at {percent(agreement)}"


def _cycle_rows(
    report: Report,
    engine: str,
    found: CountedCycles | None,
    milliseconds: Callable[[float], str],
) -> list[Row]:
    """Return the cycles that a simulation of an engine counted, where it was simulated."""
    if found is None:
        return []
    macs = share(report.macs.dense - found.macs, report.macs.dense)
    return [
        Row(
            f"cycles an image, {engine}",
            count(found.mean),
            f"{found.source}, {images(found.images)}: {milliseconds(found.mean)}",
        ),
        Row(
            f"cycles saved, {engine}",
            share(found.dense - found.mean, found.dense),
            f"of {count(found.dense)} without gates; of the MACs: {macs}",
        ),
    ]


def _lane_rows(report: Report) -> list[Row]:
    """Return the number of lane groups and why, of a report that has it."""
    choice = report.lane_choice
    return [] if choice is None else [Row("lane groups", str(choice.lane_groups), choice.reason)]


def _resource_rows(report: Report, board: Board) -> list[Row]:
    """Return the share of the board's part that the engine takes."""
    source, has = report.resources.source, board.resources
    return [
        Row(label, count(taken), f"{share(taken, available)} of {count(available)}, {source}")
        for label, taken, available in (
            ("DSP", report.resources.dsp, has.dsp),
            ("BRAM36", report.resources.bram36, has.bram36),
            ("LUT", report.resources.lut, has.lut),
            ("FF", report.resources.ff, has.ff),
        )
    ]
