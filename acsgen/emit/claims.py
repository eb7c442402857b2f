"""Claims of the HLS sources about their synthesis: intervals and depths of loops, and resources.

The claims about loops are written once, in ``acs_claims.hpp``, from which the C simulation counts
cycles; those about resources are the estimate that the build reports.  ``claims.json`` beside the
sources has both, for ``acsgen synth-report`` to compare with a report of Vitis HLS.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from acsgen_host.files import read_file
from acsgen_host.jsontext import load_json

from acsgen.cost.resources import estimate_resources
from acsgen.program.board import Board
from acsgen.program.engine_config import EngineConfig
from acsgen.support.errors import Problem, UserError
from acsgen.support.user_files import require_folder

HEADER = "acs_claims.hpp"
FILE = "claims.json"

_CLAIM = re.compile(r"CLAIM\(\s*(\w+)\s*,\s*(\d+)\s*,\s*(\d+)\s*\)")


@dataclass(frozen=True)
class LoopClaim:
    """The claim about one loop, in clock cycles.

    Attributes:
        interval: from the start of an iteration to that of the next.
        depth: from the start of an iteration to its end; 0 for a loop that is not pipelined.
    """

    interval: int
    depth: int


@dataclass(frozen=True)
class Claims:
    """All claims about one build.

    Attributes:
        top: the top function.
        part: the device.
        clock_ns: the clock's period.
        loops: by label.
        resources: ``dsp``, ``bram36``, ``lut`` and ``ff`` that the design takes at most.
    """

    top: str
    part: str
    clock_ns: float
    loops: Mapping[str, LoopClaim]
    resources: Mapping[str, float]


def loop_claims(header: Path) -> dict[str, LoopClaim]:
    """Read the claims about loops from ``acs_claims.hpp``."""
    text = header.read_text(encoding="utf-8")
    found = {
        label: LoopClaim(int(interval), int(depth))
        for label, interval, depth in _CLAIM.findall(text)
    }
    if not found:
        raise ValueError(f"{header} has no claims")
    return found


def write_claims(sources: Path, top: str, board: Board, engine: EngineConfig) -> None:
    """Write ``claims.json`` beside the rendered sources."""
    estimate = estimate_resources(engine)
    claims = Claims(
        top=top,
        part=board.part,
        clock_ns=round(1000 / board.clock_mhz, 3),
        loops=loop_claims(sources / HEADER),
        resources={name: getattr(estimate, name) for name in ("dsp", "bram36", "lut", "ff")},
    )
    text = json.dumps(asdict(claims), indent=2)
    (sources / FILE).write_text(f"{text}\n", encoding="utf-8")


def load_claims(build: Path) -> Claims:
    """Return the claims of a build directory.

    Raises :class:`UserError` where it has none, or a file that is none.
    """
    path = build / "hls" / FILE
    require_folder(build, "name a folder of a build")
    if not path.is_file():
        raise UserError(
            Problem(str(path), "this build has no claims", "build it again with this acsgen")
        )
    try:
        return _claims(load_json(read_file(path).decode("utf-8")))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            Problem(str(path), f"not a file of claims: {error}", "build it again")
        ) from error


def _claims(content: Any) -> Claims:
    loops = {
        str(label): LoopClaim(int(loop["interval"]), int(loop["depth"]))
        for label, loop in content["loops"].items()
    }
    resources = {str(name): float(value) for name, value in content["resources"].items()}
    return Claims(
        str(content["top"]), str(content["part"]), float(content["clock_ns"]), loops, resources
    )
