"""The recorded resources of the HLS engine's large operators, counted by Yosys."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from functools import cache

from acsgen.support.assets import asset_root

#: The record, below the folder of assets; written by ``python -m acsgen.flow.synth.operators``.
RECORD = "benchmarks/hls_operators.json"

#: The record of everything beside the large operators; written by
#: ``python -m acsgen.flow.synth.control``.
CONTROL_RECORD = "benchmarks/hls_control.json"


class Operator(str, Enum):
    """An operator, by its name in the record."""

    PAIR = "pair of lanes"
    PAIR_WITH_MAXIMUM = "pair of lanes with maximum"
    FIRST_PAIR = "pair of lanes of the first group"
    POST_LANE = "requantization lane"
    WINDOW = "window"


@dataclass(frozen=True)
class OperatorCount:
    """Resources of one operator."""

    dsp: int
    lut: int
    ff: int


@cache
def operator_counts() -> dict[Operator, OperatorCount]:
    """Return the resources that each operator takes."""
    content = json.loads((asset_root() / RECORD).read_text(encoding="utf-8"))["operators"]
    return {
        operator: OperatorCount(*(int(content[operator.value][k]) for k in ("dsp", "lut", "ff")))
        for operator in Operator
    }


@cache
def control_count() -> OperatorCount:
    """Return the multipliers and tables of everything beside the large operators.

    Flip-flops were not counted: a pipeline's are the schedule's.
    """
    content = json.loads((asset_root() / CONTROL_RECORD).read_text(encoding="utf-8"))["parts"]
    dsp, lut = (sum(int(part[kind]) for part in content.values()) for kind in ("dsp", "lut"))
    return OperatorCount(dsp, lut, 0)
