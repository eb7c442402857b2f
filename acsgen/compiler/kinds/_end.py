"""The end of every program, an instruction that belongs to no layer."""

from __future__ import annotations

from acsgen.compiler.kinds._instructions import InstructionKind
from acsgen.cost.counters import Counters
from acsgen.cost.walk import Walk
from acsgen.isa.generated import Instruction, Opcode


def _cost(walk: Walk, op: Instruction, layer: str) -> Counters:
    """The words of the result header are in no counter, since the counters are among them."""
    return Counters()


def _listing(op: Instruction) -> list[str]:
    return []


END = InstructionKind(Opcode.END, cost=_cost, listing=_listing)
