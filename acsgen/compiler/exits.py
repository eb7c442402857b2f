"""Early exits of a program: their description for hosts, and runs that a budget ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from acsgen_host.exits import NEVER

from acsgen.compiler.operands import Addresses
from acsgen.compiler.params import Constants
from acsgen.compiler.predict import predict
from acsgen.ir.integer import IntEntropy, IntGraph
from acsgen.ir.kinds.base import IntArray
from acsgen.ir.masks import mask_names
from acsgen.ir.results import GoldenResult
from acsgen.isa.generated import Opcode
from acsgen.program.program import Program, ProgramExit


def program_exits(
    graph: IntGraph, program: Program, addresses: Addresses, constants: Constants
) -> tuple[ProgramExit, ...]:
    """Describe the exits of a program, in the order in which they run."""
    places = [n for n, op in enumerate(program.instructions) if op.opcode is Opcode.EXIT]
    # With all masks open: no run does more.
    most = [cost.counters.macs_executed for cost in predict(program).instructions]
    order = [layer.name for layer in graph]
    found = []
    for number, (layer, place) in enumerate(zip(graph.exits, places, strict=True)):
        before = places[number - 1] if number else -1
        after = places[number + 1] if number + 1 < len(places) else len(most) - 1
        names = mask_names(layer.decision)
        decider = graph[names[0]] if names else None
        known = isinstance(decider, IntEntropy)
        passed = order[: order.index(layer.name)]
        found.append(
            ProgramExit(
                name=layer.name,
                where=layer.where,
                output=[name for name in graph.outputs if name in passed][-1],
                instruction=place,
                threshold=decider.entropy if isinstance(decider, IntEntropy) else 0.0,
                decision=names[0] if names else "",
                threshold_address=constants.thresholds[names[0]] if known else 0,
                decision_address=addresses.results[names[0]] if known else 0,
                acc_scale=float(decider.acc_scale[0]) if isinstance(decider, IntEntropy) else 0.0,
                macs_before=sum(most[before + 1 : place + 1]),
                macs_after=sum(most[place + 1 : after + 1]),
            )
        )
    return tuple(found)


def within_budget(program: Program, golden: GoldenResult, macs: int | None) -> GoldenResult:
    """The results of runs that end at exits by a budget too.

    Args:
        program: as it was compiled.
        golden: results of the same images, in which exits were taken by entropies alone.
        macs: the budget of a run; None for none.
    """
    if macs is None or not program.exits:
        return golden
    limits = program.macs_limits(macs)
    stops: list[int | None] = []
    for image in range(len(golden)):
        masks = {name: bits[image] for name, bits in golden.masks.items()}
        costs = [cost.counters.macs_executed for cost in predict(program, masks).instructions]
        done = np.cumsum(costs)
        over = (n for n, exit in enumerate(program.exits) if done[exit.instruction] > limits[n])
        stops.append(next(over, None))
    return ended_at(program, golden, stops)


def with_entropies(
    program: Program, golden: GoldenResult, thresholds: Mapping[str, IntArray]
) -> GoldenResult:
    """The results of runs whose exits have other thresholds of entropy.

    Args:
        program: as it was compiled.
        golden: results of the same images, of any thresholds.
        thresholds: int32 ``(1,)`` by the name of an exit's decision; those not named are 0 nats,
            which no entropy is below.
    """
    decisions = {
        name: (sums > thresholds.get(name, np.full(1, NEVER))).astype(np.uint8)
        for name, sums in golden.sums.items()
    }
    stops: list[int | None] = []
    for image in range(len(golden)):
        sure = (
            n for n, e in enumerate(program.exits) if e.decision and decisions[e.decision][image]
        )
        stops.append(next(sure, None))
    ran = {name: np.ones(len(golden), bool) for name in golden.ran}
    return ended_at(program, replace(golden, ran=ran, decisions=decisions), stops)


def ended_at(program: Program, golden: GoldenResult, stops: Sequence[int | None]) -> GoldenResult:
    """The results of runs that end at an exit, if they did not end at one before.

    Args:
        program: as it was compiled.
        golden: results of the same images, in which exits may have been taken.
        stops: by image, the number of the exit; None where the run goes on.
    """
    first = {line.layer: number for number, line in reversed([*enumerate(program.lines)])}
    ran = {name: bits.copy() for name, bits in golden.ran.items()}
    for image, stop in enumerate(stops):
        if stop is None:
            continue
        last = program.exits[stop].instruction
        for name in ran:
            ran[name][image] &= first.get(name, last + 1) <= last
    return replace(golden, ran=ran)
