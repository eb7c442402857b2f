"""Rewrites LLVM IR so that arrays of registers become values, as ARRAY_PARTITION does.

A local array that no ``BIND_STORAGE`` pragma makes a memory is registers.  LLVM keeps it in memory
where an index is not constant.  Here an access by such an index becomes one access to each element
with choices between them: a read is a tree of choices of two by the bits of the index, a write
writes every element, the others with what they hold.  LLVM's own passes then make values of all.
"""

from __future__ import annotations

import itertools
import re
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from acsgen.engines.hlscheck.ir import NAME, Function, Instruction
from acsgen.engines.hlscheck.llvm import PARTITIONED, TOP, transform
from acsgen.engines.hlscheck.loops import Sources
from acsgen.engines.hlscheck.recurrence import unroll_module

#: Elements of the largest array that is taken for registers.
MOST_ELEMENTS = 64

_ELEMENT = re.compile(rf"getelementptr (?:inbounds )?(?P<type>.+?), (?P=type)\* (?P<base>{NAME})")
_INDEX = re.compile(rf", (i\d+) ({NAME}|\d+)")
_SELECT = re.compile(rf"select i1 (\S+), (.+?) ({NAME}), .+? ({NAME})$")
_LOAD = re.compile(rf"load (.+?), .+?\* ({NAME})(.*)$")
_STORE = re.compile(rf"store (.+?) (\S+), .+?\* ({NAME})(.*)$")
_ARRAY = re.compile(r"\[(\d+) x (.*)\]$")
_STRUCT = re.compile(r'^(%"?[\w.:() ]+"?) = type (?:<\{(.*)\}>|\{(.*)\})$', re.MULTILINE)
_DEBUG = re.compile(r", !dbg !\d+")


@dataclass(frozen=True)
class _Choice:
    """A pointer that is one of two: that of ``yes`` where the condition is true."""

    condition: str
    yes: _Choice | str
    no: _Choice | str


def partitioned_function(sources: Path, module: Path, written: Sources, top: str = TOP) -> Function:
    """Return the top function of a module, with pipelines unrolled and registers as values.

    Args:
        sources: folder of rendered sources.
        module: of :func:`acsgen.engines.hlscheck.llvm.compile_module`, made from them.
        written: what the text of the sources says.
        top: the top function.
    """
    with tempfile.TemporaryDirectory(prefix="acsgen-llvm-") as scratch:
        done = unroll_module(sources, module, Path(scratch) / "unrolled.ll", written, top)
        while True:
            text = done.read_text(encoding="utf-8")
            function = Function(text, top, sources)
            apart = Partition(text, top, function, written)
            if not apart.count:
                return function
            (Path(scratch) / "apart.ll").write_text(apart.text, encoding="utf-8")
            done = transform(Path(scratch) / "apart.ll", Path(scratch) / "values.ll", PARTITIONED)


class Partition:
    """The text of a module whose registers are values.

    Args:
        text: the module.
        top: the function to rewrite.
        function: the same function, read.
        written: what the text of the sources says.
    """

    def __init__(self, text: str, top: str, function: Function, written: Sources) -> None:
        self._function, self._written = function, written
        self._structs = {
            found[1]: (found[2] or found[3] or "").strip() for found in _STRUCT.finditer(text)
        }
        self._pointers: dict[str, _Choice] = {}
        #: Accesses that were taken apart; those of an array in an array need another time.
        self.count = 0
        used = (int(number) for number in re.findall(r"%part\.(\d+)", text))
        self._numbers = itertools.count(1 + max(used, default=0))
        self.text = "\n".join(self._rewritten(text.splitlines(), top)) + "\n"

    def _rewritten(self, lines: list[str], top: str) -> Iterator[str]:
        inside = False
        for line in lines:
            if line.startswith("define"):
                inside = f"@{top}(" in line
            elif line == "}":
                inside = False
            name = re.match(rf"  (?:({NAME}) = |store )", line) if inside else None
            yield from (line,) if name is None else self._line(line, name[1])

    def _line(self, line: str, name: str | None) -> Iterator[str]:
        debug = "".join(_DEBUG.findall(line))
        plain = re.split(r", ![a-z]", line.strip(), maxsplit=1)[0]
        if name is not None:
            plain = plain.removeprefix(f"{name} = ")
            node = self._function.values.get(name)
            if node is not None and node.opcode in ("getelementptr", "bitcast", "select"):
                made = list(self._pointer(name, node, debug))
                if made:
                    yield from made
                    return
            load = _LOAD.match(plain)
            if load and load[2] in self._pointers:
                yield from self._read(name, load, self._pointers[load[2]], debug)
                return
        store = _STORE.match(plain)
        if store and store[3] in self._pointers:
            yield from self._write(store, self._pointers[store[3]], debug)
            return
        yield line

    def _new(self) -> str:
        return f"%part.{next(self._numbers)}"

    # Pointers.

    def _pointer(self, name: str, node: Instruction, debug: str) -> Iterator[str]:
        """The lines that make the pointers of the elements; none where the pointer is plain."""
        if node.opcode == "select":
            found = _SELECT.match(node.text)
            if found and found[2].endswith("*"):
                ways = [self._pointers.get(found[n], found[n]) for n in (3, 4)]
                self._pointers[name] = _Choice(found[1], ways[0], ways[1])
                # The pointer itself is still there, and unused.
                yield f"  {name} = {node.text}{debug}"
            return
        base = node.operands[0]
        if base in self._pointers:
            lines: list[str] = []
            self._pointers[name] = self._derived(self._pointers[base], base, node, lines, debug)
            yield from lines
            return
        element = _ELEMENT.match(node.text) if node.opcode == "getelementptr" else None
        if element is None or not self._is_register(base):
            return
        indices = _INDEX.findall(node.text)
        for place, size in self._variable(element["type"], indices):
            if size > MOST_ELEMENTS:
                return
            lines = []
            kind, index = indices[place]
            bits = []
            for number in range((size - 1).bit_length()):
                moved, bit = self._new(), self._new()
                lines.append(f"  {moved} = lshr {kind} {index}, {number}{debug}")
                lines.append(f"  {bit} = trunc {kind} {moved} to i1{debug}")
                bits.append(bit)
            leaves: list[_Choice | str] = []
            for number in range(size):
                leaf = self._new()
                chosen = [*indices[:place], (kind, str(number)), *indices[place + 1 :]]
                lines.append(f"  {leaf} = {element[0]}{_written(chosen)}{debug}")
                leaves.append(leaf)
            tree = _tree(bits, leaves)
            if isinstance(tree, _Choice):
                self._pointers[name] = tree
                yield from lines
                yield f"  {name} = {node.text}{debug}"
            return

    def _derived(
        self, way: _Choice | str, base: str, node: Instruction, lines: list[str], debug: str
    ) -> _Choice:
        def made(at: _Choice | str) -> _Choice | str:
            if isinstance(at, _Choice):
                return _Choice(at.condition, made(at.yes), made(at.no))
            leaf = self._new()
            lines.append(f"  {leaf} = {_replaced(node.text, base, at)}{debug}")
            return leaf

        found = made(way)
        assert isinstance(found, _Choice)
        lines.append(f"  {node.name} = {node.text}{debug}")
        return found

    def _is_register(self, name: str) -> bool:
        """Whether a pointer is into a local variable that no pragma makes a memory."""
        node = self._function.values.get(name)
        while node is not None and node.opcode in ("getelementptr", "bitcast"):
            node = self._function.values.get(node.operands[0])
        if node is None or node.opcode != "alloca":
            return False
        return node.name.removeprefix("%").split(".", 1)[0] not in self._written.stored

    def _variable(self, kind: str, indices: list[tuple[str, str]]) -> Iterator[tuple[int, int]]:
        """Yield the place of the first index that is a variable, and the elements it chooses of."""
        for place, (_, index) in enumerate(indices):
            array = _ARRAY.match(kind)
            if place == 0:
                if index.startswith("%"):
                    return
                continue
            if index.startswith("%"):
                if array:
                    yield place, int(array[1])
                return
            kind = array[2] if array else _members(self._structs.get(kind, ""))[int(index)]

    # Accesses.

    def _read(self, name: str, load: re.Match[str], way: _Choice, debug: str) -> Iterator[str]:
        self.count += 1
        kind = load[1]
        lines: list[str] = []

        def read(at: _Choice | str, target: str) -> str:
            if isinstance(at, _Choice):
                yes, no = read(at.yes, self._new()), read(at.no, self._new())
                lines.append(
                    f"  {target} = select i1 {at.condition}, {kind} {yes}, {kind} {no}{debug}"
                )
            else:
                lines.append(f"  {target} = load {kind}, {kind}* {at}{load[3]}{debug}")
            return target

        read(way, name)
        yield from lines

    def _write(self, store: re.Match[str], way: _Choice, debug: str) -> Iterator[str]:
        self.count += 1
        kind, value = store[1], store[2]
        conditions: dict[str, list[tuple[str, bool]]] = defaultdict(list)

        def leaves(at: _Choice | str, under: list[tuple[str, bool]]) -> None:
            if isinstance(at, _Choice):
                leaves(at.yes, [*under, (at.condition, True)])
                leaves(at.no, [*under, (at.condition, False)])
            else:
                conditions[at] = under

        leaves(way, [])
        for leaf, under in conditions.items():
            reached = "true"
            for condition, wanted in under:
                term, joined = condition, self._new()
                if not wanted:
                    term = self._new()
                    yield f"  {term} = xor i1 {condition}, true{debug}"
                yield f"  {joined} = and i1 {reached}, {term}{debug}"
                reached = joined
            held, chosen = self._new(), self._new()
            yield f"  {held} = load {kind}, {kind}* {leaf}{store[4]}{debug}"
            yield f"  {chosen} = select i1 {reached}, {kind} {value}, {kind} {held}{debug}"
            yield f"  store {kind} {chosen}, {kind}* {leaf}{store[4]}{debug}"


def _tree(bits: list[str], leaves: list[_Choice | str]) -> _Choice | str:
    """The choice among elements by the bits of an index, the lowest bit first."""
    for bit in bits:
        leaves = [
            _Choice(bit, leaves[at + 1], leaves[at]) if at + 1 < len(leaves) else leaves[at]
            for at in range(0, len(leaves), 2)
        ]
    return leaves[0]


def _written(indices: list[tuple[str, str]]) -> str:
    return "".join(f", {kind} {index}" for kind, index in indices)


def _replaced(text: str, name: str, other: str) -> str:
    return re.sub(rf"{re.escape(name)}(?![\w.$-])", other.replace("\\", r"\\"), text)


def _members(text: str) -> list[str]:
    """The types of a structure's members."""
    members, depth, quoted, start = [], 0, False, 0
    for at, letter in enumerate(text + ","):
        quoted ^= letter == '"'
        if quoted:
            continue
        depth += letter in "[{("
        depth -= letter in "]})"
        if letter == "," and depth == 0:
            members.append(text[start:at].strip())
            start = at + 1
    return members
