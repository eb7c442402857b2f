"""Facts of an instruction alone, without the graph that it was made from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from acsgen.cost.counters import Counters
from acsgen.cost.walk import Walk
from acsgen.isa.generated import Instruction, LinearMode, Opcode, fields_of

#: An opcode, and its mode if it has modes.
Operation = tuple[Opcode, "LinearMode | None"]


@dataclass(frozen=True)
class InstructionKind:
    """An opcode, or some of its modes.

    Attributes:
        opcode: of the instructions.
        cost: from a run of a program, an instruction and the layer that it belongs to, to its cost
            from the end of its decoding on. It also keeps the state of the run.
        listing: the operands of an instruction on its line in the listing of a program.
        modes: of LINEAR; none for an opcode without modes.
    """

    opcode: Opcode
    cost: Callable[[Walk, Instruction, str], Counters]
    listing: Callable[[Instruction], list[str]]
    modes: tuple[LinearMode, ...] = ()

    @property
    def operations(self) -> tuple[Operation, ...]:
        """The opcode with each of its modes."""
        if not self.modes:
            return ((self.opcode, None),)
        return tuple((self.opcode, mode) for mode in self.modes)


def operation_of(op: Instruction) -> Operation:
    """The operation of an instruction."""
    return op.opcode, LinearMode(op.linear_mode) if _has_modes(op.opcode) else None


def by_operation(kinds: Iterable[InstructionKind]) -> Mapping[Operation, InstructionKind]:
    """Return the one of ``kinds`` that each operation of the specification belongs to.

    Raises:
        ImportError: an operation belongs to none of them, or to two that differ; or one of them is
            for an operation that is not in the specification.
    """
    found: dict[Operation, InstructionKind] = {}
    for kind in kinds:
        for operation in kind.operations:
            if found.setdefault(operation, kind) != kind:
                raise ImportError(f"two kinds of layers state the cost of {_name(operation)}")
    known = set(_operations())
    missing, unknown = known - found.keys(), found.keys() - known
    if missing:
        raise ImportError(f"no kind of layer states the cost of {_names(missing)}")
    if unknown:
        raise ImportError(
            f"a kind of layer states the cost of {_names(unknown)}, which is not in the "
            "specification: modes are given for the opcode that has modes, and for no other"
        )
    return found


def _has_modes(opcode: Opcode) -> bool:
    return any(field.name == "linear_mode" for field in fields_of(opcode))


def _operations() -> Iterator[Operation]:
    """Every operation of the specification."""
    for opcode in Opcode:
        modes = LinearMode if _has_modes(opcode) else (None,)
        yield from ((opcode, mode) for mode in modes)


def _names(operations: Iterable[Operation]) -> str:
    return ", ".join(sorted(map(_name, operations)))


def _name(operation: Operation) -> str:
    opcode, mode = operation
    return opcode.name if mode is None else f"{opcode.name} {mode.name}"
