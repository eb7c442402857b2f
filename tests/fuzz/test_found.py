"""Programs that were found by chance and went wrong once, each with its subject."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from acsgen.engines.rtl import Memory
from acsgen.isa.generated import HEADER_WORDS, MASK_NONE, Instruction, Opcode
from tests.differential.engines import EngineUnderTest
from tests.handmade import EXACT, PLANE, POINTWISE, Params

from .case import Case
from .session import Attempt


def run(
    engine: EngineUnderTest,
    program: list[Instruction],
    params: Params,
    images: list[NDArray[np.uint64]] | None = None,
) -> None:
    """Machine, C simulation and RTL, in several memories."""
    images = images or [np.arange(8, dtype=np.uint64), np.full(8, 2**64 - 1, np.uint64)]
    words = np.array(params.words, np.uint64)
    case = Case([*program, Instruction(Opcode.END)], words, images, HEADER_WORDS + 128)
    for memory in (Memory(latency=0), Memory(), Memory(latency=200)):
        Attempt(case, memory).run(engine, Counter())


def pointwise(params: Params, inputs: int, outputs: int, **fields: int) -> Instruction:
    """A 1x1 convolution whose outputs are one chunk at address 256, without masks.

    ``fields`` are others, or have other values.
    """
    own = {
        "channels_in": inputs,
        "channels": outputs,
        "chunk": outputs,
        "mask_in": MASK_NONE,
        "mask_out": MASK_NONE,
        "dst_base": 256,
    }
    op = Instruction(Opcode.CONV, **POINTWISE | own | fields)
    masked = replace(EXACT, bias=9) if op.has_masked_records else None
    return replace(op, **params.rows(outputs, inputs, masked=masked))


@pytest.mark.rtl
@pytest.mark.parametrize(
    ("inputs", "masked_zero"),
    [*((inputs, 1) for inputs in range(1, 25)), (40, 0), (70, 0), (128, 0)],
)
def test_words_to_skip_are_found_for_one_convolution_at_a_time(
    both: EngineUnderTest, inputs: int, masked_zero: int
) -> None:
    """A convolution whose outputs are all masked is over before it knows which words it skips.

    Its masked channels' records may be there before, too, where it has many inputs.
    """
    params = Params()
    program = [
        Instruction(Opcode.LOAD, dst_step=1, channels=1, **PLANE),
        params.gate(0, [True] * inputs),
        params.gate(1, [False]),
        params.gate(2, [True, *[False] * 31]),
        pointwise(params, inputs, 1, mask_in=0, mask_out=1, masked_zero=masked_zero),
        pointwise(params, 32, 4, mask_in=2, dst_base=260),
    ]
    run(both, program, params)


@pytest.mark.rtl
@pytest.mark.parametrize("active", range(1, 7))
def test_a_round_of_two_blocks_waits_for_its_rows(both: EngineUnderTest, active: int) -> None:
    """The array may follow the arrival of the first rows, but not through the port that loads them.

    With fewer active outputs than lane groups a round takes two blocks, and reads weights twice.
    """
    rng = np.random.default_rng(active)
    params = Params()
    plane = {"dst_height": 16, "dst_width": 8}
    taps = 2 * 7 * 7
    program = [
        Instruction(Opcode.LOAD, dst_step=2, channels=2, **plane),
        params.gate(0, [index < active for index in range(6)]),
        Instruction(
            Opcode.CONV,
            kernel=7,
            pad=3,
            stride=1,
            pixels=128,
            src_height=16,
            src_width=8,
            src_step=2,
            channels_in=2,
            channels=6,
            groups=1,
            chunk=6,
            mask_in=MASK_NONE,
            mask_out=0,
            masked_zero=1,
            dst_base=256,
            dst_step=2,
            trace_addr=HEADER_WORDS + 16,
            **plane,
            **params.rows(6, taps, rng.integers(-1, 2, taps).astype(np.int8)),
        ),
    ]
    images = [rng.integers(0, 4, 256).astype(np.uint8).view(np.uint64) for _ in range(2)]
    run(both, program, params, images)


@pytest.mark.rtl
def test_a_traced_map_without_blocks_writes_nothing(both: EngineUnderTest) -> None:
    """Rows of no length are legal; what is written after the empty trace still comes in order."""
    params = Params()
    program = [
        Instruction(Opcode.LOAD, dst_step=1, channels=1, **PLANE),
        pointwise(params, 1, 1, trace_addr=HEADER_WORDS, dst_step=0),
    ]
    run(both, program, params)


@pytest.mark.rtl
@pytest.mark.parametrize("masked", range(1, 9))
def test_a_row_is_complete_for_its_own_chunk(both: EngineUnderTest, masked: int) -> None:
    """The end of a row may be due while masked groups, which have no words, are still to be passed.

    The rows of a convolution with many inputs keep the loader from the short ones of a depthwise
    convolution behind it; of that, the first groups are masked, and have the residual alone.
    """
    params = Params()
    program = [
        Instruction(Opcode.LOAD, dst_step=1, channels=1, **PLANE),
        params.gate(0, [index >= masked for index in range(12)]),
        pointwise(params, 128, 12, trace_addr=HEADER_WORDS, src_step=0),
        Instruction(
            Opcode.CONV,
            channels_in=1,
            channels=1,
            chunk=1,
            mask_in=MASK_NONE,
            mask_out=0,
            src_base=256,
            res_enable=1,
            res_base=256,
            res_step=1,
            res_mult=1,
            dst_base=268,
            **POINTWISE | {"groups": 12, "dst_step": 1},
            **params.rows(12, 1),
        ),
    ]
    run(both, program, params)
