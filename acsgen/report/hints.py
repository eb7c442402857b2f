"""Remarks behind the figures of a build: what they suggest to do."""

from __future__ import annotations

from acsgen.data.dataset import PHOTOGRAPHS
from acsgen.ir.refinement import Refinement
from acsgen.report.data import Report
from acsgen.support.numbers import percent, share

_NEVER = 0.005
_MANY_CYCLES = 0.3
_LISTED = 3


def hints(report: Report) -> list[str]:
    """Return one sentence for each thing about a build that its author may want to change."""
    found = []
    if report.masks is not None:
        if report.masks.mean_open > 1 - _NEVER:
            found.append("the gates never close: train with a cost (loss acs), or raise alpha")
        elif report.masks.mean_open < _NEVER:
            found.append("the gates never open: lower alpha, or the cost in training")
        elif report.masks.input_dependent < _NEVER:
            found.append(
                "no gate depends on the image: a network without these channels is as good"
            )
    cycles = {layer.layer: layer.cycles for layer in report.layers if layer.cycles is not None}
    total = sum(cycles.values())
    for name, most in cycles.items():
        if len(cycles) > 2 and most == max(cycles.values()) and most > _MANY_CYCLES * total:
            found.append(f"{name} takes {share(most, total)} of the cycles")
    if report.rewrites:
        passes = "; ".join(f"{pass_.name} ({_some(pass_.places)})" for pass_ in report.rewrites)
        found.append(f"rewritten to equal layers of the engine: {passes}")
    tried = report.refinement
    if tried is not None and tried.refined is not None:
        found.append(
            f"{percent(tried.plain)} of {tried.images} calibration images had the same prediction, "
            f"{percent(tried.refined)} with weights rounded together and scales by channel: "
            + ("these are taken" if tried.used else "the former is taken")
        )
    if tried is not None and tried.averages:
        found.append(_of_averages(report, tried))
    if report.dataset == PHOTOGRAPHS:
        found.append(
            "calibrated on crops of two photographs: --dataset npz:FILE takes images of your own"
        )
    return found


def _of_averages(report: Report, tried: Refinement) -> str:
    """Say which averages are stored several times, what it brings and what it costs."""
    best = tried.refined if tried.used and tried.refined is not None else tried.plain
    costs = []
    for unit, field in (("cycles", "cycles"), ("MACs", "macs")):
        values = {layer.layer: getattr(layer, field) or 0 for layer in report.layers}
        if total := sum(values.values()):
            costs.append(
                f"{share(sum(values.get(n, 0) for n in tried.added), total)} of the {unit}"
            )
    return (
        f"{_some(tried.averages)} before a classifier stored four times, for two bits more: "
        f"{percent(tried.repeated or 0)} of the calibration images have the same prediction then, "
        f"not {percent(best)}; it takes {' and '.join(costs)} (--no-finer-averages: neither)"
    )


def _some(places: tuple[str, ...]) -> str:
    """The first places, and how many more there are."""
    more = f" and {len(places) - _LISTED} more" if len(places) > _LISTED else ""
    return ", ".join(places[:_LISTED]) + more
