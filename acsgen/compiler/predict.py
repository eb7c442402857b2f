"""Predicts the cost of a program under given masks: counters exactly, cycles by a model.

The program is walked instruction by instruction; the kinds of layers state the cost of each.
"""

from __future__ import annotations

from collections.abc import Callable

from acsgen.compiler.kinds import instruction_kind
from acsgen.cost import timing
from acsgen.cost.cycles import Cost, Counters, CycleReport, InstructionCost
from acsgen.cost.timing import Pace
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
) -> CycleReport:
    """Predict one run of ``program``.

    ``masks`` are 0/1 per channel by gate name; gates not named leave all channels active.  With
    ``trace`` the copying of every layer's result counts too.  With ``skips_words`` the words read
    are those of the RTL engine, which leaves out weights that only masked inputs would meet
    (:func:`acsgen.cost.walk.wanted_words`); cycles stay those of the HLS engine.  ``executed`` says
    of a layer's name whether it runs; the lines of the others cost nothing.
    """
    walk = Walk(Pace.of(program.engine), program.params, masks or {}, skips_words)
    traced = {t.layer: t.words for t in program.traces} if trace else {}
    ran = (line for line in program.lines if not line.layer or executed(line.layer))
    return CycleReport(tuple(_line(walk, line, traced) for line in ran))


def _line(walk: Walk, line: Line, traced: dict[str, int]) -> InstructionCost:
    """Return the cost of a line; ``traced`` has the words of every layer's trace, if any."""
    op = line.instruction
    cost = instruction_kind(op).cost(walk, op, line.layer)
    cost += Cost(
        walk.pace.burst(INSTRUCTION_WORDS) + timing.DECODE_CYCLES,
        Counters(read_words=INSTRUCTION_WORDS),
    )
    if traced and op.trace_addr:
        words = traced[line.layer]
        cost += Cost(walk.pace.burst(words), Counters(written_words=words))
    return InstructionCost(line.layer, op.opcode, cost.cycles, cost.counters)
