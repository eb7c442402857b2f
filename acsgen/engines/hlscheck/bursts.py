"""Whether Vitis HLS can make bursts of the accesses to memory buses.

A burst is inferred where a loop reads or writes consecutive words, in every iteration, and its
length is known before it starts.  LLVM's scalar evolution, on which the tool's own analysis builds,
then gives the address as an add recurrence of one word: ``{start,+,8}``.  An index that may wrap
around (``uint32_t``), a condition, or a step that is no constant gives other forms, and every word
becomes a transaction of its own.

``hls::burst_maxi`` needs no inference: a request names the first word and the number of words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from acsgen.engines.hlscheck.ir import Function, Instruction, Loop, Place
from acsgen.engines.hlscheck.llvm import TOP, analysis
from acsgen.engines.lint import Finding
from acsgen.engines.lint.parse import read_pragmas
from acsgen.isa.generated import WORD_BYTES

_MANUAL = re.compile(r"@_ZNK?3hls10burst_maxiI\w*?E\d+(read_request|read|write\w*?)E")
_COPY = re.compile(r"@llvm\.mem(?:cpy|move|set)\.[^(]*\(.*, i(?:32|64) (\S+), i1")


@dataclass(frozen=True)
class Access:
    """One place that reads or writes a bus port.

    Attributes:
        port: the top function's argument.
        place: where it stands.
        form: "recurrence", "copy" (``memcpy``), "manual" (``hls::burst_maxi``) or "single".
        problem: why no burst is inferred, or "".
    """

    port: str
    place: Place | None
    form: str
    problem: str = ""


def check_bursts(sources: Path, module: Path, top: str = TOP) -> list[Finding]:
    """Return a finding for every access that makes no burst; see :func:`bus_accesses`."""
    # An assignment may be several stores to one address.
    found = {
        Finding(
            access.place.file if access.place else top,
            access.place.line if access.place else 0,
            "burst",
            f"m_axi port {access.port}: {access.problem}",
        )
        for access in bus_accesses(sources, module, top)
        if access.problem
    }
    return sorted(found)


def bus_accesses(sources: Path, module: Path, top: str = TOP) -> list[Access]:
    """Return all accesses to the bus ports of ``top``, good and bad.

    Args:
        sources: folder of rendered sources.
        module: of :func:`acsgen.engines.hlscheck.llvm.compile_module`, made from them.
        top: the top function.
    """
    function = Function(module.read_text(encoding="utf-8"), top, sources)
    evolution = Evolution(analysis(module, "scalar-evolution"), top)
    roots = _Roots(function, _bus_ports(sources))
    found = []
    for block in function.blocks.values():
        for instruction in block:
            access = _access(function, evolution, roots, instruction)
            if access is not None:
                found.append(access)
    return found


def _bus_ports(sources: Path) -> frozenset[str]:
    ports = set()
    for path in sorted(sources.glob("*.[ch]pp")):
        for pragma in read_pragmas(path, {})[0]:
            if pragma.directive == "INTERFACE" and pragma.options.get("mode") == "m_axi":
                ports.add(pragma.options.get("port", ""))
    return frozenset(ports)


class Evolution:
    """Scalar evolution of a function, read from the output of its printer."""

    def __init__(self, text: str, top: str) -> None:
        sections = re.split(r"^Classifying expressions for: @", text, flags=re.M)
        section = next(s for s in sections if s.startswith(f"{top}\n"))
        self.address: dict[str, str] = {}
        self.unsigned: dict[str, int] = {}
        self._unpredictable = set(
            re.findall(r"^Loop (%\S+): Unpredictable backedge-taken count", section, re.M)
        )
        name = ""
        for line in section.splitlines():
            match = re.match(r'  (%(?:"[^"]*"|[\w.$-]+)) = ', line)
            if match:
                name = match[1]
            elif line.startswith("  -->  ") and name:
                form = line[len("  -->  ") :]
                self.address[name] = form.split(" U: ")[0]
                bounds = re.search(r" U: \[(-?\d+),(-?\d+)\)", form)
                if bounds and int(bounds[1]) >= 0 and int(bounds[2]) > 0:
                    self.unsigned[name] = int(bounds[2]) - 1
                name = ""

    def length_known(self, loop: Loop) -> bool:
        """Whether a loop's number of iterations is known before it starts."""
        return loop.header not in self._unpredictable

    def step(self, name: str) -> tuple[str, str] | None:
        """Return the step of an add recurrence and the header of its loop, if ``name`` is one."""
        form = self.address.get(name, "")
        if not form.startswith("{"):
            return None
        depth = position = 0
        for position, character in enumerate(form):  # noqa: B007  (read behind the loop)
            depth += (character in "{([") - (character in "})]")
            if depth == 0:
                break
        loop = re.fullmatch(r"(?:<[a-z]+>)*<(%[^>]+)>(?:<[a-z]+>)*", form[position + 1 :].strip())
        parts = _split(form[1:position])
        return (parts[1], loop[1]) if loop and len(parts) == 2 else None


def _split(inside: str) -> list[str]:
    """Split at the ``,+,`` that stand outside all brackets."""
    parts, depth, start, position = [], 0, 0, 0
    while position < len(inside):
        depth += (inside[position] in "{([") - (inside[position] in "})]")
        if depth == 0 and inside.startswith(",+,", position):
            parts.append(inside[start:position])
            start = position = position + 3
        else:
            position += 1
    return [*parts, inside[start:]]


class _Roots:
    """Finds the bus port that a pointer leads to."""

    _THROUGH = frozenset({"getelementptr", "bitcast", "phi", "select", "addrspacecast", "freeze"})

    def __init__(self, function: Function, ports: frozenset[str]) -> None:
        self._values: Mapping[str, Instruction] = function.values
        self._ports: dict[str, str] = {
            argument: argument[1:].removesuffix(".coerce")
            for argument in function.arguments
            if argument[1:].removesuffix(".coerce") in ports
        }

    def port(self, pointer: str) -> str | None:
        seen: set[str] = set()
        pending = [pointer]
        while pending:
            name = pending.pop()
            if name in self._ports:
                return self._ports[name]
            made = self._values.get(name)
            if name in seen or made is None or made.opcode not in self._THROUGH:
                continue
            seen.add(name)
            bases = made.operands[:1] if made.opcode == "getelementptr" else made.operands
            pending.extend(bases)
        return None


def _access(
    function: Function, evolution: Evolution, roots: _Roots, instruction: Instruction
) -> Access | None:
    place = function.place(instruction)
    if instruction.opcode == "call":
        manual = _MANUAL.search(instruction.text)
        ports = [p for p in map(roots.port, instruction.operands) if p is not None]
        if manual:
            return Access(ports[0] if ports else "", place, "manual")
        copy = _COPY.search(instruction.text)
        if not ports:
            return None
        if copy:
            single = copy[1] == str(WORD_BYTES)
            if not single:
                return Access(ports[0], place, "copy")
            return Access(ports[0], place, "single", "a copy of one word is no burst")
        return Access(ports[0], place, "single", "its address goes into a call")
    if instruction.opcode not in ("load", "store"):
        return None
    pointer = instruction.operands[-1]
    port = roots.port(pointer)
    if port is None:
        return None
    problem = _problem(function, evolution, instruction, pointer)
    return Access(port, place, "single" if problem else "recurrence", problem)


def _problem(
    function: Function, evolution: Evolution, instruction: Instruction, pointer: str
) -> str:
    loop = function.innermost(instruction.block)
    if loop is None:
        return "a single word outside every loop"
    step = evolution.step(pointer)
    if step is None or step[1] != loop.header:
        form = evolution.address.get(pointer, pointer)
        return f"the address is no add recurrence of its loop but {form}"
    if step[0] != str(WORD_BYTES):
        return f"the address moves by {step[0]} bytes, not by a word of {WORD_BYTES}"
    if not all(function.dominates(instruction.block, latch) for latch in loop.latches):
        return "the access is conditional: not every iteration makes it"
    if not evolution.length_known(loop):
        return "the number of iterations is not known before the loop starts"
    return ""
