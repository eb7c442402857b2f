"""Fields of encoded instructions, wherever the specification has put them."""

from __future__ import annotations

from collections.abc import MutableSequence

from acsgen.isa.generated import INSTRUCTION_FIELDS, INSTRUCTION_WORDS, RECORD_FIELDS, Opcode

FIELDS = {f.name: f for f in INSTRUCTION_FIELDS}
#: The largest value that every field can hold.
HIGH = {f.name: f.high for f in INSTRUCTION_FIELDS}
#: The same of a channel record.
RECORD_HIGH = {f.name: f.high for f in RECORD_FIELDS}
#: Opcodes that there are not: the ends of the field's range, and all with one bit wrong.
UNKNOWN_OPCODES = sorted(
    {0, HIGH["opcode"], max(Opcode) + 1}.union(
        code ^ 1 << bit for code in Opcode for bit in range(FIELDS["opcode"].bits)
    )
    & set(range(HIGH["opcode"] + 1)) - set(Opcode)
)


def value_of(words: MutableSequence[int], name: str) -> int:
    """Return a field of the instruction in ``words``."""
    field = FIELDS[name]
    return (int(words[field.word]) & field.mask) >> field.lsb


def put(words: MutableSequence[int], name: str, value: int) -> None:
    """Change a field of the instruction in ``words``, plain integers or numpy's."""
    field = FIELDS[name]
    changed = int(words[field.word]) & ~field.mask | (value << field.lsb & field.mask)
    words[field.word] = changed  # numpy checks the range


def unnamed_bit() -> tuple[int, int]:
    """Return word and bit of a bit that no field has."""
    used = [0] * INSTRUCTION_WORDS
    for field in INSTRUCTION_FIELDS:
        used[field.word] |= field.mask
    places = ((word, bit) for word in range(INSTRUCTION_WORDS) for bit in range(64))
    return next((word, bit) for word, bit in places if not used[word] >> bit & 1)
