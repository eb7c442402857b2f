"""A convolution that follows the rows of a LOAD, while memory still sends others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from acsgen.engines.rtl import Memory
from acsgen.isa.generated import HEADER_WORDS, MASK_NONE, Instruction, Opcode, Status
from tests.differential.engines import Engines, check
from tests.handmade import PLANE, POINTWISE, Params
from tests.nets.images import noise
from tests.nets.integer_graphs import GraphBuilder

pytestmark = pytest.mark.rtl

#: Image, then outputs, kernel, stride and pad of the convolution: rows of one to eight words, bands
#: with and without a rest, one block and many, one chunk of weights and several.
SHAPES = [
    ((3, 32, 32), (16, 3, 1, 1)),
    ((1, 8, 8), (5, 1, 1, 0)),
    ((4, 17, 64), (6, 5, 1, 2)),
    ((2, 23, 40), (4, 3, 1, 0)),
    ((3, 33, 20), (7, 3, 2, 1)),
    ((2, 64, 9), (9, 7, 2, 3)),
    ((5, 255, 8), (3, 3, 1, 1)),
    ((1, 16, 16), (140, 3, 1, 1)),
    ((12, 6, 6), (33, 6, 1, 5)),
]

#: As the boards', slow, late, and with gaps.
MEMORIES = [Memory(), Memory(bandwidth=24), Memory(latency=200), Memory(latency=3, seed=5)]


@pytest.mark.parametrize("lane_groups", [1, 4])
@pytest.mark.parametrize(("image", "window"), SHAPES)
def test_every_word_is_that_of_the_golden_model(
    engines: Engines,
    lane_groups: int,
    image: tuple[int, int, int],
    window: tuple[int, int, int, int],
) -> None:
    b = GraphBuilder(sum(window))
    b.logits(b.gavg(b.conv(b.conv(b.input(*image), *window), 6)))
    graph = b.graph()
    for number, memory in enumerate(MEMORIES):
        images = noise(image, 2, seed=number)
        check(graph, images, engines(lane_groups, True), memory=memory)


def test_it_computes_while_memory_sends(engines: Engines) -> None:
    """Of 1,728 cycles of work, those of the last rows are left when the last word is stored."""
    twins, params = engines(4, True), Params()
    plane = {"dst_height": 32, "dst_width": 32, "row_log2": 2}
    window = {"kernel": 3, "stride": 1, "pad": 1, "src_height": 32, "src_width": 32, **plane}
    program = [
        Instruction(Opcode.LOAD, channels=3, dst_step=16, **plane),
        Instruction(
            Opcode.CONV,
            channels_in=3,
            channels=16,
            chunk=16,
            groups=1,
            src_step=16,
            dst_base=48,
            dst_step=16,
            pixels=32 * 32,
            masked_zero=1,
            mask_in=MASK_NONE,
            mask_out=MASK_NONE,
            **window,
            **params.rows(16, 27),
        ),
        Instruction(Opcode.END),
    ]
    words = np.array([word for op in program for word in op.encode()], np.uint64)
    image = np.arange(3 * 32 * 4, dtype=np.uint64)
    assert twins.rtl is not None
    usual = twins.rtl.memory
    twins.rtl.memory = replace(usual, bandwidth=32)
    try:
        run = twins.rtl.run(words, np.array(params.words, np.uint64), image, HEADER_WORDS)
    finally:
        twins.rtl.memory = usual
    assert run.status == Status.OK
    assert run.ends is not None
    loaded, computed = run.ends[:2]
    assert loaded > len(image) * 256 / 32
    assert computed - loaded < 1728 / 4


@pytest.mark.parametrize("turns", [1, 3])
@pytest.mark.parametrize("moved", ["dst_base", "src_base", "src_height", "row_log2", "residual"])
def test_one_that_reads_or_writes_something_else_waits(
    engines: Engines, moved: str, turns: int
) -> None:
    """Its result may lie where the image comes, and rows may be others than those of the LOAD."""
    twins, params = engines(4, True), Params()
    fields = {"src_base": 0, "dst_base": 64, **POINTWISE, "chunk": 8}
    changes = {
        "dst_base": {"dst_base": 3},
        "src_base": {"src_base": 1},
        "src_height": {"src_height": 7},
        "row_log2": {"row_log2": 1},
        # One block for all: what lies behind the image is of earlier programs.
        "residual": {"res_enable": 1, "res_base": 1, "res_step": 0, "res_mult": 1 << 13},
    }
    program = [
        Instruction(Opcode.LOAD, channels=4, dst_step=1, **PLANE),
        Instruction(
            Opcode.CONV,
            channels_in=2,
            channels=8,
            mask_in=MASK_NONE,
            mask_out=MASK_NONE,
            trace_addr=HEADER_WORDS,
            **fields | changes[moved],
            **params.rows(8, 2),
        ),
        # Other images come while the weights of what follows wait.
        *(Instruction(Opcode.LOAD, channels=4, dst_step=1, **PLANE) for _ in range(turns)),
        *(
            Instruction(
                Opcode.CONV,
                channels_in=4,
                channels=8,
                mask_in=MASK_NONE,
                mask_out=MASK_NONE,
                trace_addr=HEADER_WORDS + 64 * turn,
                **fields | {"dst_base": 64 + 8 * turn},
                **params.rows(8, 4, weight=turn),
            )
            for turn in range(1, 5)
        ),
        Instruction(Opcode.END),
    ]
    words = np.array([word for op in program for word in op.encode()], np.uint64)
    image = np.random.default_rng(3).integers(0, 1 << 63, 32, np.uint64)
    inputs = (words, np.array(params.words, np.uint64), image, HEADER_WORDS + 5 * 64)
    wanted = twins.csim.run(*inputs, trace=True)
    assert twins.rtl is not None
    usual = twins.rtl.memory
    for memory in MEMORIES:
        twins.rtl.memory = memory
        try:
            run = twins.rtl.run(*inputs, trace=True)
        finally:
            twins.rtl.memory = usual
        assert run.status == wanted.status == Status.OK
        np.testing.assert_array_equal(run.result[HEADER_WORDS:], wanted.result[HEADER_WORDS:])
