"""A measurement as data for a file, and in words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Sequence

from ..errors import PowerError, Problem
from .align import Alignment, Chip
from .model import EnergyModel
from .protocol import Plan, Point, Timeline
from .statistics import CONFIDENCE, Estimate, Repeat
from .trace import Trace

FORMAT = 1


def to_json(
    model_name: str,
    engine: str,
    points: Sequence[Point],
    trace: Trace,
    plan: Plan,
    model: EnergyModel | None,
    alignment: Alignment | None = None,
) -> dict[str, Any]:
    """Return a measurement for a JSON file; every figure with its unit in its name.

    Args:
        model_name: the network.
        engine: what ran it, in words.
        points: what was measured.
        trace: the samples; only their number and rate are kept.
        plan: how it was measured.
        model: the energy model, if there is one.
        alignment: of the meter's clock, if it has one of its own.
    """
    info = trace.info
    return {
        "format": FORMAT,
        "network": model_name,
        "engine": engine,
        "kind": "synthetic" if info.synthetic else "measured",
        "source": info.source,
        "scope": info.scope,
        "shunt_ohm": info.shunt_ohm,
        "rate_hz": round(trace.rate_hz, 3),
        "samples": len(trace.time),
        "confidence": CONFIDENCE,
        "plan": plan._asdict(),
        "alignment": None if alignment is None else alignment._asdict(),
        "points": [_point(point) for point in points],
        "energy_model": None if model is None else model.to_json(),
    }


def _point(point: Point) -> dict[str, Any]:
    energy = point.energy
    return {
        "name": point.name,
        "total_joules": _estimate(energy.total),
        "net_joules": _estimate(energy.net),
        "net": "resolved" if energy.net.resolved else "unresolved",
        "loop_watts": _estimate(energy.loop_watts),
        "idle_watts": _estimate(energy.idle_watts),
        "net_watts": _estimate(energy.net_watts),
        "seconds_per_image": energy.seconds,
        "counters": point.counters,
    }


def _estimate(value: Estimate) -> dict[str, float]:
    return {
        "value": value.value,
        "low": value.low,
        "high": value.high,
        "repeats": value.repeats,
        "resolution": value.resolution,
    }


def line_of(point: Point, synthetic: bool) -> str:
    """Return a point in a line of text."""
    energy = point.energy
    net = energy.net.scaled(1e3)
    if energy.net.resolved:
        above = f"{net.value:.4g} mJ above idle ({net.low:.4g} to {net.high:.4g})"
    else:
        above = f"above idle unresolved ({net.low:.4g} to {net.high:.4g} mJ spans zero)"
    total = energy.total.scaled(1e3)
    made_up = "SYNTHETIC " if synthetic else ""
    return (
        f"{made_up}{point.name}: {total.value:.4g} mJ an image in total ({total.low:.4g} to "
        f"{total.high:.4g}), {above}; {energy.loop_watts.value:.3f} W in loops, "
        f"{energy.idle_watts.value:.3f} W idle, {1e3 * energy.seconds:.3f} ms an image"
    )


def save_json(path: Path, data: dict[str, Any]) -> None:
    """Write a file whole or not at all; raises :class:`PowerError` where that fails."""
    partial = Path(str(path) + ".partial")
    try:
        partial.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise PowerError(
            Problem(str(path), f"cannot be written: {error.strerror}", "name another file")
        ) from error


def timeline_to_json(timeline: Timeline) -> dict[str, Any]:
    """Return a timeline for a file, to be joined with the file of a meter later."""
    return {
        "names": list(timeline.names),
        "repeats": [[list(repeat) for repeat in repeats] for repeats in timeline.repeats],
        "counters": list(timeline.counters),
        "before": [list(chip) for chip in timeline.before],
        "after": [list(chip) for chip in timeline.after],
    }


def timeline_from_json(data: Any) -> Timeline:
    """Return what :func:`timeline_to_json` kept; raises :class:`ValueError` for anything else."""
    try:
        return Timeline(
            tuple(str(name) for name in data["names"]),
            tuple(tuple(_repeat(repeat) for repeat in repeats) for repeats in data["repeats"]),
            tuple({str(k): float(v) for k, v in c.items()} for c in data["counters"]),
            tuple(Chip(float(a), float(b), bool(load)) for a, b, load in data["before"]),
            tuple(Chip(float(a), float(b), bool(load)) for a, b, load in data["after"]),
        )
    except (LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"no timeline: {error}") from error


def _repeat(data: Any) -> Repeat:
    before, load, after, seconds, images = data
    stretches = [(float(a), float(b)) for a, b in (before, load, after)]
    return Repeat(stretches[0], stretches[1], stretches[2], float(seconds), int(images))
