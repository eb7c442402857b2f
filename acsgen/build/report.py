"""Assembles ``report.json``: what was built, what it costs, and how that is known.

Every figure is either exact (MACs, bytes, counters), counted by a simulation of the RTL, predicted
by a model, or estimated; ``source`` says which.  Nothing here is a measurement on hardware.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import acsgen
from acsgen.boards import Board
from acsgen.compiler import Program
from acsgen.compiler.decode_trace import decode_header
from acsgen.cost.cycles import CycleReport, predict
from acsgen.cost.resources import ResourceEstimate
from acsgen.csim.engine import EngineRun
from acsgen.evaluate import EvalResult
from acsgen.isa.generated import WORD_BYTES
from acsgen.rtlsim import Memory
from acsgen.verify import Verification

REPORT_FILE = "report.json"

CYCLE_SOURCE = "model of the HLS engine, not synthesized"
RTL_SOURCE = "RTL simulation"


def make_report(
    *,
    program: Program,
    ungated: Program,
    board: Board,
    images: str,
    engines: Sequence[str],
    measured: EvalResult,
    resources: ResourceEstimate,
    checks: Mapping[str, Verification],
    measured_cycles: dict[str, Any] | None,
) -> dict[str, Any]:
    """Return the content of ``report.json``.

    Args:
        program: the compiled network.
        ungated: the same network without gates, for comparison.
        board: the board.
        images: name of the data set.
        engines: what was rendered.
        measured: accuracy, masks and MACs over that data set's test images.
        resources: estimate of the engine.
        checks: outcome of every simulation that was run, by its name.
        measured_cycles: what :func:`rtl_cycles` says, where the RTL was simulated.
    """
    runs = [
        predict(program, {name: bits[i] for name, bits in measured.bits.items()})
        for i in range(measured.images)
    ]
    dense = predict(ungated)
    cycles = np.array([run.cycles for run in runs])
    return {
        "model": program.model,
        "board": board.name,
        "acsgen": acsgen.__version__,
        "spec_hash": f"{program.spec_hash:#010x}",
        "dataset": images,
        "engines": list(engines),
        "bit_exact": {
            name: {
                "images": check.images,
                "runs_per_image": 2,
                "values": check.compared,
                "mismatches": check.mismatches,
            }
            for name, check in checks.items()
        },
        "macs": {
            "dense": measured.macs_dense,
            "mean": measured.macs_mean,
            "std": measured.macs_std,
            "gates": measured.macs_gates,
        },
        "cycles": {
            "dense": dense.cycles,
            "mean": float(cycles.mean()),
            "std": float(cycles.std()),
            "source": CYCLE_SOURCE,
        },
        "cycles_rtl": measured_cycles,
        "bytes": {
            "dense": dense.bytes_read + dense.bytes_written,
            "read": float(np.mean([run.bytes_read for run in runs])),
            "written": float(np.mean([run.bytes_written for run in runs])),
        },
        "accuracy": {
            "float": _known(measured.float_accuracy),
            "int8": _known(measured.int8_accuracy),
            "images": measured.images,
            "prediction_agreement": measured.prediction_agreement,
            "gate_agreement": measured.gate_agreement,
        },
        "masks": asdict(measured.masks) if measured.masks else None,
        "resources": asdict(resources),
        "engine": asdict(program.engine),
        "clock_mhz": board.clock_mhz,
        "memory": asdict(program.memory),
        "layers": _layers(dense, runs),
    }


def rtl_cycles(
    verification: Verification, dense: EngineRun, macs: NDArray[np.int64], memory: Memory
) -> dict[str, Any]:
    """Return the cycles that the RTL counted, for the report.

    Args:
        verification: of the images, each with its result header.
        dense: a run of the network without gates.
        macs: executed for each of the images, gating work included.
        memory: what they ran with.
    """
    cycles = np.array([header["cycles"] for header in verification.headers])
    stalls = np.array([header["stall_cycles"] for header in verification.headers])
    return {
        "images": verification.images,
        "dense": decode_header(dense.result)["cycles"],
        "mean": float(cycles.mean()),
        "std": float(cycles.std()),
        "stalls": float(stalls.mean()),
        "macs": float(macs.mean()),
        "memory": asdict(memory),
        "source": RTL_SOURCE,
    }


def write_report(folder: Path, report: dict[str, Any]) -> None:
    """Write ``report.json`` into ``folder``."""
    text = json.dumps(report, indent=1, allow_nan=False) + "\n"
    (folder / REPORT_FILE).write_text(text, encoding="utf-8")


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _layers(dense: CycleReport, runs: list[CycleReport]) -> list[dict[str, Any]]:
    """Cycles and counters of every layer: mean over the images, beside the ungated network's."""
    totals: dict[str, dict[str, float]] = {}
    for run in runs:
        for cost in run.instructions:
            entry = totals.setdefault(cost.layer, defaultdict(float))
            entry["cycles"] += cost.cycles / len(runs)
            entry["macs"] += cost.counters.macs_executed / len(runs)
            entry["macs_skipped"] += cost.counters.macs_skipped / len(runs)
            entry["bytes_read"] += cost.counters.read_words * WORD_BYTES / len(runs)
    without = dense.layer_cycles
    return [
        {"layer": name or "END", **entry, "cycles_dense": without.get(name)}
        for name, entry in totals.items()
    ]
