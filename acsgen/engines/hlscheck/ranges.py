"""The least and the greatest number that values of LLVM IR can be."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping

from acsgen.engines.hlscheck.ir import Function, Instruction
from acsgen.engines.hlscheck.memory import Objects

Range = tuple[int, int]

#: A range that has grown so often goes to the ends of its type.
_PATIENCE = 12

_MINIMUM = re.compile(r"@llvm\.[us]min\.")
_LITERALS = {"true": 1, "false": 0, "null": 0, "zeroinitializer": 0}


def bits_of(numbers: Range) -> int:
    """Return the bits that hold a range, in two's complement if some numbers are negative."""
    low, high = numbers
    if low >= 0:
        return max(high.bit_length(), 1)
    return max((-low - 1).bit_length(), high.bit_length()) + 1


class Ranges:
    """Ranges of all values of a function.

    A load gives the numbers that stores to the same place put there: a register in memory is as
    wide as its values.
    """

    def __init__(self, function: Function, uses: Mapping[str, list[Instruction]]) -> None:
        self._uses = uses
        self._objects = Objects(function)
        self._loads: dict[str, list[Instruction]] = defaultdict(list)
        self._stores: dict[str, list[Instruction]] = defaultdict(list)
        self.known: dict[str, Range] = {}
        everything = [i for block in function.blocks.values() for i in block]
        for instruction in everything:
            if instruction.opcode == "load":
                self._loads[self._objects.of(instruction)].append(instruction)
            elif instruction.opcode == "store":
                self._stores[self._objects.of(instruction)].append(instruction)
        numbers = [i for i in everything if i.name and i.width]
        self._named = frozenset(i.name for i in numbers)
        self._settle(numbers)

    def operands(self, instruction: Instruction, width: int) -> list[Range]:
        """Return the ranges of both operands of an instruction."""
        text = (
            instruction.text.split(" ", 2)[-1]
            if instruction.opcode == "icmp"
            else (instruction.text)
        )
        tokens = [part.rsplit(" ", 1)[-1] for part in text.split(", ")[:2]]
        return [self._number(token, width) for token in tokens]

    def _settle(self, named: list[Instruction]) -> None:
        changes: dict[str, int] = defaultdict(int)
        pending = list(reversed(named))
        waiting = {instruction.name for instruction in named}
        while pending:
            instruction = pending.pop()
            waiting.discard(instruction.name)
            found = self._found(instruction)
            before = self.known.get(instruction.name)
            if found is None or (before and before[0] <= found[0] and found[1] <= before[1]):
                continue
            changes[instruction.name] += 1
            if before:
                found = (min(before[0], found[0]), max(before[1], found[1]))
            if changes[instruction.name] > _PATIENCE:
                found = _whole(instruction.width)
            self.known[instruction.name] = found
            for use in self._uses[instruction.name]:
                touched = [use]
                if use.opcode == "store":
                    touched = self._loads[self._objects.of(use)]
                for other in touched:
                    if other.name and other.width and other.name not in waiting:
                        waiting.add(other.name)
                        pending.append(other)

    def _number(self, token: str, width: int) -> Range:
        if token in _LITERALS:
            return _LITERALS[token], _LITERALS[token]
        if re.fullmatch(r"-?\d+", token):
            return int(token), int(token)
        return self.known.get(token, _whole(width))

    def _found(self, instruction: Instruction) -> Range | None:
        """Return the range that the operands give; None while they are not known."""
        opcode, width, text = instruction.opcode, instruction.width, instruction.text
        if opcode == "icmp":
            return 0, 1
        if opcode == "load":
            stores = self._stores[self._objects.of(instruction)]
            return self._union([s.text.split(", ")[0].rsplit(" ", 1)[-1] for s in stores], width)
        if opcode == "phi":
            return self._union([value for value, _ in instruction.incoming], width)
        if opcode == "select":
            return self._union([p.rsplit(" ", 1)[-1] for p in text.split(", ")[1:3]], width)
        if opcode in ("zext", "sext", "trunc"):
            return self._converted(instruction)
        if opcode == "call" and _MINIMUM.search(text):
            sides = [
                self._number(n, width) for n in re.findall(r"i\d+ (?:noundef )?(\S+?)[,)]", text)
            ]
            known = [side for side in sides if side[0] >= 0]
            return (0, min(s[1] for s in known)) if known else _whole(width)
        tokens = [part.rsplit(" ", 1)[-1] for part in text.split(", ")[:2]]
        if len(tokens) < 2:
            return _whole(width)
        if any(t in self._named and t not in self.known for t in tokens):
            return None
        a, b = (self._number(token, width) for token in tokens)
        found = _computed(opcode, a, b, width)
        return found if found is not None and _fits(found, width) else _whole(width)

    def _union(self, tokens: list[str], width: int) -> Range | None:
        known = [
            self._number(t, width)
            for t in tokens
            if t in self.known or t not in self._named  # an argument can be any number
            if t not in ("undef", "poison")
        ]
        if not tokens:
            return _whole(width)
        return (min(k[0] for k in known), max(k[1] for k in known)) if known else None

    def _converted(self, instruction: Instruction) -> Range | None:
        match = re.match(r"\w+ (?:nneg |nuw |nsw )*i(\d+) (\S+) to", instruction.text)
        if match is None:
            return _whole(instruction.width)
        source, token = int(match[1]), match[2]
        if token in self._named and token not in self.known:
            return None
        low, high = self._number(token, source)
        if instruction.opcode == "zext" and low < 0:
            return 0, 2**source - 1
        if instruction.opcode == "trunc" and not _fits((low, high), instruction.width):
            return _whole(instruction.width)
        return low, high


def _whole(width: int) -> Range:
    if width <= 1:
        return 0, 1
    return -(1 << (width - 1)), (1 << (width - 1)) - 1


def _fits(numbers: Range, width: int) -> bool:
    """Whether a range is one of numbers with or without sign in so many bits."""
    low, high = numbers
    return -(1 << (width - 1)) <= low and high < 1 << width


def _computed(opcode: str, a: Range, b: Range, width: int) -> Range | None:
    if opcode == "add":
        return a[0] + b[0], a[1] + b[1]
    if opcode == "sub":
        return a[0] - b[1], a[1] - b[0]
    if opcode == "mul":
        products = [x * y for x in a for y in b]
        return min(products), max(products)
    if opcode == "and":
        limits = [x[1] for x in (a, b) if x[0] >= 0]
        return (0, min(limits)) if limits else None
    if opcode in ("or", "xor"):
        if min(a[0], b[0]) < 0:
            return None
        return 0, 2 ** max(a[1].bit_length(), b[1].bit_length()) - 1
    if opcode == "shl" and b[0] == b[1]:
        return a[0] << b[0], a[1] << b[0]
    if opcode == "lshr" and b[0] >= 0:
        return (0, a[1] >> b[0]) if a[0] >= 0 else (0, (2**width - 1) >> b[0])
    if opcode == "ashr" and b[0] == b[1]:
        return a[0] >> b[0], a[1] >> b[0]
    if opcode in ("urem", "srem") and b[0] == b[1] and b[0] > 0:
        return (0 if a[0] >= 0 or opcode == "urem" else 1 - b[0]), b[0] - 1
    if opcode in ("udiv", "sdiv") and b[0] == b[1] and b[0] > 0 and a[0] >= 0:
        return a[0] // b[0], a[1] // b[0]
    return None
