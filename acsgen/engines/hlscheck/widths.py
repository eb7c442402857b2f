"""The bits that the numbers in LLVM IR really have.

The machine's integers are wider than the registers that they stand for.  An operator is as wide as
the bits of its result that are in demand (those that a later ``trunc`` or mask keeps), and no wider
than its range needs (what a ``zext`` or a mask lets through).  Vitis HLS narrows operators likewise.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping

from acsgen.engines.hlscheck.ir import Function, Instruction

#: Bit ``n`` of their result depends on no higher bits of their operands.
_UPWARDS = frozenset({"add", "sub", "mul", "and", "or", "xor", "phi", "select", "freeze"})
_CONSTANT = re.compile(r", (-?\d+)$")


class Widths:
    """Bits of every value of a function."""

    def __init__(self, function: Function) -> None:
        self._values = function.values
        self._uses: dict[str, list[Instruction]] = defaultdict(list)
        instructions = [i for block in function.blocks.values() for i in block]
        for instruction in instructions:
            for operand in set(instruction.operands):
                self._uses[operand].append(instruction)
        named = [i for i in instructions if i.name]
        self._demand = self._settled(named, self._demand_of, backwards=True)
        self._range = self._settled(named, self._range_of, backwards=False)

    def of(self, instruction: Instruction) -> int:
        """Return the bits of a value; of a comparison, those of its wider side."""
        if instruction.opcode == "icmp":
            sides = [self._range.get(name, instruction.width) for name in instruction.operands]
            constants = [int(c) for c in re.findall(r"[ ,](-?\d+)\b(?=,|$)", instruction.text)]
            signed = any(c < 0 for c in constants)
            needed = max([*sides, *(c.bit_length() for c in constants)], default=0)
            return instruction.width if signed else min(instruction.width, max(needed, 1))
        name = instruction.name
        bits = min(self._demand.get(name, 64), self._range.get(name, 64))
        return min(instruction.width, max(bits, 1))

    def _settled(
        self,
        named: list[Instruction],
        rule: Callable[[Instruction, Mapping[str, int]], int],
        backwards: bool,
    ) -> dict[str, int]:
        """Apply a rule that only grows until nothing changes."""
        bits = {instruction.name: 0 for instruction in named}
        pending = list(reversed(named)) if not backwards else named[:]
        waiting = set(bits)
        while pending:
            instruction = pending.pop()
            waiting.discard(instruction.name)
            found = rule(instruction, bits)
            if found <= bits[instruction.name]:
                continue
            bits[instruction.name] = found
            if backwards:
                touched = [self._values[o] for o in instruction.operands if o in self._values]
            else:
                touched = [use for use in self._uses[instruction.name] if use.name]
            for other in touched:
                if other.name not in waiting:
                    waiting.add(other.name)
                    pending.append(other)
        return bits

    def _demand_of(self, instruction: Instruction, bits: Mapping[str, int]) -> int:
        demand = 0
        for use in self._uses[instruction.name]:
            demand = max(demand, self._demanded_by(use, instruction.name, bits))
        return demand

    def _demanded_by(self, use: Instruction, name: str, bits: Mapping[str, int]) -> int:
        constant = _CONSTANT.search(use.text)
        if use.opcode == "trunc":
            return min(use.width, bits[use.name])
        if use.opcode == "zext":
            return bits[use.name]
        if use.opcode == "select" and use.operands[0] == name:
            return 1
        if use.opcode == "and" and constant and int(constant[1]) >= 0:
            return min(int(constant[1]).bit_length(), bits[use.name])
        if use.opcode == "shl" and constant:
            return max(bits[use.name] - int(constant[1]), 0)
        if use.opcode in ("lshr", "ashr") and constant and bits[use.name]:
            return min(64, bits[use.name] + int(constant[1]))
        if use.opcode in _UPWARDS:
            return bits[use.name]
        return 64 if use.opcode not in ("lshr", "ashr") or bits[use.name] else 0

    def _range_of(self, instruction: Instruction, bits: Mapping[str, int]) -> int:
        width, opcode = instruction.width, instruction.opcode
        constant = _CONSTANT.search(instruction.text)
        value = int(constant[1]) if constant else None
        sides = [bits[o] if o in bits else 64 for o in instruction.operands]
        if opcode == "zext":
            source = re.match(r"zext (?:nneg )?i(\d+)", instruction.text)
            return min([int(source[1]) if source else 64, *sides])
        if opcode == "trunc":
            return min([width, *sides])
        if opcode == "and":
            known = [*sides, *([value.bit_length()] if value is not None and value >= 0 else [])]
            return min([width, *known])
        if opcode == "lshr" and value is not None:
            return max(min([width, *sides]) - value, 0)
        if opcode in ("or", "xor", "add", "mul", "shl") and (value is None or value >= 0):
            own = [] if value is None else [value.bit_length()]
            if opcode == "mul":
                return min(width, sum([*sides, *own]))
            if opcode == "shl":
                return width if value is None else min(width, sides[0] + value)
            return min(width, max([*sides, *own], default=0) + (opcode == "add"))
        if opcode in ("phi", "select"):
            return self._chosen(instruction, bits)
        if opcode == "icmp":
            return 1
        return width or 64

    def _chosen(self, instruction: Instruction, bits: Mapping[str, int]) -> int:
        """The widest of the values that a phi or a selection chooses from."""
        if instruction.opcode == "phi":
            values = [value for value, _ in instruction.incoming]
        else:
            values = [part.split(" ")[-1] for part in instruction.text.split(", ")[1:]]
        found = 0
        for value in values:
            if re.fullmatch(r"-?\d+", value):
                number = int(value)
                found = max(found, number.bit_length() if number >= 0 else instruction.width)
            elif value in ("true", "undef", "poison"):
                found = max(found, 1 if value == "true" else 0)
            elif value not in ("false", "null", "zeroinitializer"):
                found = max(found, bits.get(value, instruction.width))
        return min(instruction.width or 64, found)
