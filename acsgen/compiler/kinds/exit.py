"""Early exits: a run ends here, or goes on."""

from __future__ import annotations

from acsgen.compiler.kinds._instructions import InstructionKind
from acsgen.compiler.kinds.base import COMPILER_KINDS, CompilerKind, Limits, no_constants, plain
from acsgen.compiler.operands import Operands
from acsgen.compiler.steps import Step
from acsgen.cost.counters import Counters
from acsgen.cost.walk import Walk
from acsgen.ir.integer import IntExit, IntGraph
from acsgen.isa.generated import Instruction, Opcode
from acsgen.program.exits import NO_LIMIT


def _limits(graph: IntGraph, layer: IntExit) -> Limits:
    yield from ()


def _lower(operands: Operands, step: Step, layer: IntExit) -> Instruction:
    """Limits are written by the host; the decision is that of the gate directly before it."""
    steps = operands.schedule.steps
    before = steps[steps.index(step) - 1].layer.name
    assert not layer.inputs or layer.inputs == (before,), f"{layer.name} is not behind its decision"
    return Instruction(
        Opcode.EXIT,
        exit_on_gate=int(bool(layer.decision)),
        macs_limit=NO_LIMIT,
        cycles_limit=NO_LIMIT,
    )


def _cost(walk: Walk, op: Instruction, layer: str) -> Counters:
    return Counters()


def _listing(op: Instruction) -> list[str]:
    reasons = ["if the last gate says so"] if op.exit_on_gate else []
    for name, limit in (("MACs", op.macs_limit), ("cycles", op.cycles_limit)):
        if limit != NO_LIMIT:
            reasons.append(f"beyond {limit} {name}")
    return reasons


COMPILER_KINDS.add(
    IntExit.KIND,
    CompilerKind(
        limits=_limits,
        leaves_out_zeros=False,
        constants=no_constants,
        vector_format=plain,
        lower=_lower,
        remark="",
        instruction=InstructionKind(Opcode.EXIT, cost=_cost, listing=_listing),
    ),
)
