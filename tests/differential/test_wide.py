"""Maps of 2,048 channels, the most that there are, and the bounds of channels on both engines."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from acsgen.compiler import compile_graph
from acsgen.isa.generated import (
    HEADER_WORDS,
    MASK_NONE,
    MAX_CHANNELS,
    MAX_LISTED,
    RECORD_WORDS,
    SHIFT_MIN,
    Instruction,
    LinearMode,
    Opcode,
    ResultHeader,
    Status,
)
from acsgen.quant.thresholds import force_masks
from acsgen.support.errors import UserError
from tests.differential.engines import CONFIGURATIONS, Engines, check
from tests.nets.images import patches
from tests.nets.integer_graphs import GraphBuilder

pytestmark = pytest.mark.rtl


@pytest.mark.parametrize("inner", [128, pytest.param(1024, marks=pytest.mark.slow)])
def test_a_bottleneck_of_the_last_stage(engines: Engines, inner: int) -> None:
    """From 2,048 channels and back with a residual, as in ResNeXt, on maps of 2x2 pixels.

    ResNeXt's own 1,024 channels inside take a minute on the RTL.
    """
    b = GraphBuilder(seed=5)
    wide = b.conv(b.input(4, 2, 2), MAX_CHANNELS, 1)
    narrow = b.conv(b.conv(wide, inner, 1), inner, 3, groups=32)
    b.logits(b.gavg(b.conv(narrow, MAX_CHANNELS, 1, residual=wide)), 16)
    graph = b.graph()
    check(graph, patches(graph.input.shape, 1), engines(4, True))


def test_gates_beside_wide_maps(engines: Engines) -> None:
    """Masks of 1,024 channels, the most that a register holds; vectors as wide as the map."""
    b = GraphBuilder(seed=6)
    wide = b.conv(b.input(4, 2, 2), MAX_CHANNELS, 1, signed=True)
    pooled = b.gavg(wide)
    gate = b.gate(b.linear(pooled, 8), MAX_LISTED)
    narrow = b.conv(b.conv(wide, 16, 1), MAX_LISTED, 1, mask=gate)
    narrow = b.conv(b.conv(narrow, MAX_LISTED, 3, groups=64, mask=gate), 16, 1)
    last = b.conv(narrow, MAX_CHANNELS, 1, residual=wide)
    scaled = b.scale(last, b.linear(b.linear(pooled, 8), MAX_CHANNELS, sigmoid=True))
    b.logits(b.gavg(b.pool(b.eltwise(scaled, residual=last), "avg")), 4)
    graph = b.graph()
    engine, images = engines(4, True), patches(graph.input.shape, 1)
    alternating = {gate: np.arange(MAX_LISTED) % 3 > 0}
    check(graph, images, engine)
    check(graph, images, engine, force_masks(graph, alternating))


MAP: dict[str, Any] = {"dst_height": 1, "dst_width": 1}
POINT = {**MAP, "src_height": 1, "src_width": 1, "src_step": 1, "dst_step": 1}
SHIFTED = {"shift": SHIFT_MIN, "mult": 1}
UNMASKED = {"mask_in": MASK_NONE, "mask_out": MASK_NONE}


def load(channels: int) -> Instruction:
    return Instruction(Opcode.LOAD, channels=channels, dst_step=1, **MAP)


def conv(groups: int, channels_in: int, channels: int, **more: int) -> Instruction:
    # There is room for masked records, too.
    row_words = 2 * RECORD_WORDS + -(-channels_in // 8)
    fields = {"kernel": 1, "stride": 1, "chunk": 1, "row_words": row_words}
    sizes = {"groups": groups, "channels_in": channels_in, "channels": channels}
    return Instruction(Opcode.CONV, **{**POINT, **fields, **sizes, **UNMASKED, **more})


def eltwise(channels: int, **masks: int) -> Instruction:
    fields = {**MAP, **SHIFTED, "src_step": 1, "dst_step": 1, **UNMASKED, **masks}
    return Instruction(Opcode.ELTWISE, channels=channels, **fields)


def pool(channels: int, mask: int = MASK_NONE) -> Instruction:
    window = {"kernel": 1, "stride": 1, "pool_max": 1, **POINT}
    return Instruction(Opcode.POOL, channels=channels, mask_in=mask, **window)


def gavg(channels: int, mask: int = MASK_NONE) -> Instruction:
    source = {"src_height": 1, "src_width": 1, "src_step": 1}
    return Instruction(Opcode.GAVG, channels=channels, mask_in=mask, **SHIFTED, **source)


def scale(channels: int, mask: int = MASK_NONE) -> Instruction:
    fields = {**MAP, **SHIFTED, "src_step": 1, "dst_step": 1}
    return Instruction(Opcode.SCALE, channels=channels, mask_in=mask, **fields)


def linear(channels: int, mode: LinearMode) -> Instruction:
    fields = {"row_words": RECORD_WORDS + 1, "vec_dst": 512 * (mode == LinearMode.VECTOR)}
    if mode != LinearMode.VECTOR:
        fields["result_addr"] = HEADER_WORDS
    return Instruction(Opcode.LINEAR, channels=channels, linear_mode=mode, **fields)


TABLE = {"has_table": 1}
#: An instruction, and whether it has as many channels as there can be, or too many.
BOUNDS = {
    "load": (load(2048), load(2049)),
    "load, far": (load(2047), load(4095)),
    "inputs": (conv(1, 2048, 1), conv(1, 2049, 1)),
    "outputs": (conv(1, 1, 2048), conv(1, 1, 2049)),
    "groups": (conv(2048, 1, 1), conv(2049, 1, 1)),
    "inputs of groups": (conv(32, 64, 1), conv(33, 64, 1)),
    "outputs of groups": (conv(32, 1, 64), conv(33, 1, 64)),
    "products beyond 4,096": (conv(1, 1, 1), conv(2048, 2, 1)),
    "products of 24 bits": (conv(1, 1, 1), conv(4095, 4095, 4095)),
    "products that wrap around": (conv(1, 1, 1), conv(4095, 1, 4095)),
    "inputs by a mask": (conv(1, 1024, 8, mask_in=0), conv(1, 1025, 1, mask_in=0)),
    "outputs by a mask": (conv(1, 8, 1024, mask_out=0), conv(1, 1, 1025, mask_out=0)),
    "groups, a mask of inputs": (conv(2, 8, 512, mask_in=0), conv(2, 8, 513, mask_in=0)),
    "groups, a mask of outputs": (conv(2, 512, 8, mask_out=0), conv(2, 513, 8, mask_out=0)),
    "inputs by a table": (conv(1, 1024, 1, **TABLE), conv(1, 1025, 1, **TABLE)),
    "outputs by a table": (conv(1, 1, 1024, **TABLE), conv(1, 1, 1025, **TABLE)),
    "eltwise": (eltwise(2048), eltwise(2049)),
    "eltwise, mask of the source": (eltwise(1024, mask_in=0), eltwise(1025, mask_in=0)),
    "eltwise, mask of the result": (eltwise(1024, mask_out=0), eltwise(1025, mask_out=0)),
    "pool": (pool(2048), pool(2049)),
    "pool, masked": (pool(1024, 0), pool(1025, 0)),
    "gavg": (gavg(2048), gavg(2049)),
    "gavg, masked": (gavg(1024, 0), gavg(1025, 0)),
    "scale": (scale(2048), scale(2049)),
    "scale, masked": (scale(1024, 0), scale(1025, 0)),
    "vector": (linear(2048, LinearMode.VECTOR), linear(2049, LinearMode.VECTOR)),
    "wide": (linear(2048, LinearMode.WIDE), linear(2049, LinearMode.WIDE)),
    "gate": (linear(1024, LinearMode.GATE), linear(1025, LinearMode.GATE)),
}
#: Header words in which the engines differ, as only one has a clock or skips words.
OWN = (ResultHeader.CYCLES, ResultHeader.STALL_CYCLES, ResultHeader.READ_WORDS)


@pytest.mark.parametrize("name", BOUNDS)
def test_bounds_of_channels(engines: Engines, name: str) -> None:
    engine = engines(4, True)
    assert engine.rtl is not None
    # A register keeps the mask of the program before, each engine its own: all write it first.
    gate = linear(MAX_LISTED, LinearMode.GATE)
    for op, status in zip(BOUNDS[name], (Status.OK, Status.BAD_FIELD), strict=True):
        instructions = (gate, op, Instruction(Opcode.END))
        program = np.array([word for each in instructions for word in each.encode()], np.uint64)
        params = np.zeros(1 << 15, np.uint64)
        image = np.random.default_rng(1).integers(0, 2**63, 4096).astype(np.uint64)
        results = []
        for run in (engine.csim.run, engine.rtl.run):
            found = run(program, params, image, 4096)
            assert (found.status, found.fault_index) == (status, 1 + int(status == Status.OK)), op
            results.append(np.delete(found.result, OWN))
        assert np.array_equal(*results)


def test_wider_masks_are_refused_in_words() -> None:
    b = GraphBuilder()
    x = b.conv(b.input(4, 2, 2), 1032, 1)
    gate = b.gate(b.gavg(x), 1032)
    b.logits(b.gavg(b.conv(x, 1032, 1, mask=gate)))
    with pytest.raises(UserError) as caught:
        compile_graph(b.graph(), CONFIGURATIONS[4])
    assert "a mask of 1032 channels, a mask register has 1024 bits" in str(caught.value)
    b = GraphBuilder()
    x = b.conv(b.input(4, 2, 2), 16, 1)
    gate = b.gate(b.gavg(x), 16)
    y = b.conv(b.conv(x, 16, 1, mask=gate), 1040, 1, groups=2)
    b.logits(b.gavg(y))
    with pytest.raises(UserError) as caught:
        compile_graph(b.graph(), CONFIGURATIONS[4])
    assert "a mask beside groups of 1040 channels, the engine lists 1024" in str(caught.value)
