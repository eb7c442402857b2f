"""Translates a part of a function in LLVM IR into Verilog, only for counting what it takes.

Numbers that come from outside the part and from memories are inputs, numbers that leave it are
outputs.  What an iteration hands to the next are registers, so that Yosys sees which of them only
keep their number, or start from zero: flip-flops do that without a table.  So it counts the
operators and the choices between ways of control flow; the states of a schedule and the registers
of a pipeline are not there, and two operators that never work in the same state are not shared.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from acsgen.engines.hlscheck.ir import Function, Instruction
from acsgen.engines.hlscheck.loops import Sources
from acsgen.engines.hlscheck.ranges import bits_of
from acsgen.engines.hlscheck.widths import Widths

_OPERATORS = {
    "add": "+", "sub": "-", "and": "&", "or": "|", "xor": "^", "shl": "<<", "lshr": ">>",
    "udiv": "/", "urem": "%",
}  # fmt: skip
_SIGNED = {"sdiv": "/", "srem": "%"}
_COMPARISONS = {"eq": "==", "ne": "!=", "gt": ">", "lt": "<", "ge": ">=", "le": "<="}
_NUMBERLESS = ("undef", "poison", "null", "zeroinitializer")

_BRANCH = re.compile(r"br i1 (\S+), label (\S+), label (\S+)")
_SWITCH = re.compile(r"switch i(\d+) (\S+), label (\S+) \[(.*)\]")
_CASE = re.compile(r"i\d+ (-?\d+), label (\S+)")
_BINARY = re.compile(r"\w+ (?:(?:nuw|nsw|exact) )*i\d+ (\S+), (\S+)$")
_COMPARE = re.compile(r"icmp (\w+) i(\d+) (\S+), (\S+)$")
_SELECT = re.compile(r"select i1 (\S+), i\d+ (\S+), i\d+ (\S+)$")
_CONVERT = re.compile(r"\w+ (?:(?:nneg|nuw|nsw) )*i(\d+) (\S+) to i\d+$")
_STORE = re.compile(r"store i(\d+) (\S+), ")
_INDEX = re.compile(r", i(\d+) (%\S+?)(?=,|$)")
_CALL = re.compile(r"@([\w.]+)\((.*)\)")
_ARGUMENT = re.compile(r"i(\d+) (?:\w+ )*?(-?\d+|%\S+|true|false)$")
_EXTREME = re.compile(r"llvm\.([us])(max|min)\.")


class UntranslatableError(Exception):
    """An instruction that has no translation: a defect of the translation, not of the engine."""


class Translation:
    """Some instructions of a function as a Verilog module ``top``.

    Args:
        function: with all loops of the pipelines unrolled.
        widths: of its values.
        written: the sources that it was made of.
        blocks: whose instructions are translated.
        left_out: instructions of these blocks that are counted elsewhere.
        kept: local variables of the function that stay from one run of a loop to the next: such a
            register is not set when the loop starts.
    """

    def __init__(
        self,
        function: Function,
        widths: Widths,
        written: Sources,
        blocks: Collection[str],
        left_out: Collection[Instruction] = (),
        kept: Collection[str] = (),
    ) -> None:
        self._function, self._widths, self._written = function, widths, written
        self._blocks = frozenset(blocks)
        self._nodes = [
            node
            for block in function.order
            if block in self._blocks
            for node in function.blocks[block]
            if node not in left_out
        ]
        self._inside = {node.name for node in self._nodes if node.name}
        self._headers = {loop.header for loop in function.loops if loop.header in self._blocks}
        self._back = {(end, loop.header) for loop in function.loops for end in loop.latches}
        self._ports: list[str] = []
        self._body: list[str] = []
        self._wires: dict[str, str] = {}
        self._reached: dict[tuple[str, str], str] = {}
        self._starts = ""
        self._kept = tuple(f"%{name}." for name in kept)
        self._count = 0
        self._ports.append("input clock")
        for node in self._nodes:
            self._translate(node)
        live = _live(function)
        for block, nodes in function.blocks.items():
            for node in nodes:
                if (block not in self._blocks or node in left_out) and node in live:
                    self._lead_out(node)

    def verilog(self) -> str:
        """Return the text of the module."""
        ports = ",\n".join(self._ports)
        return f"module top({ports});\n" + "\n".join(self._body) + "\nendmodule\n"

    # Names and ports.

    def _new(self, prefix: str) -> str:
        self._count += 1
        return f"{prefix}{self._count}"

    def _wire(self, name: str, width: int) -> str:
        """The wire of a value that is computed inside."""
        if name not in self._wires:
            self._wires[name] = self._new("v")
            self._body.append(f"wire [{max(width, 1) - 1}:0] {self._wires[name]};")
        return self._wires[name]

    def _input(self, width: int, bits: int, signed: bool) -> str:
        """A new input of so many bits, extended to a width."""
        port, wire = self._new("i"), self._new("w")
        bits = min(bits, width)
        self._ports.append(f"input [{bits - 1}:0] {port}")
        extended = f"{{{{{width - bits}{{{port}[{bits - 1}]}}}}, {port}}}"
        self._body.append(f"wire [{width - 1}:0] {wire};")
        self._body.append(f"assign {wire} = {extended if signed and bits < width else port};")
        return wire

    def _outside(self, node: Instruction | None, width: int) -> str:
        """An input with the bits that a value outside has."""
        if node is None:
            return self._input(width, width, signed=False)
        known = self._widths.range_of(node.name)
        signed = known is not None and known[0] < 0
        return self._input(width, self._widths.of(node), signed)

    def _output(self, expression: str, bits: int) -> None:
        port = self._new("o")
        self._ports.append(f"output [{bits - 1}:0] {port}")
        self._body.append(f"assign {port} = {expression};")

    def _value(self, token: str, width: int) -> str:
        """The expression of an operand."""
        if token in ("true", "false"):
            return f"1'b{int(token == 'true')}"
        if token in _NUMBERLESS:
            return f"{width}'d0"
        if re.fullmatch(r"-?\d+", token):
            return f"{width}'d{int(token) % (1 << width)}"
        if token in self._inside:
            return self._wire(token, width)
        if token not in self._wires:
            self._wires[token] = self._outside(self._function.values.get(token), width)
        return self._wires[token]

    def _set(self, node: Instruction, expression: str, width: int | None = None) -> None:
        wire = self._wire(node.name, node.width if width is None else width)
        self._body.append(f"assign {wire} = {expression};")

    def _lead_out(self, node: Instruction) -> None:
        """Make outputs of the values of the part that an instruction outside of it takes."""
        for operand in node.operands:
            # A register that stays is read from outside where it is.
            stays = operand.startswith(self._kept)
            if operand in self._inside and operand in self._wires and not stays:
                made = self._function.values[operand]
                if made.width and made.opcode != "getelementptr":
                    self._output(self._wires[operand], 1 if made.opcode == "icmp" else made.width)

    # Control flow.

    def _taken(self, block: str, after: str) -> str:
        """The condition under which a block is followed by another."""
        ending = self._function.blocks[block][-1]
        branch, switch = _BRANCH.match(ending.text), _SWITCH.match(ending.text)
        if branch:
            condition = self._value(branch[1], 1)
            return condition if branch[2] == after else f"(!{condition})"
        if not switch:
            return "1'b1"
        width = int(switch[1])
        value = self._value(switch[2], width)
        cases = [
            (f"({value} == {width}'d{int(number) % (1 << width)})", target)
            for number, target in _CASE.findall(switch[4])
        ]
        ways = [test for test, target in cases if target == after]
        if switch[3] == after:
            others = " | ".join(test for test, target in cases if target != after)
            ways.append(f"(!({others}))" if others else "1'b1")
        return f"({' | '.join(ways)})"

    def _reach(self, block: str, start: str) -> str:
        """The condition under which a block is reached once its dominator ``start`` is."""
        if block == start:
            return "1'b1"
        if (block, start) not in self._reached:
            wire = self._reached[block, start] = self._new("r")
            self._body.append(f"wire {wire};")
            ways = []
            for before in self._function.predecessors[block]:
                if (before, block) in self._back:
                    continue
                if before not in self._blocks:
                    ways.append("1'b1")
                elif self._function.dominates(start, before):
                    ways.append(f"({self._reach(before, start)} & {self._taken(before, block)})")
            self._body.append(f"assign {wire} = {' | '.join(ways) or chr(49)};")
        return self._reached[block, start]

    def _choice(self, node: Instruction) -> str:
        """The choice of a phi between the ways that lead to its block."""
        start = self._function.idom[node.block]
        expression = ""
        for value, before in reversed(node.incoming):
            if (before, node.block) in self._back:
                continue
            brought = self._value(value, node.width)
            if not expression:
                expression = brought
                continue
            if start in self._blocks and before in self._blocks:
                way = f"({self._reach(before, start)} & {self._taken(before, node.block)})"
            else:
                way = self._input(1, 1, signed=False)
            expression = f"({way} ? {brought} : {expression})"
        return expression

    def _register(self, node: Instruction) -> None:
        """A phi of a loop's head is a register, which a run of the loop sets once."""
        width = node.width
        bits = min(width, self._widths.of(node))
        known = self._widths.range_of(node.name)
        sign = f"{{{width - bits}{{%s[{bits - 1}]}}}}" if known and known[0] < 0 else None
        register = self._new("q")
        self._body.append(f"reg [{bits - 1}:0] {register};")
        extended = f"{{{sign % register}, {register}}}" if sign and bits < width else register
        self._set(node, extended)
        back = [(before, node.block) in self._back for _, before in node.incoming]
        values = [self._value(value, width) for value, _ in node.incoming]
        following = values[back.index(True)]
        if not node.name.startswith(self._kept):
            for value, returns in zip(values, back, strict=True):
                following = following if returns else f"({self._start()} ? {value} : {following})"
        self._body.append(f"always @(posedge clock) {register} <= {following};")

    def _start(self) -> str:
        """The signal that starts a loop."""
        if not self._starts:
            self._starts = self._input(1, 1, signed=False)
        return self._starts

    # Instructions.

    def _translate(self, node: Instruction) -> None:
        opcode = node.opcode
        if opcode in ("br", "switch"):
            self._translate_end(node)
        elif opcode == "getelementptr":
            if self._in_memory(node):
                for bits, index in _INDEX.findall(node.text):
                    self._output(self._value(index, int(bits)), int(bits))
        elif opcode in ("alloca", "bitcast", "inttoptr", "ret", "unreachable"):
            return
        elif opcode == "store":
            self._translate_store(node)
        elif opcode == "call":
            self._translate_call(node)
        elif not node.name or not node.width or _pointer(node):
            return
        elif opcode == "load":
            self._set(node, self._outside(node, node.width))
        elif opcode == "icmp":
            self._translate_comparison(node)
        elif opcode == "phi" and node.block in self._headers:
            self._register(node)
        else:
            self._set(node, self._computed(node))

    def _translate_end(self, node: Instruction) -> None:
        leaves = any(t not in self._blocks or (node.block, t) in self._back for t in node.targets)
        branch = _BRANCH.match(node.text)
        if leaves and branch:
            self._output(self._value(branch[1], 1), 1)

    def _translate_store(self, node: Instruction) -> None:
        stored = _STORE.match(node.text)
        if stored:
            width, token = int(stored[1]), stored[2]
            made = self._function.values.get(token)
            bits = width if made is None else min(width, self._widths.of(made))
            self._output(self._value(token, width), 1 if token in ("true", "false") else bits)

    def _translate_comparison(self, node: Instruction) -> None:
        found = _COMPARE.match(node.text)
        if not found:  # of addresses
            self._set(node, self._input(1, 1, signed=False), 1)
            return
        kind, width = found[1], int(found[2])
        a, b = self._value(found[3], width), self._value(found[4], width)
        sign = "$signed" if kind[0] == "s" else ""
        self._set(node, f"{sign}({a}) {_COMPARISONS[kind[-2:]]} {sign}({b})", 1)

    def _computed(self, node: Instruction) -> str:
        """The expression of an instruction without memory."""
        opcode, width = node.opcode, node.width
        if opcode == "phi":
            return self._choice(node)
        if opcode == "freeze":
            return self._value(node.text.split()[-1], width)
        select = _SELECT.match(node.text)
        if opcode == "select" and select:
            ways = [self._value(select[n], width) for n in (2, 3)]
            return f"{self._value(select[1], 1)} ? {ways[0]} : {ways[1]}"
        converted = _CONVERT.match(node.text)
        if opcode in ("zext", "sext", "trunc") and converted:
            value = self._value(converted[2], int(converted[1]))
            return f"$signed({value})" if opcode == "sext" else value
        operands = _BINARY.match(node.text)
        if not operands:
            raise UntranslatableError(node.text)
        a, b = (self._value(operands[n], width) for n in (1, 2))
        if opcode == "mul":
            a, b = (self._narrow(operands[n], x) for n, x in ((1, a), (2, b)))
            return f"$signed({a}) * $signed({b})"
        if opcode == "ashr":
            return f"$signed({a}) >>> {b}"
        if opcode in _SIGNED:
            return f"$signed({a}) {_SIGNED[opcode]} $signed({b})"
        return f"{a} {_OPERATORS[opcode]} {b}"

    def _narrow(self, token: str, expression: str) -> str:
        """A factor with the bits that its range needs, and a sign."""
        known = self._widths.range_of(token)
        made = self._function.values.get(token)
        if known is None or made is None or not re.fullmatch(r"\w+", expression):
            return expression
        bits = bits_of(known) + int(known[0] >= 0)
        return expression if bits >= made.width else f"{expression}[{bits - 1}:0]"

    def _translate_call(self, node: Instruction) -> None:
        found = _CALL.search(node.text)
        if found is None:
            raise UntranslatableError(node.text)
        name, width = found[1], node.width
        arguments = [a for a in map(_ARGUMENT.match, found[2].split(", ")) if a]
        if name.startswith(("llvm.lifetime", "llvm.mem", "llvm.experimental.noalias")):
            return
        values = [self._value(a[2], int(a[1])) for a in arguments]
        if not name.startswith("llvm."):  # a port
            for value, argument in zip(values, arguments, strict=True):
                self._output(value, int(argument[1]))
            if node.name and width:
                self._set(node, self._input(width, width, signed=False))
            return
        self._set(node, _intrinsic(name, values, width, node.text))

    def _in_memory(self, node: Instruction) -> bool:
        """Whether an address is in a memory that a BIND_STORAGE pragma names."""
        names = self._written.names(self._function.place(node))
        return bool(names & self._written.storage.keys())


def _live(function: Function) -> set[Instruction]:
    """Instructions that do something, and all that compute for them."""
    nodes = [node for block in function.blocks.values() for node in block]
    pending = [
        node for node in nodes if not node.name or node.opcode == "call" or node.opcode == "store"
    ]
    live = set(pending)
    while pending:
        for operand in pending.pop().operands:
            made = function.values.get(operand)
            if made is not None and made not in live:
                live.add(made)
                pending.append(made)
    return live


def _pointer(node: Instruction) -> bool:
    return "*" in node.text.split(",")[0] or (node.opcode == "select" and "*" in node.text)


def _intrinsic(name: str, values: list[str], width: int, text: str) -> str:
    """The expression of a function that LLVM has built in."""
    a = values[0]
    extreme = _EXTREME.match(name)
    if extreme:
        sign = "$signed" if extreme[1] == "s" else ""
        greater = f"{sign}({a}) {'>' if extreme[2] == 'max' else '<'} {sign}({values[1]})"
        return f"({greater}) ? {a} : {values[1]}"
    if name.startswith("llvm.abs"):
        return f"$signed({a}) < 0 ? -{a} : {a}"
    if name.startswith("llvm.ctpop"):
        return " + ".join(_bits(a, width))
    if name.startswith(("llvm.cttz", "llvm.ctlz")):
        bits = list(enumerate(_bits(a, width)))
        expression = f"{width}'d{width}"
        for number, bit in reversed(bits) if "cttz" in name else bits:
            found = number if "cttz" in name else width - 1 - number
            expression = f"({bit} ? {width}'d{found} : {expression})"
        return expression
    if name.startswith("llvm.usub.sat"):
        return f"{a} < {values[1]} ? 0 : {a} - {values[1]}"
    if name.startswith("llvm.bswap"):
        return f"{{{', '.join(f'{a}[{8 * n + 7}:{8 * n}]' for n in range(width // 8))}}}"
    if name.startswith("llvm.fshl"):
        return f"({{{a}, {values[1]}}} << ({values[2]} % {width})) >> {width}"
    raise UntranslatableError(text)


def _bits(name: str, width: int) -> Iterable[str]:
    return (f"{name}[{number}]" for number in range(width))
