"""Early exits of a program: their description for hosts, and runs that a budget ends."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from acsgen.compiler.operands import Addresses
from acsgen.compiler.params import Constants
from acsgen.compiler.predict import predict
from acsgen.ir.integer import IntEntropy, IntGraph
from acsgen.ir.masks import mask_names
from acsgen.ir.results import GoldenResult
from acsgen.isa.generated import Opcode
from acsgen.program.exits import macs_limit
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
    images = len(golden)
    first = {line.layer: number for number, line in reversed([*enumerate(program.lines)])}
    ran = {name: bits.copy() for name, bits in golden.ran.items()}
    for image in range(images):
        masks = {name: bits[image] for name, bits in golden.masks.items()}
        costs = [cost.counters.macs_executed for cost in predict(program, masks).instructions]
        done = np.cumsum(costs)
        for exit in program.exits:
            if done[exit.instruction] > macs_limit(macs, exit.macs_after):
                for name in ran:
                    ran[name][image] &= first.get(name, exit.instruction + 1) <= exit.instruction
                break
    return replace(golden, ran=ran)
