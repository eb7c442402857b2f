"""Lower bounds of the initiation interval, from the dependence cycles of pipelined loops.

A value that an iteration hands to the next must be ready one interval later.  So the operators
around every cycle of dependences fit into the cycle's interval, or the interval is longer than the
pragma asks.  The graph is that of the LLVM IR with all calls inlined and all inner loops unrolled.
Its edges:

* a value to the instructions that use it;
* a branch to the selections (phis) that it decides, since the tool turns branches into selections;
* the condition that ends the loop to everything in the next iteration, which must not start before;
* a store to a load of the same memory in the next iteration, unless a ``DEPENDENCE`` pragma of the
  loop says that there is none.

Sums are taken as balanced.  A loop may need a longer interval than the bound, never a shorter one,
as far as the delays hold.
"""

from __future__ import annotations

import math
import re
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from acsgen.engines.hlscheck import delays
from acsgen.engines.hlscheck.ir import Function, Instruction, Loop, Place
from acsgen.engines.hlscheck.llvm import TOP, UNROLLED, transform
from acsgen.engines.hlscheck.loops import PipelinedLoop, Sources
from acsgen.engines.hlscheck.memory import Objects
from acsgen.engines.hlscheck.widths import Widths
from acsgen.engines.lint import Finding

_SUMS = frozenset({"add", "sub"})
_LOGIC = frozenset({"and", "or", "xor"})
_SHIFTS = frozenset({"shl", "lshr", "ashr"})
_DIVISIONS = frozenset({"udiv", "sdiv", "urem", "srem"})
_EXTREME = re.compile(r"@llvm\.[us]m(?:ax|in)\.")
_COUNT = re.compile(r"@llvm\.(?:ctlz|cttz|ctpop|abs|fshl|fshr|bswap|bitreverse)\.")


@dataclass(frozen=True)
class Step:
    """One operator on a dependence cycle: its place, its name in IR, bits and nanoseconds."""

    place: Place | None
    opcode: str
    bits: int
    delay: float

    def __str__(self) -> str:
        width = f" of {self.bits} bits" if self.bits else ""
        return f"{self.place or '?'} {self.opcode}{width} {self.delay:.2f}"


@dataclass(frozen=True)
class Bound:
    """The bound of one pipelined loop.

    Attributes:
        loop: the loop, with the interval that its pragma asks.
        interval: the least interval that the longest cycle allows.
        cycle: that cycle; empty if no cycle takes longer than an interval of one.
    """

    loop: PipelinedLoop
    interval: int
    cycle: tuple[Step, ...]


def check_recurrences(
    sources: Path, module: Path, period_ns: float, top: str = TOP
) -> list[Finding]:
    """Return a finding for every pipelined loop that cannot reach the interval of its pragma.

    See :func:`recurrence_bounds`.
    """
    found = {
        Finding(
            bound.loop.file,
            bound.loop.line,
            "recurrence",
            f"loop {bound.loop.label or 'without a label'}: the interval is at least "
            f"{bound.interval}, the pragma asks {bound.loop.interval}; "
            f"{sum(step.delay for step in bound.cycle):.2f} ns of {delays.budget(period_ns):.2f} a "
            f"cycle: {', '.join(map(str, bound.cycle))}",
        )
        for bound in recurrence_bounds(sources, module, period_ns, top)
        if bound.interval > bound.loop.interval
    }
    return sorted(found)


def recurrence_bounds(sources: Path, module: Path, period_ns: float, top: str = TOP) -> list[Bound]:
    """Return the bound of every pipelined loop.

    Args:
        sources: folder of rendered sources.
        module: of :func:`acsgen.engines.hlscheck.llvm.compile_module`, made from them.
        period_ns: of the clock.
        top: the top function.
    """
    written = Sources(sources)
    function = unrolled_function(sources, module, written, top)
    widths = Widths(function)
    found = []
    for loop in function.loops:
        pipelined = written.pipelined(loop.start)
        if pipelined is not None:
            graph = _Graph(function, loop, widths, written, pipelined)
            found.append(Bound(pipelined, *graph.bound(delays.budget(period_ns))))
    return found


def unrolled_function(sources: Path, module: Path, written: Sources, top: str = TOP) -> Function:
    """Return the top function of a module with all loops inside its pipelines unrolled.

    Args:
        sources: folder of rendered sources.
        module: of :func:`acsgen.engines.hlscheck.llvm.compile_module`, made from them.
        written: what the text of the sources says.
        top: the top function.
    """
    with tempfile.TemporaryDirectory(prefix="acsgen-llvm-") as scratch:
        unrolled = unroll_module(sources, module, Path(scratch) / "unrolled.ll", written, top)
        return Function(unrolled.read_text(encoding="utf-8"), top, sources)


def unroll_module(
    sources: Path, module: Path, target: Path, written: Sources, top: str = TOP
) -> Path:
    """Write a module with all loops inside its pipelines unrolled into ``target``; return that.

    The arguments are those of :func:`unrolled_function`.
    """
    with tempfile.TemporaryDirectory(prefix="acsgen-llvm-") as scratch:
        kept = _with_pipelines_kept(module.read_text(encoding="utf-8"), written, sources, top)
        marked = Path(scratch) / "marked.ll"
        marked.write_text(kept, encoding="utf-8")
        return transform(marked, target, UNROLLED)


def _with_pipelines_kept(text: str, written: Sources, sources: Path, top: str) -> str:
    """Mark the pipelined loops of a module, so that those of known length are not unrolled."""
    function = Function(text, top, sources)
    for loop in function.loops:
        if written.pipelined(loop.start) is None:
            continue
        for latch in loop.latches:
            number = function.blocks[latch][-1].loop
            if number is not None:
                mark = f"!{number} = distinct !{{!{number}"
                kept = f'{mark}, !{{!"llvm.loop.unroll.disable"}}'
                text = text.replace(mark, kept) if kept not in text else text
    return text


class _Graph:
    """The dependences of one loop.

    A node is an instruction; ``next iteration`` edges lead to the header's phis, and from stores to
    loads.
    """

    def __init__(
        self,
        function: Function,
        loop: Loop,
        widths: Widths,
        written: Sources,
        pipelined: PipelinedLoop,
    ) -> None:
        self._function, self._loop, self._widths = function, loop, widths
        self._written, self._pipelined = written, pipelined
        self._objects = Objects(function)
        self._place = {name: i for i, name in enumerate(function.order)}
        blocks = sorted(loop.blocks, key=self._place.__getitem__)
        self._nodes = [i for block in blocks for i in function.blocks[block]]
        self._inside = {i.name: i for i in self._nodes if i.name}
        self._now: dict[Instruction, list[Instruction]] = defaultdict(list)
        self._next: dict[Instruction, list[Instruction]] = defaultdict(list)
        self._delay = {node: self._delay_of(node) for node in self._nodes}
        self._connect()
        self._balance()

    def _connect(self) -> None:
        header = self._function.blocks[self._loop.header]
        heads = [node for node in header if node.opcode == "phi"]
        decisions: dict[str, list[tuple[Instruction, frozenset[str]]]] = {}
        for node in self._nodes:
            if node in heads:
                for value, block in node.incoming:
                    if block in self._loop.latches and value in self._inside:
                        self._next[self._inside[value]].append(node)
                continue
            for operand in node.operands:
                if operand in self._inside:
                    self._now[self._inside[operand]].append(node)
            if node.opcode == "phi":
                if node.block not in decisions:
                    decisions[node.block] = self._decisions(node.block)
                for decision, ways in decisions[node.block]:
                    # A decision between ways that bring the same value decides nothing.
                    if len({value for value, way in node.incoming if way in ways}) > 1:
                        self._now[decision].append(node)
        for decision in self._exits():
            self._next[decision].extend(heads)
        for store, load in self._memory():
            self._next[store].append(load)

    def _balance(self) -> None:
        """Sums are balanced by the tool: of a chain of additions, one has the late operand."""
        for node in self._nodes:
            uses = self._now[node]
            used_once = not self._next[node] and len(uses) == 1
            if used_once and node.opcode in _SUMS and uses[0].opcode in _SUMS:
                self._delay[node] = 0.0

    def _decisions(self, block: str) -> list[tuple[Instruction, frozenset[str]]]:
        """The branch conditions that decide from which block one is entered.

        With each go the blocks from which the block may be entered behind it.
        """
        around = self._function.idom[block]
        # The blocks on the ways from the last block that all ways share.
        region, pending = {around}, list(self._function.predecessors[block])
        while pending:
            name = pending.pop()
            if name not in region:
                region.add(name)
                pending.extend(self._function.predecessors[name])
        reaches: dict[str, frozenset[str]] = {}
        found = []
        for name in sorted(region, key=self._place.__getitem__, reverse=True):
            ways = {
                frozenset({name}) if after == block else reaches.get(after, frozenset())
                for after in self._function.successors[name]
                if after == block or after in region
            }
            reaches[name] = frozenset().union(*ways)
            condition = self._condition(name)
            if len(ways) > 1 and condition is not None:
                found.append((condition, reaches[name]))
        return found

    def _exits(self) -> Iterable[Instruction]:
        for block in self._loop.blocks:
            if any(after not in self._loop.blocks for after in self._function.successors[block]):
                condition = self._condition(block)
                if condition is not None:
                    yield condition

    def _condition(self, block: str) -> Instruction | None:
        operands = self._function.blocks[block][-1].operands
        return self._inside.get(operands[0]) if operands else None

    def _memory(self) -> Iterable[tuple[Instruction, Instruction]]:
        """Pairs of a store and a load that the tool must assume to meet in the next iteration."""
        loads: dict[str, list[Instruction]] = defaultdict(list)
        for node in self._nodes:
            if node.opcode == "load":
                loads[self._objects.of(node)].append(node)
        for node in self._nodes:
            if node.opcode != "store":
                continue
            for load in loads.get(self._objects.of(node), ()):
                if not self._independent(node) and not self._independent(load):
                    yield node, load

    def _independent(self, node: Instruction) -> bool:
        names = self._written.names(self._function.place(node))
        return bool(names & self._pipelined.independent)

    def _stored(self, node: Instruction) -> bool:
        """Whether a load or store is of a memory, not of a register that has its own name."""
        names = self._written.names(self._function.place(node))
        return self._objects.chosen(node) and bool(names & self._written.storage.keys())

    def _delay_of(self, node: Instruction) -> float:
        opcode, text = node.opcode, node.text
        constant = re.search(r", -?\d+$", text) is not None
        if opcode == "phi":
            return delays.REGISTER if node.block == self._loop.header else delays.SELECT
        if opcode in _SUMS:
            return delays.add_delay(self._widths.of(node))
        if opcode == "icmp":
            return delays.compare_delay(self._widths.of(node))
        if opcode == "select":
            return delays.SELECT
        if opcode in _LOGIC:
            return 0.0 if constant else delays.CHAINED_GATE
        if opcode in _SHIFTS:
            return 0.0 if constant else self._shift_delay(node)
        if opcode in _DIVISIONS:
            return 0.0 if _power_of_two(text) else delays.divide_delay(self._widths.of(node))
        if opcode == "mul":
            return 0.0 if _power_of_two(text) else delays.MULTIPLY
        if opcode == "load":
            memory = self._stored(node)
            return delays.RAM_ADDRESS + delays.RAM_DATA if memory else delays.SELECT
        if opcode == "store":
            return delays.RAM_ADDRESS if self._stored(node) else 0.0
        if opcode == "call" and _EXTREME.search(text):
            return delays.compare_delay(node.width) + delays.SELECT
        if opcode == "call" and _COUNT.search(text):
            return delays.GATE
        return 0.0

    def _shift_delay(self, node: Instruction) -> float:
        """A shift by one of few amounts is a choice among as many."""
        amount = self._function.values.get(node.operands[-1])
        while amount is not None:
            factor = re.search(r", (\d+)$", amount.text)
            scaled = amount.opcode == "shl" or (
                amount.opcode == "mul" and _power_of_two(amount.text)
            )
            if amount.opcode not in ("zext", "sext", "trunc") and not (scaled and factor):
                break
            amount = self._function.values.get(amount.operands[0])
        if amount is None:
            return delays.shift_delay(self._widths.of(node))
        fixed = re.fullmatch(r"select i1 \S+, i\d+ -?\d+, i\d+ -?\d+", amount.text)
        one_bit = amount.opcode == "and" and _power_of_two(amount.text)
        if fixed or one_bit or self._widths.of(amount) == 1:
            return delays.SELECT
        return delays.shift_delay(min(1 << self._widths.of(amount), self._widths.of(node)))

    def bound(self, budget: float) -> tuple[int, tuple[Step, ...]]:
        """Return the least interval without a cycle that is too long, and the longest cycle."""
        interval, cycle = 1, self._long_cycle(budget)
        longest = cycle
        while cycle:
            longest = cycle
            around = sum(self._delay[node] for node, _ in cycle)
            rounds = sum(again for _, again in cycle)
            interval = max(interval + 1, math.ceil(around / rounds / budget - 1e-9))
            cycle = self._long_cycle(budget * interval)
        steps = tuple(
            Step(self._function.place(n), n.opcode, self._widths.of(n), self._delay[n])
            for n, _ in longest
            if self._delay[n] > 0
        )
        return interval, steps

    def _long_cycle(self, allowed: float) -> list[tuple[Instruction, bool]]:
        """Return a cycle whose delays exceed ``allowed`` for every iteration that it spans.

        With each node goes whether the edge behind it leads into the next iteration.
        """
        relevant = self._on_cycles()
        order = [node for node in self._nodes if node in relevant]
        time = {node: self._delay[node] for node in order}
        cause: dict[Instruction, tuple[Instruction, bool]] = {}
        for _ in range(len(order) + 1):
            changed = False
            for node in order:
                for after in self._now[node]:
                    if after in time and time[node] + self._delay[after] > time[after] + 1e-9:
                        time[after] = time[node] + self._delay[after]
                        cause[after] = (node, False)
                        changed = True
            for node in order:
                for after in self._next[node]:
                    ready = time[node] - allowed + self._delay[after] if after in time else 0.0
                    if after in time and ready > time[after] + 1e-9:
                        time[after] = ready
                        cause[after] = (node, True)
                        changed = True
            if not changed:
                return []
            cycle = _circle(cause)
            if cycle:
                return cycle
        return []

    def _on_cycles(self) -> set[Instruction]:
        """The nodes that lead to themselves."""
        return _strongly_connected(
            self._nodes, {n: [*self._now[n], *self._next[n]] for n in self._nodes}
        )


def _power_of_two(text: str) -> bool:
    """Whether the second operand is a constant power of two, of either sign: that is wiring."""
    factor = re.search(r", (-?\d+)$", text)
    number = abs(int(factor[1])) if factor else 0
    return number > 0 and number & (number - 1) == 0


def _circle(
    cause: Mapping[Instruction, tuple[Instruction, bool]],
) -> list[tuple[Instruction, bool]]:
    """Return a cycle among the causes, in the order of the dependences, if there is one."""
    state: dict[Instruction, int] = {}
    for number, start in enumerate(cause):
        node = start
        while node in cause and node not in state:
            state[node] = number
            node = cause[node][0]
        if node in cause and state.get(node) == number:
            circle = []
            current = node
            while True:
                before, again = cause[current]
                circle.append((before, again))
                current = before
                if current is node:
                    return circle[::-1]
    return []


def _strongly_connected(
    nodes: Iterable[Instruction], after: Mapping[Instruction, list[Instruction]]
) -> set[Instruction]:
    """Return the nodes of all strongly connected components with a cycle (Tarjan, iterative)."""
    index: dict[Instruction, int] = {}
    low: dict[Instruction, int] = {}
    stack: list[Instruction] = []
    on_stack: set[Instruction] = set()
    found: set[Instruction] = set()
    for root in nodes:
        if root in index:
            continue
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        work = [(root, iter(after[root]))]
        while work:
            node, rest = work[-1]
            for following in rest:
                if following not in index:
                    index[following] = low[following] = len(index)
                    stack.append(following)
                    on_stack.add(following)
                    work.append((following, iter(after[following])))
                    break
                if following in on_stack:
                    low[node] = min(low[node], index[following])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    component = set()
                    while True:
                        member = stack.pop()
                        on_stack.discard(member)
                        component.add(member)
                        if member is node:
                            break
                    if len(component) > 1 or node in after[node]:
                        found |= component
    return found
