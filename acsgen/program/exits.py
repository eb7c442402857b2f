"""Early exits in a program: where a run may end before END."""

from __future__ import annotations

from acsgen_host.exits import NO_LIMIT, limit, write_limit

from acsgen.isa.generated import INSTRUCTION_WORDS, Instruction, Opcode
from acsgen.program.words import Words

__all__ = ["NO_LIMIT", "ends_at_exit", "limit", "write_limit"]


def ends_at_exit(program: Words, index: int) -> bool:
    """Whether instruction ``index`` of a program, at which a good run stopped, is an EXIT."""
    words = program[index * INSTRUCTION_WORDS :][:INSTRUCTION_WORDS]
    return Instruction.decode([int(word) for word in words]).opcode == Opcode.EXIT
