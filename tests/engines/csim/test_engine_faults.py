"""Bad programs end with the right status at the right instruction, and touch nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from acsgen.engines.csim.compile import compiler
from acsgen.isa.generated import (
    HEADER_WORDS,
    INSTRUCTION_WORDS,
    MASK_REGISTERS,
    RECORD_WORDS,
    RESERVED_BITS,
    SHIFT_MAX,
    SHIFT_MIN,
    LinearMode,
    Opcode,
    ResultHeader,
    Status,
)
from acsgen.support.assets import asset
from tests.differential.engines import Engines, EngineUnderTest
from tests.isa.places import HIGH, UNKNOWN_OPCODES, put

from .bench import Bench, Outcome, encode
from .flip_bits import every_operation

FLIPS = 2000


@pytest.fixture(scope="module")
def engine(engines: Engines) -> EngineUnderTest:
    return engines(3)


@pytest.fixture
def bench(engine: EngineUnderTest) -> Bench:
    made = every_operation(engine.csim)
    assert made.run_once().status == Status.OK
    return made


BLOCKS = 1024 * 1024 // 64
#: All maps of 16 x 16 pixels and 4 channels, split ones too.
MAP_BLOCKS = 16
VECTOR_WORDS = 65536 // 8

#: Opcode (the first instruction that has it; LINEAR with its mode), changed fields, status.
CONV, POOL, GAVG = Opcode.CONV, Opcode.POOL, Opcode.GAVG
ELTWISE, SCALE, FLATTEN, LOAD = Opcode.ELTWISE, Opcode.SCALE, Opcode.FLATTEN, Opcode.LOAD
VECTOR, WIDE, GATE = LinearMode.VECTOR, LinearMode.WIDE, LinearMode.GATE
BAD, FEATURE = Status.BAD_FIELD, Status.FEATURE_RANGE
PARAM, RESULT, IMAGE = Status.PARAM_RANGE, Status.RESULT_RANGE, Status.IMAGE_RANGE
FAULTS = [
    (LOAD, {"channels": 0}, BAD),
    (LOAD, {"channels": 2049}, BAD),
    (LOAD, {"dst_height": 0}, BAD),
    (LOAD, {"dst_width": 0}, BAD),
    (LOAD, {"dst_width": 65}, BAD),
    (LOAD, {"row_log2": 2}, BAD),
    (LOAD, {"dst_base": BLOCKS - 127}, FEATURE),
    (LOAD, {"channels": 2}, IMAGE),
    (LOAD, {"dst_height": HIGH["dst_height"]}, IMAGE),
    (LOAD, {"trace_addr": HEADER_WORDS - 1}, RESULT),
    (CONV, {"kernel": 0}, BAD),
    (CONV, {"kernel": 8}, BAD),
    (CONV, {"pad": 3}, BAD),
    (CONV, {"stride": 0}, BAD),
    (CONV, {"stride": 3}, BAD),
    (CONV, {"groups": 0}, BAD),
    (CONV, {"channels_in": 0}, BAD),
    (CONV, {"channels": 0}, BAD),
    (CONV, {"groups": 1024}, BAD),
    (CONV, {"groups": 513}, BAD),
    (CONV, {"groups": HIGH["groups"], "channels": HIGH["channels"]}, BAD),
    (CONV, {"chunk": 0}, BAD),
    (CONV, {"chunk": 129}, BAD),
    (CONV, {"mask_in": MASK_REGISTERS}, BAD),
    (CONV, {"mask_out": 254}, BAD),
    (CONV, {"src_height": 0}, BAD),
    (CONV, {"src_width": 17}, BAD),
    (CONV, {"dst_width": 17}, BAD),
    # Two records, and one word of weights too few for two inputs under 3 by 3 taps.
    (CONV, {"row_words": 2 * RECORD_WORDS + 2}, BAD),
    (CONV, {"row_words": 0}, BAD),
    (CONV, {"row_words": HIGH["row_words"]}, BAD),
    (CONV, {"src_base": BLOCKS - 1}, FEATURE),
    (CONV, {"src_step": HIGH["src_step"]}, FEATURE),
    (CONV, {"dst_base": BLOCKS - 15}, FEATURE),
    (CONV, {"dst_step": BLOCKS // 3}, FEATURE),
    (CONV, {"res_base": BLOCKS - 3}, FEATURE),
    (CONV, {"res_step": HIGH["res_step"]}, FEATURE),
    (CONV, {"weight_addr": HIGH["weight_addr"]}, PARAM),
    (CONV, {"table_addr": HIGH["table_addr"]}, PARAM),
    (CONV, {"trace_addr": HIGH["trace_addr"]}, RESULT),
    (ELTWISE, {"shift": SHIFT_MIN - 1}, BAD),
    (ELTWISE, {"shift": SHIFT_MAX + 1}, BAD),
    (ELTWISE, {"mask_in": 32}, BAD),
    (ELTWISE, {"mask_out": 32}, BAD),
    (ELTWISE, {"src_base": BLOCKS - 15}, FEATURE),
    (ELTWISE, {"res_base": BLOCKS - 15}, FEATURE),
    (POOL, {"kernel": 0}, BAD),
    (POOL, {"kernel": 8}, BAD),
    (POOL, {"pad": 3}, BAD),
    (POOL, {"stride": 0}, BAD),
    (POOL, {"shift": HIGH["shift"]}, BAD),
    (POOL, {"mask_in": 100}, BAD),
    (POOL, {"src_plane": HIGH["src_plane"]}, FEATURE),
    (POOL, {"src_base": BLOCKS - 4}, FEATURE),
    (GAVG, {"shift": 0}, BAD),
    (GAVG, {"src_height": 0}, BAD),
    (GAVG, {"src_width": 17}, BAD),
    (GAVG, {"mask_in": 32}, BAD),
    (GAVG, {"vec_dst": VECTOR_WORDS}, BAD),
    (GAVG, {"src_base": BLOCKS - 15}, FEATURE),
    (GAVG, {"trace_addr": HIGH["trace_addr"]}, RESULT),
    (SCALE, {"shift": 39}, BAD),
    (SCALE, {"mask_in": 32}, BAD),
    (SCALE, {"vec_src": VECTOR_WORDS}, BAD),
    (SCALE, {"src_base": BLOCKS - 15}, FEATURE),
    (FLATTEN, {"src_step": 0}, BAD),
    (FLATTEN, {"vec_dst": VECTOR_WORDS - 7}, BAD),
    (FLATTEN, {"src_base": BLOCKS}, FEATURE),
    (VECTOR, {"row_words": RECORD_WORDS}, BAD),
    (VECTOR, {"row_words": 0}, BAD),
    (VECTOR, {"vec_src": VECTOR_WORDS - 2}, BAD),
    (VECTOR, {"vec_dst": VECTOR_WORDS}, BAD),
    (VECTOR, {"weight_addr": HIGH["weight_addr"]}, PARAM),
    (VECTOR, {"channels": 1024}, PARAM),
    (VECTOR, {"trace_addr": 5}, RESULT),
    (WIDE, {"result_addr": HEADER_WORDS - 1}, RESULT),
    (WIDE, {"result_addr": HIGH["result_addr"]}, RESULT),
    (WIDE, {"trace_addr": 20}, BAD),
    (GATE, {"mask_out": 32}, BAD),
    (GATE, {"mask_out": 255}, BAD),
    (GATE, {"threshold_addr": HIGH["threshold_addr"]}, PARAM),
    (GATE, {"result_addr": 0}, RESULT),
    (GATE, {"trace_addr": 20}, BAD),
]


def find(bench: Bench, what: Opcode | LinearMode) -> int:
    """The instruction of a fault: the first with this opcode, or the first LINEAR of this mode."""
    for index, op in enumerate(bench.program()):
        mode = isinstance(what, LinearMode)
        if op.opcode == (Opcode.LINEAR if mode else what) and (not mode or op.linear_mode == what):
            return index
    raise AssertionError(what)


def run_words(bench: Bench, words: np.ndarray, result_words: int | None = None) -> Outcome:
    """Run raw program words."""
    run = bench.engine.csim.run(
        words,
        np.array(bench.params, np.uint64),
        bench.image(),
        bench.result_words if result_words is None else result_words,
        True,
    )
    header = {}
    if len(run.result) >= HEADER_WORDS:
        header = {word.name.lower(): int(run.result[word]) for word in ResultHeader}
    return Outcome(run.status, run.fault_index, header, run.result[HEADER_WORDS:])


@pytest.mark.parametrize(
    ("what", "fields", "status"), FAULTS, ids=[f"{w.name}-{f}" for w, f, _ in FAULTS]
)
def test_fault(
    bench: Bench, what: Opcode | LinearMode, fields: dict[str, int], status: Status
) -> None:
    program = bench.program()
    index = find(bench, what)
    if any(value > HIGH[name] for name, value in fields.items()):
        pytest.skip("the field is too narrow to say it")
    program[index] = replace(program[index], **fields)
    outcome = bench.run_once(program)
    assert (Status(outcome.status), outcome.fault_index) == (status, index)
    # The header counts the work until then; the faulty instruction is fetched but not counted.
    assert outcome.header["instructions"] == index
    # The engine still works afterwards.
    assert bench.run_once().status == Status.OK


def test_illegal_opcodes(bench: Bench) -> None:
    assert UNKNOWN_OPCODES
    for opcode in UNKNOWN_OPCODES:
        words = encode(bench.program())
        put(words[INSTRUCTION_WORDS:], "opcode", opcode)
        outcome = run_words(bench, words)
        assert (outcome.status, outcome.fault_index) == (Status.ILLEGAL_OPCODE, 1), opcode


def test_every_reserved_bit_is_refused(bench: Bench) -> None:
    program = bench.program()
    checked = 0
    for index, op in enumerate(program):
        words = op.encode()
        for word, reserved in RESERVED_BITS[op.opcode]:
            # A bit of each byte; all of them would be thousands of runs.
            for bit in range(index % 8, 64, 8):
                if not reserved >> bit & 1:
                    continue
                broken = list(words)
                broken[word] |= 1 << bit
                run = run_words(bench, np.array([broken], np.uint64).reshape(-1))
                assert (run.status, run.fault_index) == (Status.BAD_FIELD, 0)
                checked += 1
    assert checked > 100


def test_table_entry_out_of_range(bench: Bench) -> None:
    index = find(bench, Opcode.CONV)
    address = bench.program()[index].table_addr
    for word in (address, address + 1):
        good = bench.params[word]
        bench.params[word] = good & ~(0xFFFF << 32) | 4 << 32
        outcome = bench.run_once()
        assert (outcome.status, outcome.fault_index) == (Status.BAD_FIELD, index)
        bench.params[word] = good


@pytest.mark.parametrize("words", [0, 1, 7])
def test_program_without_end(bench: Bench, words: int) -> None:
    whole = encode(bench.program())
    outcome = run_words(bench, whole[: len(whole) - 8 + words])
    instructions = len(whole) // INSTRUCTION_WORDS - 1
    assert (outcome.status, outcome.fault_index) == (Status.NO_END, instructions)
    assert outcome.header["instructions"] == instructions
    assert run_words(bench, whole[:words]).status == Status.NO_END


def test_result_buffer_too_small_for_the_header(bench: Bench) -> None:
    end = encode(bench.program())[-INSTRUCTION_WORDS:].copy()
    assert run_words(bench, end, HEADER_WORDS).status == Status.OK
    assert run_words(bench, end, HEADER_WORDS - 1).status == Status.RESULT_RANGE
    # An earlier reason is kept, and nothing is written.
    put(end, "opcode", UNKNOWN_OPCODES[0])
    outcome = run_words(bench, end, HEADER_WORDS - 1)
    assert outcome.status == Status.ILLEGAL_OPCODE


def test_maps_may_end_where_the_memory_ends(bench: Bench) -> None:
    """One block further is refused."""
    program = bench.program()
    for what, field in (
        (LOAD, "dst_base"),
        (CONV, "dst_base"),
        (CONV, "src_base"),
        (CONV, "res_base"),
        (POOL, "src_base"),
        (ELTWISE, "src_base"),
        (SCALE, "dst_base"),
        (GAVG, "src_base"),
    ):
        index = find(bench, what)
        op = program[index]
        blocks = op.dst_step if what is LOAD else MAP_BLOCKS
        for base, status in ((BLOCKS - blocks, Status.OK), (BLOCKS - blocks + 1, FEATURE)):
            if base > HIGH[field]:
                continue  # the field is too narrow to say it
            changed = replace(op, trace_addr=0, **{field: base})
            outcome = bench.run_once([*program[:index], changed, program[-1]])
            assert Status(outcome.status) == status, changed


def test_damaged_programs_touch_nothing_else(sanitized: Path) -> None:
    """A few thousand damaged programs, on an engine that address and bounds sanitizers watch."""
    command = [compiler(), "-print-file-name=libasan.so"]
    runtime = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    if not Path(runtime).is_absolute():
        pytest.skip("the C++ compiler has no address sanitizer")
    environment = {**os.environ, "LD_PRELOAD": runtime, "ASAN_OPTIONS": "detect_leaks=0"}
    finished = subprocess.run(
        [sys.executable, "-m", "tests.engines.csim.flip_bits", str(sanitized), "0", str(FLIPS)],
        env=environment,
        cwd=asset("templates").parent,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    last = finished.stdout.splitlines()[-1:]
    assert finished.returncode == 0, f"program {last}:\n{finished.stderr[:3000]}"
    # All statuses that a program can bring about, each often.
    for status in set(Status) - {Status.BUS_ERROR, Status.BUS_TIMEOUT}:
        assert f"'{status.name}'" in last[0]
