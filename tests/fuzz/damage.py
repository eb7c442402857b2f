"""Damaged programs: an engine must stop with a status, write only where it may, and go on after.

:func:`damage` spoils the buffers of a good program; :func:`survives` runs them on an engine and
refuses effects that no damage may have.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from acsgen_host.words import POISON
from hypothesis import strategies as st

from acsgen.engines.base import Engine, EngineRun
from acsgen.isa.generated import (
    HEADER_WORDS,
    INSTRUCTION_FIELDS,
    INSTRUCTION_WORDS,
    LANES,
    SEGMENTS,
    WORD_BITS,
    Instruction,
    Opcode,
    ResultHeader,
    Status,
    fields_of,
)
from acsgen.program.engine_config import EngineConfig
from acsgen.program.exits import NO_LIMIT
from tests.isa.places import value_of

from .case import Case
from .check import Mismatch, compare
from .machine import (
    CLOCKED,
    Expected,
    Machine,
    Undefined,
    Words,
)
from .planes import plane_blocks, result_channels, traced_words

#: A choice in a range, its ends included: hypothesis's draw, or a random generator's.
Pick = Callable[[int, int], int]

#: A damaged program that may take longer is left out: a size field with all bits set is a valid
#: program of a minute.
MAX_COST = 250_000

#: More windows than this the machine does not build.
MAX_WINDOWS = 4_000_000


@dataclass
class Buffers:
    """All buffers of a run."""

    program: Words
    params: Words
    image: Words
    result_words: int
    trace: bool = True

    @classmethod
    def of(cls, case: Case) -> Buffers:
        """The buffers of a good case."""
        return cls(case.words, case.params, case.images[0], case.result_words)

    def run(self, engine: Engine) -> EngineRun:
        return engine.run(self.program, self.params, self.image, self.result_words, self.trace)

    def instructions(self, count: int) -> list[Instruction]:
        """The first ``count`` instructions, which are valid."""
        words = self.program[: count * INSTRUCTION_WORDS].reshape(count, INSTRUCTION_WORDS)
        return [Instruction.decode([int(w) for w in row]) for row in words]

    def counts_cycles(self) -> bool:
        """Whether an EXIT, if it is one, has a limit of cycles that a run may reach."""
        rows = self.program[: len(self.program) // INSTRUCTION_WORDS * INSTRUCTION_WORDS]
        limits = (
            value_of(words, "cycles_limit")
            for words in rows.reshape(-1, INSTRUCTION_WORDS)
            if value_of(words, "opcode") == Opcode.EXIT
        )
        return any(limit < NO_LIMIT for limit in limits)


# Damaging.


def damage(good: Buffers, pick: Pick) -> Buffers:
    """Flip bits, set fields to awkward values, replace words, shorten buffers."""
    program, params = good.program.copy(), good.params.copy()
    for _ in range(pick(1, 3)):
        index = pick(0, len(program) // INSTRUCTION_WORDS - 1)
        words = program[index * INSTRUCTION_WORDS :][:INSTRUCTION_WORDS]
        kind = pick(0, 9)
        if kind <= 3:
            set_field(words, pick)
        elif kind <= 5:
            words[pick(0, INSTRUCTION_WORDS - 1)] ^= np.uint64(1 << pick(0, 63))
        elif kind == 6 and len(params):
            params[pick(0, len(params) - 1)] ^= np.uint64(1 << pick(0, 63))
        elif kind == 7 and len(params):
            params[pick(0, len(params) - 1)] = pick(0, 2**64 - 1)
        elif kind == 8:
            words[pick(0, INSTRUCTION_WORDS - 1)] = pick(0, 2**64 - 1)
        else:
            other = pick(0, len(program) // INSTRUCTION_WORDS - 1) * INSTRUCTION_WORDS
            words[:] = program[other : other + INSTRUCTION_WORDS]
    cut = pick(0, 11)
    return Buffers(
        program[: pick(0, len(program))] if cut == 1 else program,
        params[: pick(0, len(params))] if cut == 2 else params,
        good.image[: pick(0, len(good.image))] if cut == 3 else good.image,
        pick(0, good.result_words) if cut == 4 else good.result_words,
        trace=pick(0, 3) != 3,
    )


def set_field(words: Words, pick: Pick) -> None:
    """Give a field that the instruction uses a value at the end of its range, or any other."""
    opcode = value_of(words, "opcode")
    used = fields_of(Opcode(opcode)) if opcode in set(Opcode) else INSTRUCTION_FIELDS
    field = used[pick(0, len(used) - 1)]
    largest = (1 << field.bits) - 1
    old = int(words[field.word]) >> field.lsb & largest
    choices = [0, 1, largest, largest - 1, old + 1, old - 1, 2 * old, pick(0, largest)]
    new = choices[pick(0, len(choices) - 1)] & largest
    words[field.word] = np.uint64(int(words[field.word]) & ~field.mask | new << field.lsb)


@st.composite
def damaged(draw: st.DrawFn, case: Case) -> Buffers:
    """One damage to a case."""
    return damage(Buffers.of(case), lambda low, high: draw(st.integers(low, high)))


# Judging.


def judge(buffers: Buffers, run: EngineRun) -> Status:
    """Require a status of the specification, a header that says the same, and no stray write."""
    status = Status(run.status)
    assert run.fault_index <= len(buffers.program) // INSTRUCTION_WORDS
    if buffers.result_words < HEADER_WORDS:
        assert status != Status.OK
        assert (run.result == POISON).all(), "written into a buffer that is too small"
        return status
    assert run.result[ResultHeader.STATUS] == status
    assert run.result[ResultHeader.FAULT_INDEX] == run.fault_index
    assert run.result[ResultHeader.INSTRUCTIONS] == run.fault_index + (status == Status.OK)
    untouched = np.ones(len(run.result), bool)
    untouched[:HEADER_WORDS] = False
    for op in buffers.instructions(run.fault_index):
        for start, words in written(op, buffers.trace):
            untouched[start : start + words] = False
    assert (run.result[untouched] == POISON).all(), "written outside the results"
    return status


def written(op: Instruction, trace: bool) -> list[tuple[int, int]]:
    """Addresses and numbers of the words that an instruction writes to the result buffer."""
    found = []
    if op.writes_result:
        each = WORD_BITS if op.writes_mask else 2
        found.append((op.result_addr, -(-op.channels // each)))
    if trace and op.trace_addr:
        found.append((op.trace_addr, traced_words(op)))
    return found


def cost(op: Instruction, config: EngineConfig) -> int:
    """About how many cycles an instruction takes, seldom less than it does."""
    channels = result_channels(op)
    blocks = plane_blocks(max(op.dst_height, op.src_height), op.row_log2)
    items = channels * (blocks + 4) * (LANES // config.post_lanes + 4)
    traced = channels * (op.dst_step + op.src_step * op.copies_map) * SEGMENTS
    total = traced if op.trace_addr or op.copies_map else 0
    taps = max(op.kernel, 1) ** 2
    if op.opcode == Opcode.CONV:
        rounds = -(-op.channels * blocks // config.lane_groups) + op.channels
        total += op.groups * (rounds * op.channels_in * taps + 2 * (op.channels_in + 60))
        total += channels * (op.row_words + 8)
    elif op.opcode == Opcode.LINEAR:
        return total + op.channels * op.row_words
    elif op.opcode == Opcode.POOL:
        total += channels * blocks * taps
    elif op.opcode == Opcode.LOAD:
        return total + channels * op.dst_height * SEGMENTS
    return total + items


def affordable(buffers: Buffers, config: EngineConfig) -> bool:
    """Whether all instructions up to the first that does not decode are short."""
    total = 0
    count = len(buffers.program) // INSTRUCTION_WORDS
    for index in range(count):
        words = buffers.program[index * INSTRUCTION_WORDS :][:INSTRUCTION_WORDS]
        try:
            op = Instruction.decode([int(w) for w in words])
        except ValueError:
            break
        if op.opcode == Opcode.END:
            break
        total += cost(op, config)
    return total <= MAX_COST


def predicted(buffers: Buffers, run: EngineRun, config: EngineConfig) -> Expected | None:
    """The result of the instructions before the fault; None where it depends on chance."""
    if buffers.result_words < HEADER_WORDS:
        return None
    program = buffers.instructions(run.fault_index)
    if any(
        op.channels_in * op.groups * op.kernel**2 * op.dst_height * op.dst_width > MAX_WINDOWS
        or op.channels * op.kernel**2 * op.dst_height * op.dst_width > MAX_WINDOWS
        for op in program
    ):
        return None
    machine = Machine(config, buffers.params, buffers.image, buffers.result_words, buffers.trace)
    try:
        for op in program:
            machine.step(op)
            machine.counters["instructions"] += 1
            machine.counters["read_words"] += INSTRUCTION_WORDS
    except Undefined:
        return None
    status = Status(run.status)
    if status != Status.NO_END:
        machine.counters["read_words"] += INSTRUCTION_WORDS
    machine.counters["instructions"] += status == Status.OK
    return machine.finished(status, run.fault_index)


def exits_by_chance(buffers: Buffers, run: EngineRun, config: EngineConfig) -> bool:
    """Whether a run ends at an EXIT whose decision may come of undefined bytes."""
    words = buffers.program[run.fault_index * INSTRUCTION_WORDS :][:INSTRUCTION_WORDS]
    leaves = run.status == Status.OK and value_of(words, "opcode") == Opcode.EXIT
    return leaves and predicted(buffers, run, config) is None


def check_damaged(
    buffers: Buffers, csim: Engine, rtl: Engine | None, config: EngineConfig
) -> Status:
    """Run damaged buffers on both engines; raises :class:`AssertionError` on anything not allowed.

    Status and fault index depend on program and parameters alone, and are the same on both, unless
    an EXIT may take its decision from undefined bytes.  So is everything that the instructions
    before the fault leave, as far as the specification defines it.
    """
    run = buffers.run(csim)
    status = judge(buffers, run)
    expected = predicted(buffers, run, config)
    program = buffers.instructions(run.fault_index)
    unsettled = list(CLOCKED)
    if status == Status.BAD_FIELD:
        # The fault lies in a table: engines may have read any number of its words until then.
        unsettled.append(ResultHeader.READ_WORDS)
    if expected is not None:
        compare(program, expected, run, "C-sim, damaged", unsettled)
    if rtl is None:
        return status
    found = buffers.run(rtl)
    if buffers.counts_cycles():
        # Only one of the engines has a clock, and may leave earlier.
        judge(buffers, found)
        return status
    stop = (found.status, found.fault_index)
    if stop != (run.status, run.fault_index):
        if exits_by_chance(buffers, min(run, found, key=lambda r: r.fault_index), config):
            judge(buffers, found)
            return status
        raise Mismatch(f"RTL stops with {stop}, C-sim with {(run.status, run.fault_index)}")
    judge(buffers, found)
    if expected is not None:
        # The RTL leaves unneeded words in memory (:mod:`acsgen.engines.base`).
        unsettled.append(ResultHeader.READ_WORDS)
        compare(program, expected, found, "RTL, damaged", unsettled)
    return status
