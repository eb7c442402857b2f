"""Programs: instructions, result buffer, files and listing; and graphs that are refused."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from acsgen.compiler import compile_graph
from acsgen.compiler.listing import listing
from acsgen.ir.integer import Format, IntEltwise, IntPool
from acsgen.isa.generated import (
    HEADER_WORDS,
    INSTRUCTION_FIELDS,
    MASK_NONE,
    MASK_REGISTERS,
    RECORD_WORDS,
    SPEC_HASH,
    WORD_BITS,
    WORD_BYTES,
    LinearMode,
    Opcode,
    Record,
)
from acsgen.program.engine_config import EngineConfig
from acsgen.program.program import Program, load_program
from acsgen.program.result import decode_result, describe_difference
from acsgen.support.errors import UserError
from tests.nets.integer_graphs import GraphBuilder, resnet

pytestmark = pytest.mark.unit


def problems(b: GraphBuilder, engine: EngineConfig) -> list[str]:
    with pytest.raises(UserError) as caught:
        compile_graph(b.graph(), engine)
    return [str(p) for p in caught.value.problems]


def finish(b: GraphBuilder, x: str) -> GraphBuilder:
    b.logits(b.gavg(x))
    return b


def test_the_program_ends_and_every_layer_has_its_instruction(program: Program) -> None:
    assert program.lines[-1].instruction.opcode is Opcode.END
    assert [i.opcode for i in program.instructions].count(Opcode.END) == 1
    layers = [line.layer for line in program.lines[:-1] if "copy" not in line.remark]
    assert layers == [layer.name for layer in resnet()]
    assert program.spec_hash == SPEC_HASH


def test_masks_skip_outputs_and_then_inputs(program: Program) -> None:
    gates = {gate.name: gate.mask_register for gate in program.gates}
    convs = [i for i in program.instructions if i.opcode is Opcode.CONV]
    first, second = (i for i in convs if i.mask_out != MASK_NONE and i.dst_height == 32)
    assert first.mask_out in gates.values()
    assert first.mask_in == MASK_NONE
    # The first convolution's skipped channels are zero, so the second need not read them.
    assert second.mask_in == first.mask_out
    assert second.mask_out != first.mask_out
    assert all(i.masked_zero for i in convs)


def test_a_residual_makes_the_channels_of_the_next_input_live() -> None:
    b = GraphBuilder(1)
    x = b.conv(b.input(3, 8, 8), 8)
    gate = b.gate(b.gavg(x), 8)
    y = b.conv(x, 8, residual=x, mask=gate)
    z = b.conv(y, 8)
    graph = finish(b, z).graph()
    program = compile_graph(graph, EngineConfig(4, 64, 32, 1024))
    (op,) = [line.instruction for line in program.lines if line.layer == z]
    assert op.mask_in == MASK_NONE


def test_masked_zero_is_not_set_where_a_masked_channel_has_a_bias(engine: EngineConfig) -> None:
    b = GraphBuilder(2)
    x = b.conv(b.input(3, 8, 8), 8)
    y = b.conv(x, 8, mask=b.gate(b.gavg(x), 8), masked_bias=True)
    z = b.conv(y, 8)
    program = compile_graph(finish(b, z).graph(), engine)
    ops = {line.layer: line.instruction for line in program.lines}
    assert (ops[x].masked_zero, ops[y].masked_zero) == (1, 0)
    # Kernels of 3 by 3 over the image's and over 8 channels.
    assert ops[x].row_words == RECORD_WORDS + -(-9 * ops[x].channels_in // WORD_BYTES)
    assert ops[y].row_words == 2 * RECORD_WORDS + -(-9 * 8 // WORD_BYTES)
    assert (ops[x].record_words, ops[y].record_words) == (RECORD_WORDS, 2 * RECORD_WORDS)
    assert ops[z].mask_in == MASK_NONE


def test_chunks_fit_the_banks(engine: EngineConfig) -> None:
    tight = replace(engine, weight_kib=4)
    for op in compile_graph(resnet(), tight).instructions:
        if op.opcode is Opcode.CONV:
            rows = -(-op.chunk // tight.lane_groups)
            assert rows * (op.row_words - op.record_words) <= tight.bank_words
            assert op.chunk % tight.lane_groups == 0 or op.chunk == op.channels


def test_layers_that_fields_cannot_hold_are_refused(
    engine: EngineConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    b = GraphBuilder()
    x = b.conv(b.input(1, 9, 9), 2, 5, pad=2)
    finish(b, b.conv(x, 2, 3, pad=1))
    compile_graph(b.graph(), engine)
    fields = [replace(f, bits=1) if f.name == "pad" else f for f in INSTRUCTION_FIELDS]
    monkeypatch.setattr("acsgen.isa.generated.INSTRUCTION_FIELDS", fields)
    (problem,) = problems(b, engine)
    assert problem.startswith(f"net.{x}: ")
    assert "pad = 2 is outside 0..1" in problem


def test_layers_whose_trace_cannot_be_addressed_are_not_traced(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    reach = program.traces[2].address + 1
    monkeypatch.setattr("acsgen.compiler.compile.TRACE_REACH", reach)
    compiled = compile_graph(resnet(), program.engine)
    kept = {trace.layer: trace.address for trace in compiled.traces}
    assert 1 < len(kept) < len(program.traces)
    for line in compiled.lines:
        assert line.instruction.trace_addr < reach
        assert line.instruction.trace_addr in (0, kept.get(line.layer, 0))


def test_nothing_in_the_result_buffer_overlaps(program: Program) -> None:
    places = [
        (0, HEADER_WORDS),
        (program.outputs[0].address, (program.outputs[0].classes + 1) // 2),
    ]
    places += [(g.mask_address, -(-g.channels // WORD_BITS)) for g in program.gates]
    assert max(a + n for a, n in places) == program.result_words
    places += [(t.address, t.words) for t in program.traces]
    assert max(a + n for a, n in places) == program.traced_words
    places.sort()
    assert all(a + n <= b for (a, n), (b, _) in pairwise(places))


def test_gates_and_logits_write_where_the_program_says(program: Program) -> None:
    ops = {line.layer: line.instruction for line in program.lines}
    for gate in program.gates:
        op = ops[gate.name]
        assert (op.linear_mode, op.mask_out) == (LinearMode.GATE, gate.mask_register)
        assert op.result_addr == gate.mask_address
        assert op.threshold_addr == gate.threshold_address
    assert ops["logits"].result_addr == program.outputs[0].address


def test_thresholds_are_replaced_and_nothing_else(program: Program) -> None:
    gate = program.gates[1]
    params = program.with_thresholds({gate.name: np.full(gate.channels, -(2**31))})
    changed = np.flatnonzero(params != program.params)
    words = gate.channels // 2
    assert changed.tolist() == list(range(gate.threshold_address, gate.threshold_address + words))
    assert set(params[changed].tolist()) == {0x8000_0000_8000_0000}
    with pytest.raises(ValueError, match="takes 8 thresholds"):
        program.with_thresholds({gate.name: np.zeros(3, int)})
    with pytest.raises(ValueError, match="nobody is not a gate"):
        program.with_thresholds({"nobody": np.zeros(3, int)})


def test_a_saved_program_is_the_same_program(program: Program, tmp_path: Path) -> None:
    program.save(tmp_path)
    loaded = load_program(tmp_path)
    assert np.array_equal(loaded.params, program.params)
    assert np.array_equal(loaded.words, program.words)
    # All but the array, whose == is one array more.
    assert replace(loaded, params=None) == replace(program, params=None)  # type: ignore[arg-type]


def test_a_damaged_or_foreign_program_is_refused(program: Program, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"program.json: cannot be read: no such file"):
        load_program(tmp_path)
    program.save(tmp_path)
    (tmp_path / "params.bin").write_bytes(b"\0" * 8)
    (tmp_path / "program.bin").unlink()
    with pytest.raises(UserError) as refusal:
        load_program(tmp_path)
    assert "params.bin: has 8 bytes, and had" in str(refusal.value)
    assert "program.bin: cannot be read: no such file" in str(refusal.value)


def test_one_wrong_bit_in_a_saved_program_is_seen(program: Program, tmp_path: Path) -> None:
    program.save(tmp_path)
    words = bytearray((tmp_path / "params.bin").read_bytes())
    words[len(words) // 2] ^= 1
    (tmp_path / "params.bin").write_bytes(words)
    with pytest.raises(UserError, match=r"params.bin: is not what was written"):
        load_program(tmp_path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"spec_hash": 1}, "instruction set 0x1"),
        ({"spec_hash": "1"}, "does not describe a program"),
        ({"gates": [{}]}, "does not describe a program"),
        ({"engine": 7}, "does not describe a program"),
        ({"lines": []}, "does not describe a program"),
        ({"files": []}, "has no recorded digest"),
    ],
)
def test_a_description_that_makes_no_sense(
    program: Program, tmp_path: Path, change: dict[str, object], said: str
) -> None:
    program.save(tmp_path)
    data = json.loads((tmp_path / "program.json").read_text())
    (tmp_path / "program.json").write_text(json.dumps({**data, **change}))
    with pytest.raises(UserError, match=said):
        load_program(tmp_path)


def test_listing_has_a_line_for_every_instruction(program: Program) -> None:
    lines = listing(program).splitlines()
    body = [line for line in lines if not line.startswith(";")]
    assert len(body) == len(program.lines)
    assert body[0].split()[:3] == ["0", "LOAD", "image"]
    assert any("in m0" in line and "out m1" in line for line in body)
    assert body[-1].split()[-1] == "END"


def test_a_difference_is_told_with_channel_and_pixel(program: Program) -> None:
    expected = np.zeros((8, 32, 32), np.int16)
    found = expected.copy()
    assert describe_difference(program, "conv1", expected, found) is None
    found[2, 5, 9] = 7
    text = describe_difference(program, "conv1", expected, found)
    assert text is not None
    for part in ("conv1 (instruction 1)", "channel 2, row 5, column 9", "expected 0, found 7"):
        assert part in text


def test_a_short_result_buffer_is_refused(program: Program) -> None:
    with pytest.raises(ValueError, match="needed"):
        decode_result(program, np.zeros(program.result_words, np.uint64), trace=True)


def test_all_shortages_are_told_at_once() -> None:
    b = GraphBuilder(3)
    x = b.conv(b.input(3, 32, 32), 32)
    finish(b, b.conv(x, 64))
    tiny = EngineConfig(lane_groups=4, feature_kib=8, weight_kib=1, vector_bytes=16)
    text = problems(b, tiny)
    assert len(text) == 3
    # 288 bytes of weights a row against 1024 / 4; 32 + 64 maps of 1 KiB; 64 pooled values.
    assert "net.conv2: a weight row takes 288 bytes, a weight bank holds 256" in text[0]
    assert "weight_kib of 2" in text[0]
    assert "net.conv2: the maps need 96 KiB of feature memory, the board has 8 KiB" in text[1]
    assert "88 KiB short" in text[1]
    assert "the vectors need 64 bytes of vector memory, the board has 16: 48 short" in text[2]
    assert "with vector_bytes: 64, or global pooling" in text[2]


def test_too_many_masks_are_refused(engine: EngineConfig) -> None:
    b = GraphBuilder(4)
    x = b.conv(b.input(3, 8, 8), 4)
    pooled = b.gavg(x)
    gates = [b.gate(pooled, 4) for _ in range(MASK_REGISTERS + 1)]
    for gate in gates:
        x = b.conv(x, 4, 1, mask=gate)
    (text,) = problems(finish(b, x), engine)
    assert "33 masks are in use at once, the engine has 32" in text


def test_unsupported_layers_are_told_with_the_shortages() -> None:
    b = GraphBuilder(5)
    x = b.conv(b.input(6, 32, 32), 8)
    image = b.layers[0]
    b.layers[0] = replace(image, pad_value=np.array([0, 0, 0, 1, 2, 3]))  # type: ignore[call-arg]
    wide = b.conv(x, 2100, 1)
    pooled = b.pool(wide, kernel=8, stride=3)
    vector = b.gavg(pooled)
    b.layers.append(
        IntEltwise("e", "net.e", b.shape(vector), Format(1.0, False), x=vector, mult=1, shift=14)
    )
    b.logits("e")
    text = "\n".join(problems(b, EngineConfig(4, 64, 32, 8192)))
    for part in (
        "net.conv1: images of 6 channels that pad with different values from channel 3",
        "net.conv2: 2100 channels, the engine counts to 2048",
        "net.pool3: a kernel of side 8, the largest is 7",
        "net.pool3: stride 3",
        "net.e: an elementwise layer on a vector",
        "feature memory, the board has 64 KiB",
    ):
        assert part in text


def test_records_hold_the_layer_constants(program: Program) -> None:
    (op,) = [line.instruction for line in program.lines if line.layer == "logits"]
    layer = resnet()["logits"]
    for o in range(program.outputs[0].classes):
        words = program.params[op.weight_addr + o * op.row_words :][:RECORD_WORDS]
        record = Record.decode([int(w) for w in words])
        assert (record.bias, record.mult) == (layer.bias[o], layer.mult[o])


def test_an_average_has_its_scale_and_a_maximum_none(engine: EngineConfig) -> None:
    b = GraphBuilder(6)
    x = b.conv(b.input(3, 16, 16), 4)
    average = b.pool(b.pool(x, "max", 3, 2, 1), "avg")
    program = compile_graph(finish(b, average).graph(), engine)
    first, second = (i for i in program.instructions if i.opcode is Opcode.POOL)
    layer = b.layer(average)
    assert isinstance(layer, IntPool)
    assert (first.pool_max, first.mult, first.shift, first.src_plane) == (1, 0, 0, 1)
    assert (second.pool_max, second.mult, second.shift) == (0, layer.mult, layer.shift)
