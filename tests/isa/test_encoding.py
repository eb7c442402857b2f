"""Instructions and records survive encoding, and a value that does not fit is refused by name."""

from __future__ import annotations

import re
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acsgen.isa.generated import (
    INSTRUCTION_FIELDS,
    INSTRUCTION_WORDS,
    RECORD_FIELDS,
    RECORD_WORDS,
    Instruction,
    Opcode,
    Record,
)
from acsgen.isa.spec import load_spec

from .places import UNKNOWN_OPCODES, put, unnamed_bit

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
    high = {f.name: f.high for f in INSTRUCTION_FIELDS}
    step = 0xABCD & high["dst_step"]
    words = Instruction(Opcode.CONV, kernel=3, dst_step=step, chunk=0x55).encode()
    expected = [0] * INSTRUCTION_WORDS
    fields = {f.name: f for f in SPEC.fields}
    values = {"opcode": SPEC.opcodes["CONV"].code, "kernel": 3, "dst_step": step, "chunk": 0x55}
    for name, value in values.items():
        expected[fields[name].word] |= value << fields[name].lsb
    assert list(words) == expected
    records = {f.name: f for f in SPEC.record_fields}
    for name, value, bits in (
        ("bias", -3, (1 << SPEC.bit_field(records["bias"]).bits) - 3),
        ("mult", 5, 5),
    ):
        expected = [0] * RECORD_WORDS
        expected[records[name].word] = bits << records[name].lsb
        assert list(Record(**{name: value}).encode()) == expected


def test_every_value_that_does_not_fit_is_named() -> None:
    high = {f.name: f.high for f in (*INSTRUCTION_FIELDS, *RECORD_FIELDS)}
    kernel, bias = high["kernel"] + 1, high["bias"] + 1
    expected = f"CONV: kernel = {kernel} is outside 0..{kernel - 1}; src_base = -1"
    with pytest.raises(ValueError, match=expected):
        Instruction(Opcode.CONV, kernel=kernel, src_base=-1).encode()
    with pytest.raises(ValueError, match=f"bias = {bias}"):
        Record(bias=bias).encode()


def test_a_field_of_another_opcode_is_refused() -> None:
    with pytest.raises(ValueError, match="LOAD: does not use") as caught:
        Instruction(Opcode.LOAD, kernel=3, src_base=1).encode()
    assert {"kernel", "src_base"} <= set(re.findall(r"\w+", str(caught.value)))


def test_decoding_refuses_reserved_bits_and_unknown_opcodes() -> None:
    words = list(Instruction(Opcode.END).encode())
    put(words, "mult", 1)
    with pytest.raises(ValueError, match=r"END: does not use (\w+, )*mult"):
        Instruction.decode(words)
    word, bit = unnamed_bit()
    words = list(Instruction(Opcode.LOAD).encode())
    words[word] |= 1 << bit
    with pytest.raises(ValueError, match="LOAD: does not use bits"):
        Instruction.decode(words)
    for unknown in UNKNOWN_OPCODES:
        put(words, "opcode", unknown)
        with pytest.raises(ValueError, match=f"{unknown} is not a valid Opcode"):
            Instruction.decode(words)
