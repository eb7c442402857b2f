"""The bits that the numbers in LLVM IR really have.

The machine's integers are wider than the registers that they stand for.  An operator is as wide as
the bits of its result that are in demand (those that a later ``trunc`` or mask keeps), and no wider
than its range needs.  Vitis HLS narrows operators likewise.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping

from acsgen.engines.hlscheck.ir import Function, Instruction
from acsgen.engines.hlscheck.ranges import Range, Ranges, bits_of

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
        self._demand = self._settled(named)
        self._range = Ranges(function, self._uses)

    def range_of(self, name: str) -> Range | None:
        """Return the least and the greatest number that a value can be, if they are known."""
        return self._range.known.get(name)

    def of(self, instruction: Instruction) -> int:
        """Return the bits of a value; of a comparison, those of its wider side."""
        if instruction.opcode == "icmp":
            sides = self._range.operands(instruction, instruction.width)
            return min(instruction.width, max(bits_of(side) for side in sides))
        demand = self._demand.get(instruction.name, 64)
        known = self._range.known.get(instruction.name)
        bits = demand if known is None else min(demand, bits_of(known))
        return min(instruction.width, max(bits, 1))

    def _settled(self, named: list[Instruction]) -> dict[str, int]:
        """Let the demand grow until nothing changes."""
        bits = {instruction.name: 0 for instruction in named}
        pending = named[:]
        waiting = set(bits)
        while pending:
            instruction = pending.pop()
            waiting.discard(instruction.name)
            found = self._demand_of(instruction, bits)
            if found <= bits[instruction.name]:
                continue
            bits[instruction.name] = found
            for operand in instruction.operands:
                if operand in self._values and operand not in waiting:
                    waiting.add(operand)
                    pending.append(self._values[operand])
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
            return min(use.width, bits[use.name] + int(constant[1]))
        if use.opcode in _UPWARDS:
            return bits[use.name]
        return 64 if use.opcode not in ("lshr", "ashr") or bits[use.name] else 0
