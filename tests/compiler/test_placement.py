"""Concatenation is placement: parts are written where the whole lies, and copied if need be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from acsgen.compiler import compile_graph
from acsgen.compiler.layout import choose_layouts
from acsgen.compiler.placement import place_parts
from acsgen.compiler.steps import Buffer, Slice, Store
from acsgen.ir.format import Format
from acsgen.ir.masks import MaskSlice, whole
from acsgen.isa.generated import MASK_NONE, RECORD_WORDS, Instruction
from acsgen.program.engine_config import EngineConfig
from acsgen.program.program import Program
from acsgen.support.errors import UserError
from tests.nets.integer_graphs import GraphBuilder

pytestmark = pytest.mark.unit


@pytest.fixture
def b() -> GraphBuilder:
    builder = GraphBuilder(0)
    builder.input(3, 8, 8)
    return builder


def program_of(b: GraphBuilder, x: str, engine: EngineConfig) -> Program:
    b.logits(b.gavg(x))
    return compile_graph(b.graph(), engine)


def the(program: Program, layer: str) -> Instruction:
    (found,) = [
        line.instruction
        for line in program.lines
        if line.layer == layer and "copy" not in line.remark
    ]
    return found


def copies(program: Program) -> list[tuple[str, str]]:
    return [(line.layer, line.remark) for line in program.lines if "copy" in line.remark]


def test_parts_lie_one_behind_the_other(b: GraphBuilder, engine: EngineConfig) -> None:
    first, second = b.conv("image", 5), b.conv("image", 7)
    whole_map = b.concat(first, second)
    reader = b.conv(whole_map, 4)
    program = program_of(b, reader, engine)
    assert copies(program) == []
    assert whole_map not in {line.layer for line in program.lines}
    base = the(program, first).dst_base
    assert the(program, second).dst_base == base + 5 * the(program, first).dst_step
    assert the(program, reader).src_base == base
    assert the(program, reader).channels_in == 12


def test_a_dense_block_is_one_map_and_its_beginnings(b: GraphBuilder, engine: EngineConfig) -> None:
    maps = [b.conv("image", 4)]
    x = maps[0]
    for _ in range(4):
        maps.append(b.conv(b.conv(x, 8, 1), 3))
        x = b.concat(*maps)
    program = program_of(b, b.conv(x, 4, 1), engine)
    assert copies(program) == []
    readers = [the(program, layer.name) for layer in b.layers if layer.KIND == "conv"][1::2]
    assert {op.src_base for op in readers} == {the(program, maps[0]).dst_base}
    assert [op.channels_in for op in readers] == [4, 7, 10, 13, 16]


def test_what_is_nested_is_placed_in_what_is_around_it(b: GraphBuilder) -> None:
    x, y, z = (b.conv("image", channels) for channels in (2, 3, 4))
    inner = b.concat(x, y)
    outer = b.concat(z, inner)
    b.logits(b.gavg(outer))
    found = place_parts(b.graph())
    around = Buffer(outer, Store.RASTER)
    assert found[Buffer(inner, Store.RASTER)] == Slice(around, 4)
    assert found[Buffer(z, Store.RASTER)] == Slice(around, 0)
    assert found[Buffer(y, Store.RASTER)] == Slice(Buffer(inner, Store.RASTER), 2)


def test_a_map_lies_in_one_place_and_is_copied_to_the_others(
    b: GraphBuilder, engine: EngineConfig
) -> None:
    x, y = b.conv("image", 2), b.conv("image", 3)
    turned, straight = b.concat(y, x), b.concat(x, y)
    total = b.eltwise(b.conv(turned, 5), residual=straight)
    program = program_of(b, total, engine)
    assert copies(program) == [(y, f"copy into {turned}[0]"), (x, f"copy into {turned}[3]")]
    twice = GraphBuilder(1)
    z = twice.conv(twice.input(3, 8, 8), 2)
    doubled = twice.concat(z, z)
    assert copies(program_of(twice, doubled, engine)) == [(z, f"copy into {doubled}[2]")]


def test_a_concatenation_wanted_both_ways_is_copied_as_a_whole(
    b: GraphBuilder, engine: EngineConfig
) -> None:
    x = b.concat(b.conv("image", 2), b.conv("image", 3))
    down = b.conv(x, 4, 3, 2)
    program = program_of(b, down, engine)
    assert copies(program) == [(x, "copy in split layout")]
    layouts = choose_layouts(b.graph())
    assert x in layouts.raster & layouts.split


def test_the_place_is_kept_from_the_first_part_to_the_last_reader(
    b: GraphBuilder, engine: EngineConfig
) -> None:
    early = b.conv("image", 4)
    between = b.conv(b.conv("image", 4), 4)
    x = b.concat(early, between)
    program = program_of(b, b.conv(x, 4), engine)
    held = range(the(program, early).dst_base, the(program, early).dst_base + 8)
    writers = [line for line in program.lines if line.instruction.writes_map]
    inside = [line.layer for line in writers if line.instruction.dst_base in held]
    assert inside[:2] == [early, between]


def problems(b: GraphBuilder, engine: EngineConfig) -> str:
    with pytest.raises(UserError) as caught:
        compile_graph(b.graph(), engine)
    return str(caught.value)


def test_maps_with_rows_of_another_pitch_are_refused(engine: EngineConfig) -> None:
    b = GraphBuilder()
    image = b.input(3, 32, 32)
    far = b.conv(image, 4, 1, 2)
    near = b.conv(image, 4, 7, 1, 0)
    near = b.conv(b.conv(near, 4, 6, 1, 0), 4, 6, 1, 0)
    assert b.shape(near) == b.shape(far)
    b.logits(b.gavg(b.concat(far, near)))
    assert f"concatenates {near}, whose rows are stored with another pitch" in problems(b, engine)


def test_channels_of_different_signs_are_refused_where_an_instruction_has_one(
    b: GraphBuilder, engine: EngineConfig
) -> None:
    x = b.concat(b.conv("image", 2), b.conv("image", 2))
    reader = b.conv(x, 4)
    b.logits(b.gavg(reader))
    for index, layer in enumerate(b.layers):
        if layer.name == x:
            signs = (False, False, True, True)
            b.layers[index] = replace(layer, format=Format(1.0, signs))
        elif layer.name == b.layer(x).inputs[1]:
            b.layers[index] = replace(layer, format=Format(1.0, True))
    assert f"the channels of {x} are partly signed and partly not" in problems(b, engine)


def test_scales_may_differ_by_channel(b: GraphBuilder, engine: EngineConfig) -> None:
    """They are in the constants of the readers: the program is the same."""
    x = b.conv("image", 2)
    plain = program_of(b, b.conv(x, 4), engine)
    for index, layer in enumerate(b.layers):
        if layer.name == x:
            b.layers[index] = replace(layer, format=Format((0.5, 2.0), False))
    other = compile_graph(b.graph(), engine)
    assert other.instructions == plain.instructions


def test_a_mask_of_parts_is_refused_and_zeros_by_parts_are_read(
    b: GraphBuilder, engine: EngineConfig
) -> None:
    x = b.conv("image", 4)
    gate = b.gate(b.gavg(x), 4)
    masked = b.conv(x, 4, mask=gate)
    both = b.concat(masked, b.conv(x, 4))
    reader = b.conv(both, 4)
    program = program_of(b, reader, engine)
    graph = b.graph()
    assert graph.zero_mask(both) == (*whole(gate, 4), MaskSlice(None, 0, 4))
    assert graph.source_mask(both) == ()
    assert the(program, reader).mask_in == MASK_NONE
    index = b.layers.index(b.layer(masked))
    parts = (MaskSlice(gate, 2, 2), MaskSlice(gate, 0, 2))
    b.layers[index] = replace(b.layers[index], mask=parts)
    assert f"is masked by parts of {gate}" in problems(b, engine)


def test_vectors_lie_one_behind_the_other_each_from_a_word_on(
    b: GraphBuilder, engine: EngineConfig
) -> None:
    first, second = (b.gavg(b.conv("image", channels)) for channels in (10, 5))
    both = b.join(first, second)
    reader = b.linear(both, 4)
    b.logits(reader)
    graph = b.graph()
    program = compile_graph(graph, engine)
    assert both not in {line.layer for line in program.lines}
    assert the(program, second).vec_dst == the(program, first).vec_dst + 2
    op = the(program, reader)
    assert op.vec_src == the(program, first).vec_dst
    assert op.row_words == RECORD_WORDS + 2 + 1
    weights = np.frombuffer(program.params.tobytes(), np.int8).reshape(-1, 8)
    row = weights[op.weight_addr + RECORD_WORDS : op.weight_addr + op.row_words].ravel()
    wanted = graph[reader].weight[0]
    assert np.array_equal(row, [*wanted[:10], *[0] * 6, *wanted[10:], *[0] * 3])


def test_a_vector_in_two_places_is_refused(b: GraphBuilder, engine: EngineConfig) -> None:
    shared, other = (b.gavg(b.conv("image", channels)) for channels in (6, 6))
    turned = b.linear(b.join(other, shared), 3)
    b.linear(b.join(shared, other), 3)
    b.logits(turned)
    with pytest.raises(UserError, match="is a part of another vector"):
        compile_graph(b.graph(), engine)
