"""Assembles the report of a build from the results of its steps."""

from __future__ import annotations

import math
from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

import acsgen
from acsgen.compiler.predict import predict
from acsgen.cost.counters import CostReport
from acsgen.engines.base import EngineRun
from acsgen.engines.loop_counts import LoopCounts
from acsgen.engines.rtl import Memory
from acsgen.flow.build.work import Work
from acsgen.isa.generated import WORD_BYTES
from acsgen.program.program import Program
from acsgen.report.data import (
    Accuracy,
    BitExactness,
    BytesMoved,
    CountedCycles,
    Cycles,
    LayerFigures,
    MacFigures,
    OutputFigures,
    Report,
)
from acsgen.verify import Verification

HLS_SOURCE = "HLS schedule, counted in C simulation; II and depth claimed, not synthesized"
RTL_SOURCE = "RTL simulation"

#: An image runs without trace, and with it.
RUNS_PER_IMAGE = 2


def make_report(work: Work) -> Report:
    """Return the report of a build whose steps are done."""
    plan, program, measured = work.plan, work.program, work.measured
    runs = [
        predict(
            program,
            {name: bits[i] for name, bits in measured.bits.items()},
            skips_words=True,
        )
        for i in range(measured.images)
    ]
    dense = predict(work.ungated)
    return Report(
        model=program.model,
        board=plan.board.name,
        acsgen=acsgen.__version__,
        spec_hash=f"{program.spec_hash:#010x}",
        dataset=work.images.source,
        engines=plan.implementations,
        bit_exact={
            name: BitExactness(check.images, RUNS_PER_IMAGE, check.compared, check.mismatches)
            for name, check in work.checks.items()
        },
        macs=MacFigures(
            dense=measured.macs_dense,
            mean=measured.macs_mean,
            std=measured.macs_std,
            gates=measured.macs_gates,
        ),
        cycles=Cycles(hls=work.counted.get("csim"), rtl=work.counted.get("rtl")),
        bytes=BytesMoved(
            dense=dense.bytes_read + dense.bytes_written,
            read=float(np.mean([run.bytes_read for run in runs])),
            written=float(np.mean([run.bytes_written for run in runs])),
        ),
        accuracy=Accuracy(
            floating=_known(measured.float_accuracy),
            int8=_known(measured.int8_accuracy),
            images=measured.images,
            prediction_agreement=measured.prediction_agreement,
            gate_agreement=measured.gate_agreement,
        ),
        outputs=tuple(
            OutputFigures(
                layer=output.name,
                classes=output.classes,
                floating=_known(measured.outputs[output.name].float_accuracy),
                int8=_known(measured.outputs[output.name].int8_accuracy),
                prediction_agreement=measured.outputs[output.name].prediction_agreement,
            )
            for output in program.outputs
        ),
        masks=measured.masks,
        resources=plan.resources,
        engine=program.engine,
        clock_mhz=plan.board.clock_mhz,
        memory=program.memory,
        layers=_layers(work, runs),
        noise=work.noise,
    )


def counted_cycles(
    verification: Verification, dense: EngineRun, macs: NDArray[np.int64], memory: Memory
) -> CountedCycles:
    """Return the cycles that a simulation counted.

    Args:
        verification: of the images, each with its result header, or with the cycles of its loops.
        dense: a run of the network without gates.
        macs: executed for each of the images, gating work included.
        memory: the simulated memory.
    """
    loops = verification.loops
    if dense.loops is not None:
        cycles = np.array([counts.total for counts in loops])
        stalls = np.array([counts.waits for counts in loops])
        total = dense.loops.total
    else:
        cycles = np.array([header["cycles"] for header in verification.headers])
        stalls = np.array([header["stall_cycles"] for header in verification.headers])
        total = dense.counters["cycles"]
    return CountedCycles(
        images=verification.images,
        dense=total,
        mean=float(cycles.mean()),
        std=float(cycles.std()),
        stalls=float(stalls.mean()),
        macs=float(macs.mean()),
        memory=memory,
        source=RTL_SOURCE if dense.loops is None else HLS_SOURCE,
        loops=_mean_by_loop(loops),
    )


def _mean_by_loop(loops: tuple[LoopCounts, ...]) -> dict[str, float]:
    total: dict[str, float] = defaultdict(float)
    for counts in loops:
        for label, cycles in counts.by_loop().items():
            total[label] += cycles / len(loops)
    return dict(total)


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _layer_cycles(program: Program, loops: tuple[LoopCounts, ...]) -> dict[str, float]:
    """Cycles of every layer of a program, mean over runs."""
    total: dict[str, float] = defaultdict(float)
    for counts in loops:
        # An image may end before the last line.
        for line, cycles in zip(program.lines, counts.cycles.sum(axis=1).tolist(), strict=False):
            total[line.layer] += cycles / len(loops)
    return dict(total)


def _layers(work: Work, runs: list[CostReport]) -> tuple[LayerFigures, ...]:
    """Cycles and counters of every layer: mean over the images, beside the ungated network's."""
    cycles: dict[str, float] = {}
    without: dict[str, float] = {}
    if work.loops is not None:
        gated, dense = work.loops
        cycles = _layer_cycles(work.program, gated)
        without = _layer_cycles(work.ungated, (dense,))
    totals: dict[str, dict[str, float]] = {}
    for run in runs:
        for cost in run.instructions:
            entry = totals.setdefault(cost.layer, defaultdict(float))
            entry["macs"] += cost.counters.macs_executed / len(runs)
            entry["macs_skipped"] += cost.counters.macs_skipped / len(runs)
            entry["bytes_read"] += cost.counters.read_words * WORD_BYTES / len(runs)
    return tuple(
        LayerFigures(
            layer=name or "END",
            cycles=cycles.get(name),
            **entry,
            cycles_dense=None if name not in without else round(without[name]),
        )
        for name, entry in totals.items()
    )
