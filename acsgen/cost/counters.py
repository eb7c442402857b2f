"""The cost of a program, as data: the counters of the engines, which are exact.

The compiler's part of each kind of layer states the counters of its instruction, and
:func:`acsgen.compiler.predict.predict` adds them up.  They must equal those of the result header.
Cycles are estimated by :mod:`acsgen.cost.cycles`, and counted by the engines' simulations.
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
class InstructionCost:
    """Cost of one instruction."""

    layer: str
    opcode: Opcode
    counters: Counters


@dataclass(frozen=True)
class CostReport:
    """Cost of one image."""

    instructions: tuple[InstructionCost, ...] = field(repr=False)

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
