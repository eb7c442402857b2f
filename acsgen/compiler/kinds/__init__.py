"""The compiler's part of each kind of layer: a file for every kind of :mod:`acsgen.ir.kinds`.

A kind without a file here is an error at import, and so is an opcode of which no kind states the
cost.
"""

from acsgen.compiler.kinds._end import END
from acsgen.compiler.kinds._instructions import InstructionKind, by_operation, operation_of
from acsgen.compiler.kinds.base import COMPILER_KINDS, CompilerKind, VectorFormat, kind_of
from acsgen.ir.kinds import KINDS
from acsgen.isa.generated import Instruction

__all__ = [
    "COMPILER_KINDS",
    "CompilerKind",
    "InstructionKind",
    "VectorFormat",
    "instruction_kind",
    "kind_of",
]

COMPILER_KINDS.find_all(__name__, KINDS)

#: Instructions that no layer becomes.
_WITHOUT_LAYER = (END,)

_BY_OPERATION = by_operation(
    [
        *(kind.instruction for kind in COMPILER_KINDS.values() if kind.instruction is not None),
        *_WITHOUT_LAYER,
    ]
)


def instruction_kind(op: Instruction) -> InstructionKind:
    """The facts of an instruction alone."""
    return _BY_OPERATION[operation_of(op)]
