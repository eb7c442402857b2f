"""Loads ``hw/spec/engine.yaml``, checks that it makes sense, and derives the rest from it.

Derived are the version hash that driver and engine compare, the offsets of the AXI4-Lite
registers as Vitis HLS lays them out, and for every opcode its roles and the bits that must be zero.

Nothing here may import a rendered file, directly or through another module:
the files must be renderable when they are missing or broken.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from acsgen.isa.bits import WORD_BITS, BitField
from acsgen.isa.sigmoid import sigmoid_table
from acsgen.support.assets import asset
from acsgen.support.errors import Problem, UserError

FIRST_ARGUMENT_OFFSET = 0x10
#: Bytes an argument takes in the register map: data, control word, spares.
ARGUMENT_BYTES = {"pointer": 12, "input": 8, "output": 16}
#: Suffix by which a pointer argument's name becomes that of the argument with the buffer's size.
SIZE_SUFFIX = "_words"
#: Largest status code that engines carry from the check to the register.
MAX_STATUS = 255

Name = Field(pattern=r"^[a-z][a-z0-9_]*$")
UpperName = Field(pattern=r"^[A-Z][A-Z0-9_]*$")


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Constant(_Model):
    """A number that all engines share."""

    value: int
    doc: str


class Code(_Model):
    """An opcode, a mode or a status: a number with a name."""

    code: int = Field(ge=0)
    doc: str


class Role(_Model):
    """A fact of some opcodes: of those that use ``field``, or ``ops``; LINEAR only in ``modes``."""

    field: str | None = None
    ops: list[str] | None = None
    modes: list[str] | None = None
    doc: str

    @model_validator(mode="after")
    def _has_one_rule(self) -> Role:
        if (self.field is None) == (self.ops is None):
            raise ValueError("a role names either a field or opcodes")
        return self


class Value(_Model):
    """A value of fields: the bits that the engines keep, and a constant that must fit."""

    bits: int = Field(ge=1, le=WORD_BITS)
    holds: str | None = None
    doc: str


class WordField(_Model):
    """A bit field of an instruction or of a channel record; without a ``value`` it is a code."""

    name: str = Name
    value: str | None = None
    word: int = Field(ge=0)
    lsb: int = Field(ge=0, lt=WORD_BITS)
    bits: int = Field(ge=1, le=WORD_BITS)
    signed: bool = False
    doc: str

    @property
    def place(self) -> BitField:
        """All bits of the field, those above its value included."""
        return BitField(self.name, self.word, self.lsb, self.bits, self.signed)


class InstructionField(WordField):
    """A field of an instruction, with the opcodes that use it (``all`` or a list)."""

    ops: Literal["all"] | list[str]

    def used_by(self, opcode: str) -> bool:
        """Whether ``opcode`` uses this field; in others its bits are zero or another field's."""
        return self.ops == "all" or opcode in self.ops


class Argument(_Model):
    """An argument of the engine's top function, hence a register."""

    name: str = Name
    kind: Literal["pointer", "input", "output"]
    doc: str


class ControlRegister(_Model):
    """A register of the Vitis HLS block-level protocol."""

    offset: int = Field(ge=0, lt=FIRST_ARGUMENT_OFFSET)
    doc: str


class HeaderWord(_Model):
    """A 64-bit word at the head of the result buffer; its index is its place in the list."""

    name: str = Name
    doc: str


class Register(_Model):
    """A place in the AXI4-Lite map: ``offset`` in bytes of the (low) data word."""

    name: str
    offset: int
    kind: str
    doc: str


class Spec(_Model):
    """The whole specification, checked."""

    name: str = Name
    version: int
    constants: dict[str, Constant]
    opcodes: dict[str, Code]
    linear_modes: dict[str, Code]
    roles: dict[str, Role]
    values: dict[str, Value]
    fields: list[InstructionField]
    record_fields: list[WordField]
    status: dict[str, Code]
    arguments: list[Argument]
    control_registers: dict[str, ControlRegister]
    result_header: list[HeaderWord]

    def constant(self, name: str) -> int:
        """Return the value of a constant."""
        return self.constants[name].value

    @property
    def sigmoid_table(self) -> list[int]:
        """The engine's sigmoid table."""
        return [int(v) for v in sigmoid_table(self.constant("SIGMOID_FRACTION_BITS"))]

    @property
    def hash(self) -> int:
        """32 bits over all that a program or an engine can tell from outside, the sigmoid included.

        Documentation is left out, and so are roles, which change no word of a program and nothing
        that an engine answers.
        """
        visible = _without_docs(self.model_dump(exclude={"roles"}))
        content = {"spec": visible, "sigmoid": self.sigmoid_table}
        text = json.dumps(content, sort_keys=True, separators=(",", ":"))
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")

    @property
    def registers(self) -> tuple[Register, ...]:
        """The arguments' registers, in order, as Vitis HLS places them."""
        offset = FIRST_ARGUMENT_OFFSET
        found = []
        for a in self.arguments:
            found.append(Register(name=a.name, offset=offset, kind=a.kind, doc=a.doc))
            offset += ARGUMENT_BYTES[a.kind]
        return tuple(found)

    @property
    def buffers(self) -> tuple[tuple[str, str], ...]:
        """Every pointer argument, with the argument that gives the size of its buffer."""
        pointers = [a.name for a in self.arguments if a.kind == "pointer"]
        inputs = {a.name for a in self.arguments if a.kind == "input"}
        return tuple((p, p + SIZE_SUFFIX) for p in pointers if p + SIZE_SUFFIX in inputs)

    @property
    def register_entries(self) -> tuple[tuple[str, str, str], ...]:
        """Every register as (NAME, offset in hex, documentation), the control registers first."""
        control = [(n, r.offset, r.doc) for n, r in self.control_registers.items()]
        arguments = [(r.name.upper(), r.offset, r.doc) for r in self.registers]
        return tuple((n, f"0x{offset:02X}", doc) for n, offset, doc in control + arguments)

    @property
    def header_entries(self) -> tuple[tuple[str, int, str], ...]:
        """Every word of the result header as (NAME, index, documentation)."""
        return tuple((h.name.upper(), i, h.doc) for i, h in enumerate(self.result_header))

    def width(self, field: WordField) -> int:
        """Return the bits that the engines keep of a field's value."""
        return field.bits if field.value is None else self.values[field.value].bits

    def bit_field(self, field: WordField) -> BitField:
        """Return the bits of a field that are its value; those above are unused."""
        return replace(field.place, bits=min(field.bits, self.width(field)))

    def fields_of(self, opcode: str) -> tuple[InstructionField, ...]:
        """Return the fields that ``opcode`` uses."""
        return tuple(f for f in self.fields if f.used_by(opcode))

    def users(self, field: InstructionField) -> tuple[str, ...]:
        """Return the opcodes that use ``field``, in the order of the specification."""
        return tuple(op for op in self.opcodes if field.used_by(op))

    def shares_bits(self, field: InstructionField) -> bool:
        """Whether some opcodes have other fields in the bits of ``field``."""
        return any(other is not field and field.place.meets(other.place) for other in self.fields)

    def field(self, name: str) -> InstructionField:
        """Return the field of an instruction with this name."""
        return next(f for f in self.fields if f.name == name)

    def role_ops(self, role: Role) -> tuple[str, ...]:
        """Return the opcodes that have ``role``, if only in some of their modes."""
        named = {op for f in self.fields if f.name == role.field for op in self.users(f)}
        return tuple(op for op in self.opcodes if op in named.union(role.ops or ()))

    def conditional_ops(self, role: Role) -> tuple[str, ...]:
        """Return the opcodes that have ``role`` in some of their modes only."""
        if role.modes is None:
            return ()
        moded = {op for f in self.fields if f.name == "linear_mode" for op in self.users(f)}
        return tuple(op for op in self.role_ops(role) if op in moded)

    def unconditional_ops(self, role: Role) -> tuple[str, ...]:
        """Return the opcodes that always have ``role``."""
        conditional = self.conditional_ops(role)
        return tuple(op for op in self.role_ops(role) if op not in conditional)

    @property
    def decoding_order(self) -> tuple[InstructionField, ...]:
        """The fields of an instruction, the opcode first: it tells fields that share bits apart."""
        return tuple(sorted(self.fields, key=lambda f: f.name != "opcode"))

    @property
    def pad_values(self) -> int:
        """How many fields pad_value0, pad_value1, ... there are."""
        return sum(re.fullmatch(r"pad_value\d+", f.name) is not None for f in self.fields)

    @property
    def all_constants(self) -> dict[str, Constant]:
        """The constants, and behind them those that follow from them and are needed as often."""
        segment = self.constant("LANES") // self.constant("SEGMENTS")
        return self.constants | {
            "WORD_BITS": Constant(
                value=self.constant("WORD_BYTES") * 8, doc="Bits of a memory word; mask bits in it."
            ),
            "SEGMENT_PIXELS": Constant(value=segment, doc="Pixels of a segment."),
            "PAD_VALUES": Constant(
                value=self.pad_values,
                doc="Padding values of an instruction; the last serves all further input channels.",
            ),
        }

    def reserved_bits(self, opcode: str) -> tuple[tuple[int, int], ...]:
        """Return the bits that ``opcode`` must leave zero, as pairs (word, bits), bits not 0."""
        free = [(1 << WORD_BITS) - 1] * self.constant("INSTRUCTION_WORDS")
        for f in self.fields_of(opcode):
            free[f.word] &= ~self.bit_field(f).mask
        return tuple((word, bits) for word, bits in enumerate(free) if bits)


def load_spec(path: Path | None = None) -> Spec:
    """Load and check a specification, by default the shipped one.

    Raises :class:`UserError` with everything that is wrong with it.
    """
    path = asset("hw", "spec", "engine.yaml") if path is None else path
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        spec = TypeAdapter(Spec).validate_python(data)
    except yaml.YAMLError as error:
        raise UserError(Problem(path.name, f"not valid YAML: {error}")) from error
    except ValidationError as error:
        raise UserError(
            [Problem(".".join(map(str, e["loc"])), e["msg"]) for e in error.errors()]
        ) from error
    problems = list(_problems(spec))
    if problems:
        raise UserError(problems)
    return spec


def _without_docs(value: object) -> object:
    if isinstance(value, dict):
        return {k: _without_docs(v) for k, v in value.items() if k != "doc"}
    if isinstance(value, list):
        return [_without_docs(v) for v in value]
    return value


def _problems(spec: Spec) -> Iterable[Problem]:
    """Yield every contradiction in a well-formed specification."""
    required = (
        *("INSTRUCTION_WORDS", "RECORD_WORDS", "MASK_REGISTERS", "MASK_NONE"),
        *("WORD_BYTES", "LANES", "SEGMENTS", "TABLE_SIZE"),
    )
    missing = [name for name in required if name not in spec.constants]
    if missing:
        yield Problem("constants", f"missing: {', '.join(missing)}")
        return
    if spec.constant("WORD_BYTES") * 8 != WORD_BITS:
        yield Problem("constants.WORD_BYTES", f"words have {WORD_BITS} bits")
    if spec.constant("RECORD_WORDS") != 1:
        yield Problem("constants.RECORD_WORDS", "engines read a channel record as one word")
    if spec.constant("TABLE_SIZE") != len(spec.sigmoid_table):
        entries = len(spec.sigmoid_table)
        yield Problem("constants.TABLE_SIZE", f"the sigmoid of a signed byte has {entries} entries")
    for title, codes in (
        ("opcodes", spec.opcodes),
        ("linear_modes", spec.linear_modes),
        ("status", spec.status),
    ):
        yield from _duplicates(title, [c.code for c in codes.values()])
    for title, names in (
        ("fields", [f.name for f in spec.fields]),
        ("record_fields", [f.name for f in spec.record_fields]),
        ("arguments", [a.name for a in spec.arguments]),
        ("result_header", [h.name for h in spec.result_header]),
        ("control_registers", [r.offset for r in spec.control_registers.values()]),
    ):
        yield from _duplicates(title, names)
    yield from _placement(spec.fields, spec.constant("INSTRUCTION_WORDS"))
    yield from _placement(spec.record_fields, spec.constant("RECORD_WORDS"))
    for f in spec.fields:
        unknown = [] if f.ops == "all" else [op for op in f.ops if op not in spec.opcodes]
        if unknown:
            yield Problem(f"fields.{f.name}", f"unknown opcodes: {', '.join(unknown)}")
    yield from _role_problems(spec)
    for field in (*spec.fields, *spec.record_fields):
        yield from _value_problems(spec, field)
    by_name = {f.name: f for f in spec.fields}
    for name, codes in (("opcode", spec.opcodes), ("linear_mode", spec.linear_modes)):
        largest = max(c.code for c in codes.values())
        if name not in by_name:
            yield Problem("fields", f"there is no field {name}")
            continue
        if name == "opcode" and by_name[name].ops != "all":
            yield Problem("fields.opcode", "belongs to all opcodes: it tells which one it is")
        if largest > (high := by_name[name].place.high):
            yield Problem(f"fields.{name}", f"code {largest} is more than {high}")
    largest = max(c.code for c in spec.status.values())
    if not 1 <= min(c.code for c in spec.status.values()) <= largest <= MAX_STATUS:
        yield Problem("status", f"codes are 1 to {MAX_STATUS}; 0 is that of no run")
    if spec.constant("MASK_NONE") < spec.constant("MASK_REGISTERS"):
        yield Problem("constants.MASK_NONE", "is the number of a mask register")


def _role_problems(spec: Spec) -> Iterable[Problem]:
    """Yield roles that name missing things, and names that instructions have already.

    A role whose field is missing is a matter of rendering: :func:`acsgen.isa.render.render_all`.
    """
    fields = {f.name for f in spec.fields}
    for name, role in spec.roles.items():
        where = f"roles.{name}"
        if name in fields:
            yield Problem(where, "is the name of a field")
        for what, named, known in (
            ("opcodes", role.ops, spec.opcodes),
            ("modes", role.modes, spec.linear_modes),
        ):
            unknown = [n for n in named or () if n not in known]
            if unknown:
                yield Problem(where, f"unknown {what}: {', '.join(unknown)}")


def _value_problems(spec: Spec, field: WordField) -> Iterable[Problem]:
    """Yield the faults of the value of a field."""
    where = f"fields.{field.name}"
    if field.value is None:
        return
    if field.value not in spec.values:
        yield Problem(where, f"unknown value: {field.value}")
        return
    name = spec.values[field.value].holds
    if name is None:
        return
    if name not in spec.constants:
        yield Problem(f"values.{field.value}", f"unknown constant: {name}")
    elif spec.constant(name) > (high := spec.bit_field(field).high):
        yield Problem(where, f"{name} = {spec.constant(name)} is more than {high}")


def _duplicates(title: str, values: Sequence[int | str]) -> Iterable[Problem]:
    for value in sorted({v for v in values if values.count(v) > 1}, key=str):
        yield Problem(title, f"{value} appears more than once")


def _placement(fields: Sequence[WordField], words: int) -> Iterable[Problem]:
    """Yield fields that leave their word, or share bits with a field that an opcode uses too."""
    for index, f in enumerate(fields):
        if f.word >= words or f.lsb + f.bits > WORD_BITS:
            yield Problem(f"fields.{f.name}", f"is not inside the {words} words")
        for other in fields[:index]:
            if f.place.meets(other.place) and (common := _used_together(f, other)):
                yield Problem(f"fields.{f.name}", f"overlaps {other.name}{common}")


def _used_together(one: WordField, other: WordField) -> str:
    """Return where two fields meet, as the end of a sentence; empty where they never do."""
    if not (isinstance(one, InstructionField) and isinstance(other, InstructionField)):
        return " in every record"
    if one.ops == "all" or other.ops == "all":
        return " in all its opcodes"
    common = [op for op in one.ops if op in other.ops]
    return f" in {', '.join(common)}" if common else ""
