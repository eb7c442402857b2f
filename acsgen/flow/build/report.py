"""Assembles the report of a build from the results of its steps."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict

import numpy as np
from acsgen_host.power.model import MEANING, TERMS, counts_of, literature_model
from numpy.typing import NDArray

import acsgen
from acsgen.compiler import memory_map
from acsgen.compiler.predict import predict
from acsgen.cost.counters import CostReport
from acsgen.cost.cycles import program_cycles
from acsgen.cost.macs import count_macs
from acsgen.engines.base import EngineRun
from acsgen.engines.loop_counts import LoopCounts
from acsgen.engines.rtl import Memory
from acsgen.flow.build.origin import origin_of
from acsgen.flow.build.work import Cycles as RunCycles
from acsgen.flow.build.work import Work
from acsgen.ir.gating import gate_layers
from acsgen.isa.generated import WORD_BYTES, Instruction
from acsgen.program.program import Program
from acsgen.report.clock import recorded_evidence
from acsgen.report.data import (
    Accuracy,
    BitExactness,
    BytesMoved,
    CountedCycles,
    Cycles,
    EnergyFigures,
    GateFigures,
    ImageFigures,
    LayerFigures,
    MacFigures,
    OutputFigures,
    PredictedCycles,
    Report,
)
from acsgen.support.numbers import known
from acsgen.verify import Verification

HLS_SOURCE = "HLS schedule, counted in C simulation; II and depth claimed, not synthesized"
RTL_SOURCE = "RTL simulation"
PREDICTED_SOURCE = "cost model, predicted; nothing was run"

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
        cycles=Cycles(
            hls=work.counted.get("csim"),
            rtl=work.counted.get("rtl"),
            predicted=_predicted(work, runs, dense),
        ),
        bytes=BytesMoved(
            dense=dense.bytes_read + dense.bytes_written,
            read=float(np.mean([run.bytes_read for run in runs])),
            written=float(np.mean([run.bytes_written for run in runs])),
        ),
        accuracy=Accuracy(
            floating=known(measured.float_accuracy),
            int8=known(measured.int8_accuracy),
            images=measured.images,
            prediction_agreement=measured.prediction_agreement,
            gate_agreement=measured.gate_agreement,
        ),
        outputs=tuple(
            OutputFigures(
                layer=output.name,
                classes=output.classes,
                floating=known(measured.outputs[output.name].float_accuracy),
                int8=known(measured.outputs[output.name].int8_accuracy),
                prediction_agreement=measured.outputs[output.name].prediction_agreement,
            )
            for output in program.outputs
        ),
        masks=measured.masks,
        resources=plan.resources,
        lane_choice=plan.lane_choice,
        clock=recorded_evidence(),
        engine=program.engine,
        clock_mhz=plan.board.clock_mhz,
        memory=program.memory,
        layers=_layers(work, runs),
        noise=work.noise,
        gates=_gates(work),
        images=_images(work),
        buffers=memory_map(work.integers, plan.engine),
        energy=_energy(work, runs, dense),
        origin=origin_of(plan),
        rewrites=work.rewrites,
        weight_bits=plan.request.weight_bits,
        refinement=work.refinement,
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
    loops, cycles = verification.loops, cycles_by_image(verification)
    if dense.loops is not None:
        stalls = np.array([counts.waits for counts in loops])
        total = dense.loops.total
    else:
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


def cycles_by_image(verification: Verification) -> NDArray[np.int64]:
    """Return the cycles of every image of a check, int64 ``(images,)``."""
    if verification.loops:
        return np.array([counts.total for counts in verification.loops], np.int64)
    return np.array([header["cycles"] for header in verification.headers], np.int64)


def _mean_by_loop(loops: tuple[LoopCounts, ...]) -> dict[str, float]:
    total: dict[str, float] = defaultdict(float)
    for counts in loops:
        for label, cycles in counts.by_loop().items():
            total[label] += cycles / len(loops)
    return dict(total)


def _layer_cycles(program: Program, runs: RunCycles) -> dict[str, float]:
    """Cycles of every layer of a program, mean over runs."""
    total: dict[str, float] = defaultdict(float)
    for run in runs:
        # An image may end before the last line.
        for line, cycles in zip(program.lines, run.tolist(), strict=False):
            total[line.layer] += cycles / len(runs)
    return dict(total)


def _layers(work: Work, runs: list[CostReport]) -> tuple[LayerFigures, ...]:
    """Cycles and counters of every layer: mean over the images, beside the ungated network's."""
    cycles: dict[str, dict[str, float]] = defaultdict(dict)
    without: dict[str, dict[str, float]] = defaultdict(dict)
    for name, (gated, dense) in work.by_instruction.items():
        cycles[name] = _layer_cycles(work.program, gated)
        without[name] = _layer_cycles(work.ungated, dense)
    totals: dict[str, dict[str, float]] = {}
    simulated = len(work.vectors.images)
    for index, run in enumerate(runs):
        for cost in run.instructions:
            entry = totals.setdefault(cost.layer, defaultdict(float))
            counters = cost.counters
            entry["macs"] += counters.macs_executed / len(runs)
            entry["macs_skipped"] += counters.macs_skipped / len(runs)
            entry["bytes_read"] += counters.read_words * WORD_BYTES / len(runs)
            if index < simulated:
                moved = (counters.read_words + counters.written_words) * WORD_BYTES
                entry["macs_simulated"] += counters.macs_executed / simulated
                entry["bytes_simulated"] += moved / simulated
    for_gates = gate_layers(work.integers)

    def dense_cycles(simulation: str, layer: str) -> int | None:
        found = without[simulation].get(layer)
        return None if found is None else round(found)

    return tuple(
        LayerFigures(
            layer=name or "END",
            cycles=cycles["csim"].get(name),
            cycles_dense=dense_cycles("csim", name),
            cycles_rtl=cycles["rtl"].get(name),
            cycles_rtl_dense=dense_cycles("rtl", name),
            for_gates=name in for_gates,
            **entry,
        )
        for name, entry in totals.items()
    )


def _predicted(work: Work, runs: list[CostReport], dense: CostReport) -> PredictedCycles:
    """The cost model's cycles, of the network and of the network without gates."""
    lanes = work.plan.engine.post_lanes
    ungated = program_cycles(instructions(work.ungated), dense.instructions, lanes)
    gated = instructions(work.program)
    cycles = np.array([program_cycles(gated, run.instructions, lanes) for run in runs], np.int64)
    return PredictedCycles(ungated, float(cycles.mean()), float(cycles.std()), PREDICTED_SOURCE)


def instructions(program: Program) -> list[Instruction]:
    """Return the instructions of a program's lines, in their order."""
    return [line.instruction for line in program.lines]


def _energy(work: Work, runs: list[CostReport], dense: CostReport) -> EnergyFigures:
    """The energy model's terms: means over the images, and of the network without gates."""
    model, lane_groups = literature_model(), work.plan.engine.lane_groups
    # Every simulation's counters were compared with the cost model's, so that one stands for all.
    headers = next(iter(work.checks.values())).headers
    simulated = [counts_of(header, lane_groups) for header in headers]
    counts = [counts_of(asdict(run.counters), lane_groups) for run in runs]
    return EnergyFigures(
        kind=model.kind,
        unit=model.unit,
        costs=model.costs,
        counts={term: float(np.mean([count[term] for count in counts])) for term in TERMS},
        counts_dense=counts_of(asdict(dense.counters), lane_groups),
        meaning=MEANING,
        assumptions=model.assumptions,
        counts_simulated={
            term: float(np.mean([count[term] for count in simulated])) for term in TERMS
        },
    )


def _gates(work: Work) -> tuple[GateFigures, ...]:
    """The masks of every gate over the images that accuracy was measured on."""
    measured = work.measured
    return tuple(
        GateFigures(
            gate=gate.name,
            open=float(measured.bits[gate.name].mean()),
            agreement=measured.agreement_by_gate[gate.name],
            by_channel=tuple(measured.bits[gate.name].mean(axis=0).tolist()),
        )
        for gate in work.program.gates
    )


def _images(work: Work) -> tuple[ImageFigures, ...]:
    """The images that the simulations ran, one by one."""
    vectors, labels = work.vectors, work.images.labels
    golden, number = vectors.golden, len(vectors.images)
    macs = count_macs(work.integers, golden.masks, number, golden.ran).executed
    answers = golden.predictions
    bits = [golden.masks[gate.name] for gate in work.program.gates]
    opened = np.concatenate(bits, axis=1).mean(axis=1) if bits else None
    hls, rtl = work.cycles.get("csim"), work.cycles.get("rtl")
    return tuple(
        ImageFigures(
            label=None if labels is None else int(labels[i]),
            prediction=int(answers[i]),
            macs=int(macs[i]),
            open=None if opened is None else float(opened[i]),
            cycles_hls=None if hls is None else int(hls[i]),
            cycles_rtl=None if rtl is None else int(rtl[i]),
        )
        for i in range(number)
    )
