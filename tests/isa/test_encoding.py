"""Instructions and records survive encoding, and what does not fit is refused by name."""

from __future__ import annotations

from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acsgen.isa.generated import (
    INSTRUCTION_FIELDS,
    INSTRUCTION_WORDS,
    RECORD_FIELDS,
    Instruction,
    Opcode,
    Record,
)
from acsgen.isa.spec import load_spec

pytestmark = pytest.mark.unit
SPEC = load_spec()


@st.composite
def instructions(draw: st.DrawFn) -> Instruction:
    opcode = draw(st.sampled_from(Opcode))
    used = {f.name for f in SPEC.fields_of(opcode.name)} - {"opcode"}
    values = {
        f.name: draw(st.integers(f.low, f.high)) for f in INSTRUCTION_FIELDS if f.name in used
    }
    return Instruction(opcode, **values)


@given(instructions())
def test_instruction_round_trip(instruction: Instruction) -> None:
    words = instruction.encode()
    assert len(words) == INSTRUCTION_WORDS
    assert all(0 <= w < 2**64 for w in words)
    assert Instruction.decode(words) == instruction


@given(st.fixed_dictionaries({f.name: st.integers(f.low, f.high) for f in RECORD_FIELDS}))
def test_record_round_trip(values: dict[str, int]) -> None:
    record = Record(**values)
    assert asdict(Record.decode(record.encode())) == values


def test_fields_lie_where_the_specification_puts_them() -> None:
    words = Instruction(Opcode.CONV, kernel=3, dst_step=0xABCD, chunk=0x55).encode()
    fields = {f.name: f for f in SPEC.fields}
    for name, value in (("opcode", 3), ("kernel", 3), ("dst_step", 0xABCD), ("chunk", 0x55)):
        f = fields[name]
        assert words[f.word] >> f.lsb & (2**f.bits - 1) == value
    assert Record(bias=-1).encode()[0] == 0xFFFF_FFFF
    assert Record(masked_bias=-(2**31)).encode()[0] == 1 << 63


def test_every_value_that_does_not_fit_is_named() -> None:
    with pytest.raises(ValueError, match=r"CONV: kernel = 16 is outside 0..15; src_base = -1"):
        Instruction(Opcode.CONV, kernel=16, src_base=-1).encode()
    with pytest.raises(ValueError, match="bias = 2147483648"):
        Record(bias=2**31).encode()


def test_a_field_of_another_opcode_is_refused() -> None:
    with pytest.raises(ValueError, match="LOAD: does not use kernel, src_base"):
        Instruction(Opcode.LOAD, kernel=3, src_base=1).encode()


def test_decoding_refuses_reserved_bits_and_unknown_opcodes() -> None:
    words = list(Instruction(Opcode.END).encode())
    words[7] = 1 << 63
    with pytest.raises(ValueError, match="END: does not use mult"):
        Instruction.decode(words)
    words = list(Instruction(Opcode.LOAD).encode())
    words[3] |= 1 << 42
    with pytest.raises(ValueError, match="LOAD: does not use"):
        Instruction.decode(words)
    with pytest.raises(ValueError, match="0 is not a valid Opcode"):
        Instruction.decode([0] * INSTRUCTION_WORDS)
