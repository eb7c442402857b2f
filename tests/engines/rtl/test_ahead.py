"""Instructions that begin before the one before them has ended."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from acsgen.isa.generated import HEADER_WORDS, MASK_NONE, Instruction, Opcode, Status
from tests.differential.engines import Engines
from tests.handmade import PLANE, POINTWISE, Params

pytestmark = pytest.mark.rtl

#: Words of a map of eight channels, as it is traced.
MAP_WORDS = 64


@pytest.mark.parametrize("bandwidth", [16, 32, 64, 128, 256])
def test_a_convolution_behind_a_gate_waits_until_the_gate_is_done(
    engines: Engines, bandwidth: int
) -> None:
    """The gate's mask is decided long before memory takes its result words, behind a trace."""
    twins, params = engines(4, True), Params()
    convolution = {"mask_in": MASK_NONE, **POINTWISE, "chunk": 8}
    program = [
        Instruction(Opcode.LOAD, dst_step=1, channels=1, **PLANE),
        Instruction(
            Opcode.CONV,
            channels_in=1,
            channels=8,
            dst_base=8,
            mask_out=MASK_NONE,
            trace_addr=HEADER_WORDS + 1,
            **convolution,
            **params.rows(8, 1),
        ),
        params.gate(3, [False, True, *[False] * 6]),
        Instruction(
            Opcode.CONV,
            channels_in=1,
            channels=8,
            dst_base=16,
            mask_out=3,
            trace_addr=HEADER_WORDS + 1 + MAP_WORDS,
            **convolution,
            **params.rows(8, 1, weight=2),
        ),
        Instruction(Opcode.END),
    ]
    words = np.array([word for op in program for word in op.encode()], np.uint64)
    image = np.arange(8, dtype=np.uint64)
    inputs = (words, np.array(params.words, np.uint64), image, HEADER_WORDS + 1 + 2 * MAP_WORDS)

    wanted = twins.csim.run(*inputs, trace=True)
    usual = twins.rtl.memory
    twins.rtl.memory = replace(usual, bandwidth=bandwidth)
    try:
        run = twins.rtl.run(*inputs, trace=True)
    finally:
        twins.rtl.memory = usual
    assert run.status == wanted.status == Status.OK
    np.testing.assert_array_equal(run.result[HEADER_WORDS:], wanted.result[HEADER_WORDS:])
