"""What the RTL engine takes of a part, from the recorded syntheses by Yosys.

``benchmarks/synthesis.json`` has the engine of an XC7Z020 with a few numbers of lane groups.  An
engine like one of these has its figures.  Of another one they are estimated, but for its memories:
its lane groups and its requantization lanes are counted, each as it was synthesized for the nearest
number of lane groups (the larger of two as near: its small products take no DSP slices, as in all
engines of more than four). The rest of the multipliers is as many as there; the rest of look-up
tables and flip-flops lies on the straight line between the two nearest numbers, which goes on
beyond the least and the most.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from acsgen.program.engine_config import EngineConfig
from acsgen.support.assets import asset_root

#: The record, below the folder of assets; written by ``acsgen synth --update``.
RECORD = "benchmarks/synthesis.json"

#: The family that Yosys synthesized for; another one's slices were not asked.
FAMILY = "zynq7000"

#: Modules of which an engine has several.
_GROUP = "acs_lane_group"
_POST_LANE = "acs_requantize"
_KINDS = ("lut", "dsp", "ff")


@dataclass(frozen=True)
class RtlFigures:
    """What an RTL engine takes, and how it is known.

    Attributes:
        lut: look-up tables.
        dsp: DSP slices.
        ff: flip-flops.
        bram36: block RAMs of 36 Kb; None where they were not synthesized.
        source: ``synthesis`` by Yosys, or ``estimate``.
    """

    lut: int
    dsp: int
    ff: int
    bram36: int | None
    source: Literal["synthesis", "estimate"]


def rtl_figures(engine: EngineConfig, family: str) -> RtlFigures:
    """Return the figures of ``engine`` on a part of ``family``."""
    sizes, records = _sizes(engine), _records()
    for record in records:
        if record["parameters"] == sizes and family == FAMILY:
            total: Mapping[str, int] = record["total"]
            lut, dsp, ff = (total[kind] for kind in _KINDS)
            return RtlFigures(lut, dsp, ff, -(-total["bram18"] // 2), "synthesis")
    lut, dsp, ff = (_estimate(engine, kind, records) for kind in _KINDS)
    return RtlFigures(lut, dsp, ff, None, "estimate")


def synthesized_groups() -> tuple[int, ...]:
    """Return the numbers of lane groups that were synthesized, the least first."""
    return tuple(_groups(record) for record in _records())


@cache
def _records() -> tuple[Mapping[str, Any], ...]:
    content = json.loads((asset_root() / RECORD).read_text(encoding="utf-8"))
    by_groups = {entry["parameters"]["LaneGroups"]: entry for entry in content.values()}
    return tuple(by_groups[groups] for groups in sorted(by_groups))


def _sizes(engine: EngineConfig) -> dict[str, int]:
    """The engine's sizes under the names that the record has for them."""
    return {
        "LaneGroups": engine.lane_groups,
        "FeatureBlocks": engine.feature_blocks,
        "BankWords": engine.bank_words,
        "VectorWords": engine.vector_words,
        "PostLanes": engine.post_lanes,
    }


def _estimate(engine: EngineConfig, kind: str, records: tuple[Mapping[str, Any], ...]) -> int:
    like = min(records, key=lambda record: abs(_groups(record) - engine.lane_groups - 0.5))
    counted: int = engine.lane_groups * _unit(like, _GROUP)[kind]
    counted += engine.post_lanes * _unit(like, _POST_LANE)[kind]
    if kind == "dsp":
        return counted + _rest(like, kind)
    rests = [(_groups(record), _rest(record, kind)) for record in records]
    return round(counted + _on_line(rests, engine.lane_groups))


def _groups(record: Mapping[str, Any]) -> int:
    return int(record["parameters"]["LaneGroups"])


def _rest(record: Mapping[str, Any], kind: str) -> int:
    """What a synthesized engine takes beside the units that are counted."""
    units = (_unit(record, module) for module in (_GROUP, _POST_LANE))
    counted = sum(unit[kind] * unit["number"] for unit in units)
    return int(record["total"][kind]) - int(counted)


def _unit(record: Mapping[str, Any], module: str) -> Mapping[str, int]:
    """The figures of the one unit that is this module, with whatever parameters."""
    (unit,) = (u for name, u in record["units"].items() if name.partition("(")[0] == module)
    return dict(unit)


def _on_line(points: list[tuple[int, int]], groups: int) -> float:
    """Return the height at ``groups`` of the line through the two points that are nearest."""
    if len(points) == 1:
        return points[0][1]
    above = next((i for i, (x, _) in enumerate(points) if x >= groups), len(points) - 1)
    (x0, y0), (x1, y1) = points[max(above, 1) - 1 : max(above, 1) + 1]
    return y0 + (y1 - y0) * (groups - x0) / (x1 - x0)
