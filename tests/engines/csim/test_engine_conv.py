"""CONV of the compiled engine against the machine, over random operands."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from acsgen.isa.generated import MASK_NONE, MAX_CHUNK, Instruction, Opcode, Record
from tests.differential.engines import Engines, EngineUnderTest
from tests.fuzz.planes import Plane

from .bench import Array, Bench, random_pixels


@dataclass(frozen=True)
class Conv:
    """One convolution: its sizes and its options."""

    inputs: int = 3
    outputs: int = 4
    groups: int = 1
    kernel: int = 3
    stride: int = 1
    pad: int = 1
    height: int = 8
    width: int = 8
    row_log2: int = 0
    chunk: int = 8
    src_signed: int = 0
    dst_signed: int = 0
    residual: str = ""  # "", "unsigned", "signed"
    dst_split: int = 0
    mask_in: str = ""  # "", or a kind of mask_bits
    mask_out: str = ""
    masked_bias: bool = False
    table: bool = False
    pads: tuple[int, int, int, int] = (0, 0, 0, 0)
    extreme: bool = False
    spare: int = 0


def mask_bits(kind: str, channels: int, rng: np.random.Generator) -> Array:
    if kind == "one":
        return np.eye(channels, dtype=np.int64)[rng.integers(channels)]
    if kind == "alternating":
        return np.arange(channels) % 2
    if kind == "random":
        return rng.integers(0, 2, channels)
    return np.full(channels, {"on": 1, "off": 0}[kind])


def result_size(size: int, conv: Conv) -> int:
    return (size + 2 * conv.pad - conv.kernel) // conv.stride + 1


def check_conv(engine: EngineUnderTest, conv: Conv, seed: int) -> dict[str, int]:
    """Run one convolution; returns the result header."""
    rng = np.random.default_rng(seed)
    bench = Bench(engine, rng)
    out_shape = (conv.outputs, result_size(conv.height, conv), result_size(conv.width, conv))
    in_shape = (conv.inputs, conv.height, conv.width)
    ins, outs = conv.inputs // conv.groups, conv.outputs // conv.groups

    masks = [
        bench.mask(mask_bits(kind, channels, rng)) if kind else MASK_NONE
        for kind, channels in ((conv.mask_in, conv.inputs), (conv.mask_out, conv.outputs))
    ]

    # The contents of masked input channels are random: they must not be read.
    source = random_pixels(rng, in_shape, conv.src_signed, conv.extreme)
    src = bench.place(source, conv.row_log2, split=conv.stride == 2, gap=int(rng.integers(2)))
    stored_log2 = max(conv.row_log2 - 1, 0) if conv.dst_split else conv.row_log2
    dst = bench.reserve(out_shape, stored_log2, bool(conv.dst_split), gap=int(rng.integers(2)))
    res_signed = int(conv.residual == "signed")
    residual = random_pixels(rng, out_shape, res_signed, conv.extreme)
    res = bench.place(residual, conv.row_log2) if conv.residual else Plane(0, 0, *out_shape, 0)

    shape = (conv.outputs, ins, conv.kernel, conv.kernel)
    weights = np.full(shape, 127) if conv.extreme else rng.integers(-127, 128, shape)
    taps = conv.kernel**2
    shift = rng.integers(14, 39, conv.outputs)
    # Results spread over the 8 bits and somewhat beyond.
    scale = 40.0 / (80 * 120 * np.sqrt(ins * taps))
    mult = np.clip(np.round(scale * 2.0**shift), 0, 65535).astype(np.int64)
    bias = rng.integers(-20000, 20001, conv.outputs)
    masked_bias = rng.integers(-(2**24), 2**24, conv.outputs) * conv.masked_bias
    records = [
        Record(bias=int(b), mult=int(u), shift=int(s))
        for b, u, s in zip(bias, mult, shift, strict=True)
    ]
    masked = [replace(r, bias=int(b)) for r, b in zip(records, masked_bias, strict=True)]
    op = Instruction(Opcode.CONV, mask_out=masks[1], masked_zero=int(not conv.masked_bias))
    address, row_words = bench.rows(
        weights.reshape(conv.outputs, -1),
        records,
        conv.spare,
        masked if op.has_masked_records else None,
    )
    rows = engine.config.bank_words // (row_words - op.record_words)
    conv = replace(conv, chunk=min(conv.chunk, rows * engine.config.lane_groups))
    order = (np.arange(conv.inputs), np.arange(conv.outputs))
    if conv.table:
        order = (rng.permutation(conv.inputs), rng.permutation(conv.outputs))
    table = np.zeros(-(-(conv.inputs + conv.outputs) // 4) * 4, np.uint16)
    table[: conv.inputs + conv.outputs] = np.concatenate(order)
    table_address = bench.store(table.view(np.uint64)) if conv.table else 0
    res_mult = int(rng.integers(0, 65536)) if conv.residual else 0

    bench.traced(
        Instruction(
            Opcode.CONV,
            kernel=conv.kernel,
            stride=conv.stride,
            pad=conv.pad,
            src_signed=conv.src_signed,
            dst_signed=conv.dst_signed,
            res_enable=int(bool(conv.residual)),
            res_signed=res_signed,
            dst_split=conv.dst_split,
            has_table=int(conv.table),
            row_log2=conv.row_log2,
            mask_in=masks[0],
            mask_out=masks[1],
            pixels=out_shape[1] * out_shape[2],
            masked_zero=int(not conv.masked_bias),
            src_base=src.base,
            src_step=src.step,
            dst_base=dst.base,
            dst_step=dst.step,
            res_base=res.base,
            res_step=res.step,
            src_height=conv.height,
            src_width=conv.width,
            dst_height=out_shape[1],
            dst_width=out_shape[2],
            groups=conv.groups,
            channels_in=ins,
            channels=outs,
            chunk=conv.chunk,
            src_plane=src.phase or 0,
            weight_addr=address,
            row_words=row_words,
            res_mult=res_mult,
            table_addr=table_address,
            pad_value0=conv.pads[0],
            pad_value1=conv.pads[1],
            pad_value2=conv.pads[2],
            pad_value3=conv.pads[3],
        ),
        dst,
    )
    return bench.run()


CASES = {
    "1x1": Conv(kernel=1, pad=0),
    "3x3": Conv(),
    "5x5": Conv(kernel=5, pad=2),
    "7x7": Conv(kernel=7, pad=3, height=11, width=16, row_log2=1),
    "3x3 no pad": Conv(pad=0, height=9, width=15, row_log2=1),
    "7x7 pad 1": Conv(kernel=7, pad=1, height=13, width=9, row_log2=1),
    "even kernel": Conv(kernel=4, pad=2, height=7, width=7),
    "stride 2": Conv(stride=2, height=16, width=16),
    "stride 2, 1x1": Conv(stride=2, kernel=1, pad=0, height=10, width=10),
    "stride 2, odd": Conv(stride=2, height=13, width=15),
    "stride 2, 7x7 of 64": Conv(stride=2, kernel=7, pad=3, height=9, width=64, row_log2=2),
    "stride 2, 5x5": Conv(stride=2, kernel=5, pad=2, height=31, width=31, row_log2=1),
    "one pixel": Conv(height=1, width=1),
    "one pixel wide": Conv(height=30, width=1),
    "64 wide": Conv(height=3, width=64, row_log2=3),
    "61 wide": Conv(height=6, width=61, row_log2=3),
    "33 wide": Conv(height=6, width=33, row_log2=3),
    "32 wide": Conv(height=32, width=32, row_log2=2),
    "narrow rows with a wide pitch": Conv(height=7, width=5, row_log2=2),
    "255 high": Conv(inputs=1, outputs=2, height=255, width=3),
    "chunk 1": Conv(outputs=7, chunk=1),
    "chunk 3": Conv(outputs=10, chunk=3),
    "largest chunk": Conv(outputs=140, inputs=2, chunk=MAX_CHUNK, kernel=1, pad=0),
    "many inputs": Conv(inputs=70, outputs=3),
    "groups": Conv(inputs=12, outputs=8, groups=4),
    "depthwise": Conv(inputs=9, outputs=9, groups=9),
    "groups, table": Conv(inputs=12, outputs=8, groups=4, table=True),
    "table of odd length": Conv(inputs=3, outputs=4, table=True),
    "masked groups, table": Conv(
        inputs=12, outputs=8, groups=4, table=True, mask_in="random", mask_out="random"
    ),
    "signed": Conv(src_signed=1, dst_signed=1),
    "residual": Conv(residual="unsigned", height=9, width=9, row_log2=1),
    "signed residual": Conv(residual="signed", dst_signed=1),
    "residual of masked": Conv(residual="signed", mask_out="alternating"),
    "biased residual of masked": Conv(residual="unsigned", mask_out="random", masked_bias=True),
    "split result": Conv(dst_split=1, height=17, width=23, row_log2=2),
    "split result, 8 wide": Conv(dst_split=1, height=8, width=8),
    "split result, one pixel": Conv(dst_split=1, height=1, width=1),
    "split to split": Conv(stride=2, dst_split=1, height=32, width=32, row_log2=1),
    "split, masked": Conv(dst_split=1, mask_out="alternating", width=13, row_log2=1),
    "pad values": Conv(inputs=5, pads=(10, 200, 255, 77), kernel=5, pad=3, width=9, row_log2=1),
    "signed pad values": Conv(inputs=4, src_signed=1, pads=(128, 255, 1, 127)),
    "largest sums": Conv(inputs=64, kernel=7, pad=3, extreme=True),
    "signed extremes": Conv(inputs=16, src_signed=1, dst_signed=1, residual="signed", extreme=True),
    "spare words in rows": Conv(spare=3, mask_in="random"),
    "nothing in": Conv(inputs=6, mask_in="off"),
    "nothing out": Conv(inputs=6, mask_out="off"),
    "nothing out, biased": Conv(mask_out="off", masked_bias=True),
    "everything on": Conv(inputs=6, outputs=6, mask_in="on", mask_out="on"),
    "one in": Conv(inputs=20, mask_in="one"),
    "one out": Conv(outputs=20, mask_out="one", chunk=4),
    "more than 64 channels masked": Conv(
        inputs=130, outputs=70, kernel=1, pad=0, mask_in="random", mask_out="random"
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_case(engine: EngineUnderTest, name: str) -> None:
    check_conv(engine, CASES[name], seed=len(name))


def random_conv(seed: int) -> Conv:
    rng = np.random.default_rng(seed)

    def some(*choices: str) -> str:
        return choices[rng.integers(len(choices))]

    kernel = int(rng.integers(1, 8))
    pad = int(rng.integers(0, min(kernel, 4)))
    stride = int(rng.integers(1, 3))
    groups = int(some("1", "1", "2", "3"))
    conv = Conv(
        inputs=groups * int(rng.integers(1, 9)),
        outputs=groups * int(rng.integers(1, 12)),
        groups=groups,
        kernel=kernel,
        stride=stride,
        pad=pad,
        height=int(rng.integers(kernel, 30)),
        width=int(rng.integers(kernel, 65)),
        chunk=int(rng.integers(1, 17)),
        src_signed=int(rng.integers(2)),
        dst_signed=int(rng.integers(2)),
        residual=some("", "unsigned", "signed"),
        dst_split=int(rng.integers(2)),
        mask_in=some("", "on", "one", "alternating", "random"),
        mask_out=some("", "off", "one", "alternating", "random"),
        masked_bias=bool(rng.integers(2)),
        table=bool(rng.integers(2)),
        pads=(int(rng.integers(256)), int(rng.integers(256)), 0, int(rng.integers(256))),
        spare=int(rng.integers(2)),
    )
    # A source and its result share the pitch of their rows.
    widest = max(-(-conv.width // stride), result_size(conv.width, conv))
    if widest > 64:
        conv, widest = replace(conv, pad=0), -(-conv.width // stride)
    smallest = next(log2 for log2 in range(4) if 8 << log2 >= widest)
    return replace(conv, row_log2=int(rng.integers(smallest, 4)))


@pytest.mark.parametrize("seed", range(40))
def test_random(engine: EngineUnderTest, seed: int) -> None:
    check_conv(engine, random_conv(seed), seed)


@pytest.mark.parametrize("side", ["in", "out"])
@pytest.mark.parametrize("active", [0, 6, 12, 18, 24])
def test_a_skipped_channel_is_a_skipped_loop(
    engine: EngineUnderTest, monkeypatch: pytest.MonkeyPatch, side: str, active: int
) -> None:
    """Iterations fall exactly with the channels left, on either side: (1 - s) of the dense ones."""
    monkeypatch.setitem(globals(), "mask_bits", lambda _, n, rng: rng.permutation(n) < active)
    # 4 blocks of 24 channels: each number of active channels fills all rounds of every engine.
    conv = Conv(inputs=24, outputs=24, height=16, width=16, row_log2=1, chunk=24, pad=1)
    header = check_conv(engine, replace(conv, **{f"mask_{side}": "forced"}), active)
    groups = engine.config.lane_groups
    dense = 4 * 24 // groups * 24 * 9
    assert header["array_iterations"] * 24 == dense * active
    assert header["macs_executed"] == 24 * active * 9 * 256 + 24 * 8
    assert header["macs_skipped"] == 24 * (24 - active) * 9 * 256


def test_both_sides_multiply(engines: Engines) -> None:
    """Half of the inputs and half of the outputs make a quarter of the work."""
    engine = engines(4)
    conv = Conv(inputs=16, outputs=16, height=16, width=16, row_log2=1, chunk=16)
    dense = check_conv(engine, conv, 1)
    assert dense["array_iterations"] == 4 * 16 // 4 * 16 * 9
    half = check_conv(engine, replace(conv, mask_in="alternating", mask_out="alternating"), 1)
    assert half["array_iterations"] * 4 == dense["array_iterations"]
    # One channel of four blocks: two items, from two blocks, a round.
    one = check_conv(engine, replace(conv, mask_out="one"), 1)
    assert one["array_iterations"] == 2 * 16 * 9
    assert one["macs_executed"] * 16 == dense["macs_executed"] + 16 * 16 * 8
