"""Baselines of the shipped builds: what they cost may change knowingly, never by accident.

``python -m benchmarks.baseline`` builds the shipped networks for the ZedBoard and compares;
``--update`` writes what it finds to ``baseline.json``.  Figures that follow from the network and
the board alone must be equal; those averaged over images depend on gate decisions, which float
calibration may move by a hair on another processor, and must agree within half a percent.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

BASELINE_FILE = Path(__file__).with_name("baseline.json")
TOLERANCE = 0.005

EXACT = (
    ("macs", "dense"),
    ("cycles", "dense"),
    ("bytes", "dense"),
    ("resources", "dsp"),
    ("resources", "bram36"),
    ("resources", "lut"),
    ("resources", "ff"),
    ("memory", "feature_blocks"),
)
AVERAGED = (("macs", "mean"), ("macs", "gates"), ("cycles", "mean"), ("bytes", "read"))

NETWORKS = ("resnet8-acs-digits32", "resnet38-acs-digits32")
BOARD = "zedboard"


def figures(report: Mapping[str, Any]) -> dict[str, float]:
    """Return the kept figures of a report, by dotted name."""
    return {".".join(key): report[key[0]][key[1]] for key in (*EXACT, *AVERAGED)}


def differences(report: Mapping[str, Any]) -> list[str]:
    """Return in words how a report differs from its baseline."""
    kept = json.loads(BASELINE_FILE.read_text(encoding="utf-8"))
    name = f"{report['model']} on {report['board']}"
    found, expected = figures(report), kept.get(name)
    if expected is None:
        return [f"{name} has no baseline"]
    averaged = {".".join(key) for key in AVERAGED}
    return [
        f"{name}: {key} is {found[key]:.10g}, the baseline {expected.get(key)}"
        for key in found
        if abs(found[key] - expected.get(key, float("inf")))
        > (TOLERANCE * found[key] if key in averaged else 0)
    ]


def main() -> int:
    """Build the shipped networks and compare, or update."""
    from acsgen.flow.build import BuildRequest, build
    from acsgen.support.assets import asset

    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--update", action="store_true", help="write the figures found")
    update = parser.parse_args().update
    found: dict[str, dict[str, float]] = {}
    wrong: list[str] = []
    with tempfile.TemporaryDirectory() as scratch:
        for name in NETWORKS:
            request = BuildRequest(
                model=asset("models", f"{name}.pt"), board=BOARD, out=Path(scratch) / name, images=1
            )
            report = build(request).report
            found[f"{name} on {BOARD}"] = figures(report)
            wrong += [] if update else differences(report)
            ratio = (1 - report["cycles"]["mean"] / report["cycles"]["dense"]) / (
                1 - report["macs"]["mean"] / report["macs"]["dense"]
            )
            print(f"{name}: cycles saved / MACs saved = {ratio:.3f} ({report['cycles']['source']})")
    if update:
        BASELINE_FILE.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print("\n".join(wrong) or ("updated" if update else "as the baseline"))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
