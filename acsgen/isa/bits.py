"""Bit fields in 64-bit words: the packing that every rendered structure shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WORD_BITS = 64


@dataclass(frozen=True)
class BitField:
    """``bits`` bits from bit ``lsb`` of word ``word``; ``signed`` is two's complement."""

    name: str
    word: int
    lsb: int
    bits: int
    signed: bool = False

    @property
    def low(self) -> int:
        """Smallest value that fits."""
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def high(self) -> int:
        """Largest value that fits."""
        return (1 << (self.bits - self.signed)) - 1

    @property
    def mask(self) -> int:
        """The field's bits within its word."""
        return ((1 << self.bits) - 1) << self.lsb

    def meets(self, other: BitField) -> bool:
        """Whether the two have a bit in common."""
        return self.word == other.word and self.mask & other.mask != 0


def reach(fields: Sequence[BitField], *names: str) -> int:
    """Return how many values, from 0 on, each of the ``fields`` with these ``names`` can say."""
    by_name = {f.name: f for f in fields}
    return min(by_name[name].high for name in names) + 1


def pack(
    fields: Sequence[BitField], values: Mapping[str, int], words: int, what: str
) -> tuple[int, ...]:
    """Pack ``values`` into ``words`` unsigned 64-bit words.

    Raises :class:`ValueError` naming every field of ``what`` whose value does not fit.
    """
    packed = [0] * words
    wrong: list[str] = []
    for f in fields:
        value = int(values[f.name])
        if not f.low <= value <= f.high:
            wrong.append(f"{f.name} = {value} is outside {f.low}..{f.high}")
        packed[f.word] |= (value << f.lsb) & f.mask
    if wrong:
        raise ValueError(f"{what}: {'; '.join(wrong)}")
    return tuple(packed)


def unpack(fields: Sequence[BitField], words: Sequence[int]) -> dict[str, int]:
    """Return the value of every field in ``words``; bits in no field are not looked at."""
    values: dict[str, int] = {}
    for f in fields:
        raw = (int(words[f.word]) & f.mask) >> f.lsb
        values[f.name] = raw - (1 << f.bits) if f.signed and raw > f.high else raw
    return values


def reserved_problems(
    fields: Sequence[BitField], words: Sequence[int], reserved: Sequence[tuple[int, int]]
) -> list[str]:
    """Return the names of fields (or the words) in which a ``reserved`` bit is set."""
    found: list[str] = []
    for word, bits in reserved:
        wrong = int(words[word]) & bits
        if wrong:
            names = [f.name for f in fields if f.word == word and f.mask & wrong]
            found += names or [f"bits {wrong:#x} of word {word}"]
    return found
