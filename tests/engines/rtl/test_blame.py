"""Which instruction an error answer on the bus is blamed on."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from acsgen.isa.generated import (
    HEADER_WORDS,
    INSTRUCTION_WORDS,
    MASK_NONE,
    RECORD_WORDS,
    SHIFT_MIN,
    Instruction,
    LinearMode,
    Opcode,
    ResultHeader,
    Status,
)
from tests.differential.engines import Engines
from tests.handmade import PLANE, POINTWISE, Params

pytestmark = pytest.mark.rtl

#: Weight words of a row with at most eight inputs, its record included.
ROW = RECORD_WORDS + 1


def program(params: Params) -> list[tuple[Instruction, int]]:
    """Instructions of every kind that reads, each with the data words that it reads."""
    mask = [True] * 3 + [False] * 5
    listed = {"mask_in": MASK_NONE, "mask_out": 0, "dst_base": 16, "chunk": 8}
    skipping = {"mask_in": 0, "mask_out": MASK_NONE, "dst_base": 32, "chunk": 4}
    mean = {"mult": 1 << 8, "shift": SHIFT_MIN, "src_step": 1, "src_base": 32}
    return [
        (Instruction(Opcode.LOAD, dst_step=1, channels=1, **PLANE), 8),
        (params.gate(0, mask), 8 * ROW + 4),
        (
            Instruction(
                Opcode.CONV, channels_in=1, channels=8, **POINTWISE, **listed, **params.rows(8, 1)
            ),
            3 * ROW,
        ),
        (
            Instruction(
                Opcode.CONV,
                channels_in=8,
                channels=4,
                src_base=16,
                **POINTWISE,
                **skipping,
                **params.rows(4, 8),
            ),
            4 * ROW,
        ),
        (
            Instruction(
                Opcode.GAVG, channels=4, src_height=8, src_width=8, mask_in=MASK_NONE, **mean
            ),
            0,
        ),
        (
            Instruction(
                Opcode.LINEAR,
                linear_mode=LinearMode.VECTOR,
                channels=6,
                vec_dst=1,
                **params.rows(6, 4),
            ),
            6 * ROW,
        ),
        (
            Instruction(
                Opcode.LINEAR,
                linear_mode=LinearMode.WIDE,
                channels=5,
                vec_src=1,
                result_addr=HEADER_WORDS + 1,
                **params.rows(5, 6),
            ),
            5 * ROW,
        ),
        (Instruction(Opcode.END), 0),
    ]


def test_every_word_is_blamed_on_the_instruction_that_reads_it(
    engines: Engines,
) -> None:
    """Words are read ahead, and in another order than instructions run."""
    twins, params = engines(4, True), Params()
    operations = program(params)
    words = np.array([word for op, _ in operations for word in op.encode()], np.uint64)
    image = np.arange(8, dtype=np.uint64)
    inputs = (words, np.array(params.words, np.uint64), image, HEADER_WORDS + 8)

    good = twins.csim.run(*inputs)
    wanted = {i: INSTRUCTION_WORDS + data for i, (_, data) in enumerate(operations)}
    usual = twins.rtl.memory
    blamed: Counter[int] = Counter()
    try:
        for beat in range(1, sum(wanted.values()) + 1):
            twins.rtl.memory = replace(usual, fail_read=beat)
            run = twins.rtl.run(*inputs)
            assert run.status == Status.BUS_ERROR, beat
            blamed[run.fault_index] += 1
    finally:
        twins.rtl.memory = usual
    assert blamed == wanted
    run = twins.rtl.run(*inputs)
    assert run.bus.read == run.result[ResultHeader.READ_WORDS] == sum(wanted.values())
    np.testing.assert_array_equal(run.result[HEADER_WORDS:], good.result[HEADER_WORDS:])
