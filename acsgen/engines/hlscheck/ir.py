"""Reads a function of LLVM IR text: blocks, instructions, loops, and where they stand in C++."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

#: Of a value, as the text of LLVM IR has it.
NAME = r'%(?:"[^"]*"|[\w.$-]+)'
_RESULT = re.compile(rf"^  ({NAME}) = (.*)$")
_LABEL = re.compile(r'^("[^"]*"|[\w.$-]+):')
_OPERAND = re.compile(rf"{NAME}|@[\w.$]+")
_TARGET = re.compile(rf"label ({NAME})")
_METADATA = re.compile(r"^!(\d+) = (.*)$")
_PREFIXES = re.compile(r"^(?:tail |musttail |notail )")


@dataclass(frozen=True, eq=False)
class Instruction:
    """One instruction.

    Attributes:
        name: of its result, with ``%``; empty if there is none.
        opcode: the first word: ``add``, ``load``, ...
        text: the instruction behind the result's name, without metadata.
        block: name of its block, with ``%``.
        location: number of its debug location, or None.
        loop: number of the metadata of the loop that a branch closes, or None.
    """

    name: str
    opcode: str
    text: str
    block: str
    location: int | None
    loop: int | None

    @cached_property
    def operands(self) -> tuple[str, ...]:
        """Names of values, arguments and globals that it uses; blocks are none."""
        text = self.text
        if self.opcode == "phi":
            return tuple(value for value, _ in self.incoming if value[:1] in "%@")
        return tuple(_OPERAND.findall(_TARGET.sub("", _types_removed(text))))

    @cached_property
    def incoming(self) -> tuple[tuple[str, str], ...]:
        """For a phi: each value with the block that it comes from."""
        found = re.findall(rf"\[ (.+?), ({NAME}) \]", self.text)
        return tuple((value, block) for value, block in found)

    @cached_property
    def targets(self) -> tuple[str, ...]:
        """Blocks that a terminator may go to."""
        return tuple(dict.fromkeys(_TARGET.findall(self.text)))

    @cached_property
    def width(self) -> int:
        """Bits of the whole number that it computes, or compares; 0 if there is none."""
        if self.opcode == "icmp":
            match = re.match(r"icmp \w+ i(\d+)", self.text)
        elif self.opcode in ("zext", "sext", "trunc"):
            match = re.search(r" to i(\d+)", self.text)
        elif self.opcode == "select":  # the condition comes first
            match = re.match(r"select i1 \S+, i(\d+) ", self.text)
        else:
            match = re.search(r"\bi(\d+)\b", self.text)
        return int(match[1]) if match else 0


def _types_removed(text: str) -> str:
    """Named types look like values (``%struct.x*``): they are taken out."""
    text = re.sub(r"%(?:struct|class|union)\.[\w.$:]+", "", text)
    return re.sub(r'%"(?:struct|class|union)\.[^"]*"', "", text)


@dataclass(frozen=True)
class Place:
    """A line of the sources."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True)
class Loop:
    """A natural loop with one header.

    Attributes:
        header: its first block.
        latches: the blocks that lead back.
        blocks: all of its blocks, inner loops included.
        start: where it begins in the sources.
    """

    header: str
    latches: frozenset[str]
    blocks: frozenset[str]
    start: Place | None


class Function:
    """A function of a module, with the debug information of the module."""

    def __init__(self, module: str, name: str, folder: Path) -> None:
        """Read the function ``name`` from the text of a module.

        ``folder`` has the sources: a location in another folder is that of the call from it.
        """
        lines = module.splitlines()
        starts = [i for i, line in enumerate(lines) if line.startswith("define")]
        head = next(i for i in starts if re.search(rf"@{re.escape(name)}\(", lines[i]))
        end = lines.index("}", head)
        self.folder = folder.resolve()
        signature = lines[head].split(f"@{name}(", 1)[1]
        self.arguments: tuple[str, ...] = tuple(
            re.findall(rf"({NAME})[,)]", _types_removed(signature))
        )
        self._metadata: dict[int, str] = {}
        self._places: dict[int, Place | None] = {}
        for line in lines:
            match = _METADATA.match(line)
            if match:
                self._metadata[int(match[1])] = match[2]
        self.blocks: dict[str, list[Instruction]] = {}
        self._read(lines[head + 1 : end])
        self.values = {i.name: i for block in self.blocks.values() for i in block if i.name}

    def _read(self, lines: list[str]) -> None:
        block = ""
        joined: list[str] = []
        for line in lines:
            # A switch spans lines.
            if joined and joined[-1].count("[") > joined[-1].count("]"):
                joined[-1] += " " + line.strip()
            else:
                joined.append(line)
        for line in joined:
            label = _LABEL.match(line)
            if label:
                block = f"%{label[1]}"
                self.blocks[block] = []
                continue
            if not line.startswith("  "):
                continue
            if not self.blocks:
                block = "%entry"
                self.blocks[block] = []
            match = _RESULT.match(line)
            result, text = (match[1], match[2]) if match else ("", line.strip())
            location = re.search(r", !dbg !(\d+)", text)
            loop = re.search(r", !llvm\.loop !(\d+)", text)
            plain = _PREFIXES.sub("", re.split(r", ![a-z]", text, maxsplit=1)[0])
            self.blocks[block].append(
                Instruction(
                    result,
                    plain.split(" ", 1)[0],
                    plain,
                    block,
                    int(location[1]) if location else None,
                    int(loop[1]) if loop else None,
                )
            )

    @cached_property
    def successors(self) -> Mapping[str, tuple[str, ...]]:
        """The blocks that follow each block."""
        return {name: block[-1].targets for name, block in self.blocks.items()}

    @cached_property
    def predecessors(self) -> Mapping[str, tuple[str, ...]]:
        """The blocks that each block follows."""
        before: dict[str, list[str]] = {name: [] for name in self.blocks}
        for name, after in self.successors.items():
            for target in after:
                before[target].append(name)
        return {name: tuple(found) for name, found in before.items()}

    @cached_property
    def order(self) -> tuple[str, ...]:
        """All blocks that are reached, every one behind those that dominate it."""
        seen: set[str] = set()
        done: list[str] = []
        entry = next(iter(self.blocks))
        stack = [(entry, iter(self.successors[entry]))]
        seen.add(entry)
        while stack:
            name, rest = stack[-1]
            following = next((t for t in rest if t not in seen), None)
            if following is None:
                done.append(name)
                stack.pop()
            else:
                seen.add(following)
                stack.append((following, iter(self.successors[following])))
        return tuple(reversed(done))

    @cached_property
    def idom(self) -> Mapping[str, str]:
        """The immediate dominator of each block (Cooper, Harvey, Kennedy); the entry has itself."""
        number = {name: i for i, name in enumerate(self.order)}
        found = {self.order[0]: self.order[0]}
        changed = True
        while changed:
            changed = False
            for name in self.order[1:]:
                known = [p for p in self.predecessors[name] if p in found]
                best = known[0]
                for other in known[1:]:
                    a, b = best, other
                    while a != b:
                        while number[a] > number[b]:
                            a = found[a]
                        while number[b] > number[a]:
                            b = found[b]
                    best = a
                if found.get(name) != best:
                    found[name] = best
                    changed = True
        return found

    def dominates(self, one: str, other: str) -> bool:
        """Whether every way to ``other`` leads through ``one``."""
        while other != one and self.idom[other] != other:
            other = self.idom[other]
        return other == one

    @cached_property
    def loops(self) -> tuple[Loop, ...]:
        """All loops, inner ones behind those around them."""
        latches: dict[str, set[str]] = {}
        for name in self.order:
            for target in self.successors[name]:
                if self.dominates(target, name):
                    latches.setdefault(target, set()).add(name)
        found = []
        for header, ends in latches.items():
            blocks, pending = {header}, list(ends)
            while pending:
                block = pending.pop()
                if block not in blocks:
                    blocks.add(block)
                    pending.extend(self.predecessors[block])
            numbers = [self.blocks[end][-1].loop for end in ends]
            start = next((self._loop_start(n) for n in numbers if n is not None), None)
            found.append(Loop(header, frozenset(ends), frozenset(blocks), start))
        return tuple(sorted(found, key=lambda loop: -len(loop.blocks)))

    def innermost(self, block: str) -> Loop | None:
        """Return the smallest loop around a block."""
        return next((loop for loop in reversed(self.loops) if block in loop.blocks), None)

    def _loop_start(self, number: int) -> Place | None:
        for reference in re.findall(r"!(\d+)", self._metadata[number]):
            if "!DILocation(" in self._metadata[int(reference)]:
                return self._place(int(reference))
        return None

    def place(self, instruction: Instruction) -> Place | None:
        """Return the line of the folder's sources that an instruction comes from."""
        return None if instruction.location is None else self._place(instruction.location)

    def calls(self, instruction: Instruction) -> dict[str, str]:
        """Return the functions that an instruction was inlined from, each with its call's place."""
        found: dict[str, str] = {}
        location = instruction.location
        while location is not None:
            text = self._metadata[location]
            around = re.search(r"inlinedAt: !(\d+)", text)
            if around is None:
                break
            call = self._metadata[int(around[1])]
            place = re.search(r"line: \d+(?:, column: \d+)?", call)
            found[self._subprogram(text)] = place[0] if place else ""
            location = int(around[1])
        return found

    def _subprogram(self, text: str) -> str:
        """The name of the function that a scope of the debug information is in."""
        while "DISubprogram(" not in text:
            scope = re.search(r"\bscope: !(\d+)", text)
            if scope is None:
                return ""
            text = self._metadata[int(scope[1])]
        name = re.search(r'name: "([^"]*)"', text)
        return name[1] if name else ""

    def _place(self, number: int) -> Place | None:
        if number not in self._places:
            self._places[number] = self._found_place(number)
        return self._places[number]

    def _found_place(self, number: int) -> Place | None:
        location: int | None = number
        while location is not None:
            text = self._metadata[location]
            line = re.search(r"\bline: (\d+)", text)
            file = self._file(text)
            if file is not None and file.parent == self.folder:
                return Place(file.name, int(line[1]) if line else 0)
            around = re.search(r"inlinedAt: !(\d+)", text)
            location = int(around[1]) if around else None
        return None

    def _file(self, text: str) -> Path | None:
        while True:
            file = re.search(r"\bfile: !(\d+)", text)
            if file:
                content = self._metadata[int(file[1])]
                name = re.search(r'filename: "([^"]*)"', content)
                folder = re.search(r'directory: "([^"]*)"', content)
                return (Path(folder[1] if folder else "") / (name[1] if name else "")).resolve()
            scope = re.search(r"\bscope: !(\d+)", text)
            if not scope:
                return None
            text = self._metadata[int(scope[1])]
