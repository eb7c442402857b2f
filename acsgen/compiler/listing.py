"""Prints a program as text, an instruction a line, for people."""

from __future__ import annotations

from acsgen.compiler.kinds import instruction_kind
from acsgen.program.program import Line, Program

_SEPARATOR = "  "


def listing(program: Program) -> str:
    """Return the program as text: number, opcode, layer, operands and settings.

    Maps are written ``fm[base+channels*step]`` in blocks, vectors ``vec[word]``, parameters
    ``par[word]``, masks ``m0``.
    """
    width = max(len(line.layer) for line in program.lines)
    heads = [
        f"; {program.model}: {len(program.lines)} instructions, "
        f"{len(program.params)} parameter words, specification {program.spec_hash:#010x}",
        f"; feature memory {program.memory.feature_blocks} of {program.engine.feature_blocks} "
        f"blocks, vector memory {program.memory.vector_words} of {program.engine.vector_words} "
        f"words, {program.memory.mask_registers} mask registers",
    ]
    body = [_line(index, line, width) for index, line in enumerate(program.lines)]
    return "\n".join([*heads, *body]) + "\n"


def _line(index: int, line: Line, width: int) -> str:
    parts = [f"{index:4d}", f"{line.instruction.opcode.name:<8}", f"{line.layer:<{width}}"]
    parts += instruction_kind(line.instruction).listing(line.instruction)
    if line.remark:
        parts.append(f"; {line.remark}")
    return _SEPARATOR.join(parts).rstrip()
