"""The figures of a point: columns of the table, each with how it is known in its name.

They are read from the report of a build, so that the command of a point gives the same ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from acsgen.isa.generated import LANES
from acsgen.report.data import CountedCycles, Report

Figure = float | int | str | None


@dataclass(frozen=True)
class Column:
    """A column of figures.

    Attributes:
        meaning: in words, with the unit.
        of: the figure in the report of a build.
    """

    meaning: str
    of: Callable[[Report], Figure]


def _ms(cycles: float | None, report: Report) -> float | None:
    return None if cycles is None else cycles / report.clock_mhz / 1000


def _mean(counted: CountedCycles | None) -> float | None:
    return None if counted is None else counted.mean


def _predicted(report: Report) -> float | None:
    return None if report.cycles.predicted is None else report.cycles.predicted.mean


def _energy_simulated(report: Report) -> float | None:
    counts = report.energy.counts_simulated
    return None if counts is None else report.energy.total(counts)


#: Columns by name. ``predicted``: by the cost model, nothing was run. ``simulated``: counted by a
#: simulation. ``estimated``: by a model with constants that nobody measured on the part.
COLUMNS: dict[str, Column] = {
    "accuracy_float": Column(
        "accuracy of the network in floats, in [0, 1]", lambda r: r.accuracy.floating
    ),
    "accuracy_int8": Column(
        "accuracy of the integer network, in [0, 1]", lambda r: r.accuracy.int8
    ),
    "agreement": Column(
        "share of images with the same prediction of both",
        lambda r: r.accuracy.prediction_agreement,
    ),
    "accuracy_images": Column("images of these three", lambda r: r.accuracy.images),
    "open": Column(
        "mean share of open gate bits", lambda r: None if r.masks is None else r.masks.mean_open
    ),
    "macs": Column("multiply-accumulates of an image, mean", lambda r: r.macs.mean),
    "macs_ungated": Column("multiply-accumulates without gates", lambda r: r.macs.dense),
    "bytes": Column("bytes moved for an image, mean", lambda r: r.bytes.read + r.bytes.written),
    "predicted_cycles": Column("cycles of an image by the cost model, mean", _predicted),
    "predicted_ms": Column(
        "the same as milliseconds at the assumed clock", lambda r: _ms(_predicted(r), r)
    ),
    "simulated_images": Column(
        "images that were simulated", lambda r: max(b.images for b in r.bit_exact.values())
    ),
    "simulated_hls_cycles": Column(
        "cycles of an image that the C simulation counted, mean", lambda r: _mean(r.cycles.hls)
    ),
    "simulated_hls_ms": Column(
        "the same as milliseconds at the assumed clock", lambda r: _ms(_mean(r.cycles.hls), r)
    ),
    "simulated_rtl_cycles": Column(
        "cycles of an image that the RTL simulation counted, mean", lambda r: _mean(r.cycles.rtl)
    ),
    "simulated_rtl_ms": Column(
        "the same as milliseconds at the assumed clock", lambda r: _ms(_mean(r.cycles.rtl), r)
    ),
    "simulated_mismatches": Column(
        "values of the simulations that differ from the golden model",
        lambda r: sum(b.mismatches for b in r.bit_exact.values()),
    ),
    "estimated_energy_of_predicted_counts": Column(
        "energy of an image in energies of one MAC: DDI's model with costs from the literature, on "
        "counts of the cost model",
        lambda r: r.energy.total(r.energy.counts),
    ),
    "estimated_energy_of_simulated_counts": Column(
        "the same on counts of the simulation", _energy_simulated
    ),
    "estimated_dsp": Column("multipliers that the engine takes", lambda r: r.resources.dsp),
    "estimated_bram36": Column("36 Kb block RAMs", lambda r: r.resources.bram36),
    "estimated_lut": Column("look-up tables", lambda r: r.resources.lut),
    "estimated_ff": Column("flip-flops", lambda r: r.resources.ff),
    "engine_lanes": Column("pixel lanes", lambda r: LANES * r.engine.lane_groups),
    "engine_clock_mhz": Column(
        "the clock that milliseconds are told for, assumed", lambda r: r.clock_mhz
    ),
    "estimated_clock_mhz": Column(
        "the whole RTL engine, one lane group, packed by nextpnr for an ECP5-6, no Zynq",
        lambda r: None if r.clock is None else r.clock.estimate_mhz,
    ),
}


def figures_of(report: Report) -> dict[str, Figure]:
    """Return the figures of a build by the name of the column."""
    return {name: column.of(report) for name, column in COLUMNS.items()}
