"""The cost of a program, as data: the engine's counters, which are exact, and modelled cycles.

The compiler's part of each kind of layer states the cost of its instruction, and
:func:`acsgen.compiler.predict.predict` adds it up.  Counters must equal those of the result header;
cycles follow :mod:`acsgen.cost.timing`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields

from acsgen.isa.generated import HEADER_WORDS, WORD_BYTES, Opcode


@dataclass(frozen=True)
class Counters:
    """The counters of the result header, by the same names.

    A fully connected layer counts the bytes of its weight rows as multiply-accumulates, padding to
    whole words included: the engine cannot tell which of them are padding.
    """

    array_iterations: int = 0
    macs_executed: int = 0
    macs_skipped: int = 0
    channels_executed: int = 0
    channels_skipped: int = 0
    read_words: int = 0
    written_words: int = 0

    def __add__(self, other: Counters) -> Counters:
        return Counters(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


@dataclass(frozen=True)
class Cost:
    """The cost of a part of a run."""

    cycles: int
    counters: Counters = Counters()

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.cycles + other.cycles, self.counters + other.counters)


@dataclass(frozen=True)
class InstructionCost:
    """Cost of one instruction."""

    layer: str
    opcode: Opcode
    cycles: int
    counters: Counters


@dataclass(frozen=True)
class CycleReport:
    """Cost of one image."""

    instructions: tuple[InstructionCost, ...] = field(repr=False)

    @property
    def cycles(self) -> int:
        """Predicted clock cycles from start to end."""
        return sum(i.cycles for i in self.instructions)

    @property
    def counters(self) -> Counters:
        """Counters of the whole run."""
        total = Counters()
        for i in self.instructions:
            total += i.counters
        return total

    @property
    def bytes_read(self) -> int:
        """Bytes read from memory."""
        return self.counters.read_words * WORD_BYTES

    @property
    def bytes_written(self) -> int:
        """Bytes written to memory, the result header included."""
        return (self.counters.written_words + HEADER_WORDS) * WORD_BYTES

    @property
    def layer_cycles(self) -> dict[str, int]:
        """Predicted cycles by layer; instructions of no layer are under the empty name."""
        found: dict[str, int] = {}
        for i in self.instructions:
            found[i.layer] = found.get(i.layer, 0) + i.cycles
        return found
