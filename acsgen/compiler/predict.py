"""Predicts the counters of a program under given masks, exactly.

The program is walked instruction by instruction; the kinds of layers state the cost of each.
"""

from __future__ import annotations

from collections.abc import Callable

from acsgen.compiler.kinds import instruction_kind
from acsgen.cost.counters import CostReport, Counters, InstructionCost
from acsgen.cost.walk import Masks, Walk
from acsgen.isa.generated import INSTRUCTION_WORDS
from acsgen.program.program import Line, Program


def predict(
    program: Program,
    masks: Masks | None = None,
    trace: bool = False,
    *,
    skips_words: bool = False,
    executed: Callable[[str], bool] = lambda layer: True,
) -> CostReport:
    """Predict one run of ``program``.

    ``masks`` are 0/1 per channel by gate name; gates not named leave all channels active.  With
    ``trace`` the copying of every layer's result counts too.  With ``skips_words`` the words read
    leave out weights that only masked inputs would meet (:func:`acsgen.cost.walk.wanted_words`), as
    the engines do.  ``executed`` says of a layer's name whether it runs; the lines of the others
    cost nothing.
    """
    orders = {gate.name: gate.order for gate in program.gates}
    walk = Walk(program.engine.lane_groups, program.params, masks or {}, skips_words, orders)
    traced = {t.layer: t.words for t in program.traces} if trace else {}
    lines = program.lines[: _stop(program, executed)]
    ran = (line for line in lines if not line.layer or executed(line.layer))
    return CostReport(tuple(_line(walk, line, traced) for line in ran))


def _stop(program: Program, executed: Callable[[str], bool]) -> int:
    """How many lines a run has: up to the first exit behind which no answer was computed."""
    names = [output.name for output in program.outputs]
    for exit in program.exits:
        if not executed(names[names.index(exit.output) + 1]):
            return exit.instruction + 1
    return len(program.lines)


def _line(walk: Walk, line: Line, traced: dict[str, int]) -> InstructionCost:
    """Return the cost of a line; ``traced`` has the words of every layer's trace, if any."""
    op = line.instruction
    counters = instruction_kind(op).cost(walk, op, line.layer)
    counters += Counters(read_words=INSTRUCTION_WORDS)
    if traced and op.trace_addr:
        counters += Counters(written_words=traced[line.layer])
    return InstructionCost(line.layer, op.opcode, counters)
