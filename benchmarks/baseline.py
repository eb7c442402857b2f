"""Baselines of the shipped builds: their costs may change knowingly, never by accident.

``python -m benchmarks.baseline`` builds the shipped networks for the ZedBoard and compares;
``--update`` writes its findings to ``baseline.json``.  All figures are deterministic, on every
processor, and must be equal.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from operator import attrgetter
from pathlib import Path

from acsgen.flow.baseline import FigureTable, load_baseline, save_baseline
from acsgen.flow.baseline import differences as compare
from acsgen.flow.build import BuildRequest, build
from acsgen.report.data import Report
from acsgen.support.assets import asset

COMMAND = "python -m benchmarks.baseline"
BASELINE_FILE = Path(__file__).with_name("baseline.json")

FIGURES = (
    "macs.dense",
    "cycles.hls.dense",
    "bytes.dense",
    "resources.dsp",
    "resources.bram36",
    "resources.lut",
    "resources.ff",
    "memory.feature_blocks",
    "macs.mean",
    "macs.gates",
    "bytes.read",
)

NETWORKS = ("resnet8-acs-digits32", "resnet38-acs-digits32")
BOARD = "zedboard"


def figures(report: Report) -> dict[str, float]:
    """Return the kept figures of a report, by dotted name."""
    return {name: attrgetter(name)(report) for name in FIGURES}


def differences(report: Report) -> list[str]:
    """Return in words how a report differs from its baseline."""
    name = f"{report.model} on {report.board}"
    recorded = load_baseline(BASELINE_FILE, COMMAND).get(name)
    kept = None if recorded is None else FigureTable({name: recorded})
    return compare(name, kept, FigureTable({name: figures(report)}))


def main() -> int:
    """Build the shipped networks and compare, or update."""
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
            cycles, macs = report.cycles.hls, report.macs
            if cycles is not None:
                ratio = (1 - cycles.mean / cycles.dense) / (1 - cycles.macs / macs.dense)
                print(f"{name}: cycles saved / MACs saved = {ratio:.3f} ({cycles.source})")
    if update:
        save_baseline(BASELINE_FILE, found)
    print("\n".join(wrong) or ("updated" if update else "as the baseline"))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
