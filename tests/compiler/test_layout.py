"""Which maps are stored raster, split, or both, and which are refused."""

from __future__ import annotations

import pytest

from acsgen.compiler import compile_graph
from acsgen.compiler.layout import choose_layouts
from acsgen.isa.generated import Opcode
from acsgen.program.engine_config import EngineConfig
from acsgen.support.errors import UserError
from tests.nets.integer_graphs import GraphBuilder

pytestmark = pytest.mark.unit


def finish(b: GraphBuilder, x: str) -> None:
    b.logits(b.gavg(x))


def test_only_what_a_stride_reads_is_split() -> None:
    b = GraphBuilder()
    first = b.conv(b.input(3, 16, 16), 4)
    second = b.conv(first, 4, 3, 2)
    finish(b, second)
    layouts = choose_layouts(b.graph())
    assert layouts.split == {first}
    assert layouts.raster == {"image", second}
    assert layouts.row_log2 == {"image": 1, first: 1, second: 0}


def test_an_image_read_with_stride_is_loaded_split() -> None:
    b = GraphBuilder()
    finish(b, b.conv(b.input(3, 16, 16), 4, 3, 2))
    assert choose_layouts(b.graph()).writes_split("image")


def test_a_map_wanted_both_ways_is_copied_before_the_stride(engine: EngineConfig) -> None:
    b = GraphBuilder()
    x = b.conv(b.input(3, 16, 16), 4)
    same = b.conv(x, 4)
    down = b.conv(x, 4, 3, 2)
    finish(b, b.conv(b.conv(same, 4, 3, 2), 4, residual=down))
    graph = b.graph()
    layouts = choose_layouts(graph)
    assert {x} == layouts.raster & layouts.split
    lines = compile_graph(graph, engine).lines
    where = [(line.instruction.opcode, line.layer, line.remark) for line in lines]
    copy = where.index((Opcode.ELTWISE, x, "copy in split layout"))
    assert where[copy + 1][1] == down
    op, source = lines[copy].instruction, lines[1].instruction
    assert (op.dst_split, op.mult, op.shift) == (1, 1 << 14, 14)
    assert (op.src_base, op.src_step) == (source.dst_base, source.dst_step)
    assert (op.src_signed, op.dst_signed) == (source.dst_signed, source.dst_signed)


def gate_like(width: int) -> tuple[GraphBuilder, str]:
    """A pixelwise convolution between a map that a stride reads and another stride."""
    b = GraphBuilder()
    x = b.conv(b.input(3, width, width), 4)
    pointwise = b.conv(x, 4, 1)
    finish(b, b.conv(b.conv(pointwise, 4, 3, 2), 4, residual=b.conv(x, 4, 3, 2)))
    return b, pointwise


def test_a_pixelwise_layer_between_split_maps_runs_flat(engine: EngineConfig) -> None:
    b, pointwise = gate_like(16)
    graph = b.graph()
    assert choose_layouts(graph).flat == {pointwise}
    (line,) = [x for x in compile_graph(graph, engine).lines if x.layer == pointwise]
    op = line.instruction
    assert (op.dst_height, op.dst_width, op.row_log2) == (4, 64, 3)
    assert (op.src_height, op.src_width, op.dst_split, op.pixels) == (4, 64, 0, 256)


def test_flat_is_not_chosen_where_split_planes_waste_blocks() -> None:
    b, pointwise = gate_like(8)
    layouts = choose_layouts(b.graph())
    assert layouts.flat == frozenset()
    assert layouts.writes_split(pointwise)


def test_rows_of_the_image_leave_room_for_wider_maps() -> None:
    b = GraphBuilder()
    wide = b.conv(b.input(3, 8, 8), 4, 3, 1, pad=2)
    finish(b, wide)
    assert choose_layouts(b.graph()).row_log2 == {"image": 1, wide: 1}


def test_too_wide_maps_are_refused_by_name() -> None:
    b = GraphBuilder()
    finish(b, b.conv(b.input(3, 10, 65), 4))
    with pytest.raises(UserError) as caught:
        choose_layouts(b.graph())
    assert [p.where for p in caught.value.problems] == ["net.image", "net.conv1"]
    assert "65 pixels wide" in str(caught.value)


def test_a_residual_of_another_pitch_is_refused() -> None:
    b = GraphBuilder()
    x = b.conv(b.input(3, 33, 33), 4)
    strided = b.conv(x, 4, 3, 2)
    shrunk = x
    for _ in range(8):
        shrunk = b.conv(shrunk, 4, 3, 1, pad=0)
    finish(b, b.conv(strided, 4, residual=shrunk))
    assert b.shape(shrunk) == b.shape(strided)
    with pytest.raises(UserError, match="another pitch"):
        choose_layouts(b.graph())
