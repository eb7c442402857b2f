"""LOAD, ELTWISE, POOL, GAVG, SCALE and FLATTEN of the compiled engine against the machine."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from acsgen_host.words import pack_image

from acsgen.isa.generated import HEADER_WORDS, INSTRUCTION_WORDS, MASK_NONE, Instruction, Opcode
from tests.differential.engines import Engines, EngineUnderTest
from tests.fuzz.planes import Plane
from tests.isa.places import HIGH

from .bench import Bench, random_pixels

SEEDS = range(12)


@pytest.fixture(scope="module")
def engine(engines: Engines) -> EngineUnderTest:
    """One engine: these operations do not use the lane groups."""
    return engines(3)


def random_size(rng: np.random.Generator, widest: int = 64) -> tuple[int, int, int]:
    """Height, width, and a row pitch that holds the width."""
    height, width = int(rng.integers(1, 34)), int(rng.integers(1, widest + 1))
    smallest = next(log2 for log2 in range(4) if 8 << log2 >= width)
    return height, width, int(rng.integers(smallest, 4))


def target(
    bench: Bench, shape: tuple[int, int, int], row_log2: int, split: int, gap: int = 0
) -> tuple[Plane, dict[str, int]]:
    """A place for a result, and the fields that name it."""
    stored = max(row_log2 - 1, 0) if split else row_log2
    at = bench.reserve(shape, stored, bool(split), gap)
    fields = {"dst_base": at.base, "dst_step": at.step, "dst_split": split, "row_log2": row_log2}
    return at, fields | {"channels": shape[0], "dst_height": shape[1], "dst_width": shape[2]}


def source(at: Plane) -> dict[str, int]:
    return {"src_base": at.base, "src_step": at.step}


def random_mask(bench: Bench, channels: int) -> int:
    """No mask, or a register with random bits."""
    if not bench.rng.integers(4):
        return MASK_NONE
    return bench.mask(bench.rng.integers(0, 2, channels))


@pytest.mark.parametrize("split", [0, 1])
@pytest.mark.parametrize("width", [1, 7, 8, 9, 16, 17, 24, 31, 33, 40, 57, 64])
def test_load(engine: EngineUnderTest, width: int, split: int) -> None:
    rng = np.random.default_rng(width)
    pixels = rng.integers(0, 256, (3, int(rng.integers(1, 20)), width), np.uint8)
    row_log2 = next(log2 for log2 in range(4) if 8 << log2 >= width)
    bench = Bench(engine, rng)
    at, fields = target(bench, pixels.shape, row_log2, split, gap=1)
    image = pack_image(pixels)
    address = bench.result(3 * at.step * 8)
    program = [Instruction(Opcode.LOAD, trace_addr=address, **fields), Instruction(Opcode.END)]
    header = bench.run(program, image)
    assert header["read_words"] == 2 * INSTRUCTION_WORDS + len(image)
    assert header["written_words"] == 3 * at.step * 8


@pytest.mark.parametrize("seed", SEEDS)
def test_eltwise(engine: EngineUnderTest, seed: int) -> None:
    rng = np.random.default_rng(seed)
    bench = Bench(engine, rng)
    height, width, row_log2 = random_size(rng)
    shape = (int(rng.integers(1, 12)), height, width)
    src_signed, res_signed, dst_signed, res_enable, split = map(int, rng.integers(0, 2, 5))
    x, residual = (
        random_pixels(rng, shape, signed, extreme=seed == 0) for signed in (src_signed, res_signed)
    )
    src, res = bench.place(x, row_log2, gap=1), bench.place(residual, row_log2)
    mask_in = random_mask(bench, shape[0])
    mask_out = random_mask(bench, shape[0])
    at, fields = target(bench, shape, row_log2, split)
    shift, mult, res_mult = int(rng.integers(14, 18)), *map(int, rng.integers(0, 65536, 2))
    bench.traced(
        Instruction(
            Opcode.ELTWISE,
            src_signed=src_signed,
            dst_signed=dst_signed,
            res_enable=res_enable,
            res_signed=res_signed,
            res_base=res.base,
            res_step=res.step,
            res_mult=res_mult,
            mask_in=mask_in,
            mask_out=mask_out,
            mult=mult,
            shift=shift,
            **source(src),
            **fields,
        ),
        at,
    )
    bench.run()


@pytest.mark.parametrize("seed", range(24))
def test_pool(engine: EngineUnderTest, seed: int) -> None:
    rng = np.random.default_rng(seed)
    bench = Bench(engine, rng)
    stride, kernel = int(rng.integers(1, 3)), int(rng.integers(1, 8))
    pad = int(rng.integers(0, min(kernel, HIGH["pad"] + 1)))
    height, width = (int(n) for n in rng.integers(kernel, 40, 2))
    channels = int(rng.integers(1, 6))
    sizes = [(size + 2 * pad - kernel) // stride + 1 for size in (height, width)]
    widest = max(sizes[1], -(-width // stride))
    row_log2 = next(log2 for log2 in range(4) if 8 << log2 >= widest)
    src_signed, dst_signed, pool_max, split = map(int, rng.integers(0, 2, 4))
    dst_signed = src_signed if pool_max else dst_signed
    x = random_pixels(rng, (channels, height, width), src_signed)
    src = bench.place(x, row_log2, split=stride == 2)
    mask = random_mask(bench, channels)
    at, fields = target(bench, (channels, *sizes), row_log2, split)
    shift, mult = (0, 0) if pool_max else (20, int(rng.integers(2**20 // kernel**2 // 16)) + 1)
    bench.traced(
        Instruction(
            Opcode.POOL,
            kernel=kernel,
            stride=stride,
            pad=pad,
            src_signed=src_signed,
            dst_signed=dst_signed,
            pool_max=pool_max,
            mask_in=mask,
            src_height=height,
            src_width=width,
            src_plane=src.phase or 0,
            mult=mult,
            shift=shift,
            **source(src),
            **fields,
        ),
        at,
    )
    bench.run()


@pytest.mark.parametrize("seed", SEEDS)
def test_gavg(engine: EngineUnderTest, seed: int) -> None:
    rng = np.random.default_rng(seed)
    bench = Bench(engine, rng)
    height, width, row_log2 = random_size(rng)
    channels = int(rng.integers(1, 40))
    src_signed, dst_signed = map(int, rng.integers(0, 2, 2))
    x = random_pixels(rng, (channels, height, width), src_signed, extreme=seed == 0)
    src = bench.place(x, row_log2, gap=1)
    mask = random_mask(bench, channels)
    mult = min(2**22 // (height * width), 65535)
    words = -(-channels // 8)
    address = bench.result(words)
    bench.add(
        Instruction(
            Opcode.GAVG,
            src_signed=src_signed,
            dst_signed=dst_signed,
            row_log2=row_log2,
            src_height=height,
            src_width=width,
            channels=channels,
            mask_in=mask,
            mult=mult,
            shift=22,
            vec_dst=5,
            trace_addr=address,
            **source(src),
        )
    )
    bench.run()


@pytest.mark.parametrize("seed", SEEDS)
def test_scale(engine: EngineUnderTest, seed: int) -> None:
    rng = np.random.default_rng(seed)
    bench = Bench(engine, rng)
    height, width, row_log2 = random_size(rng)
    shape = (int(rng.integers(1, 12)), height, width)
    src_signed, dst_signed, split = map(int, rng.integers(0, 2, 3))
    x = random_pixels(rng, shape, src_signed, extreme=seed == 0)
    factors = random_pixels(rng, (shape[0],), 0, extreme=seed == 0)
    src = bench.place(x, row_log2)
    vector = bench.vector(factors)
    mask = random_mask(bench, shape[0])
    at, fields = target(bench, shape, row_log2, split)
    mult = int(rng.integers(65536))
    bench.traced(
        Instruction(
            Opcode.SCALE,
            src_signed=src_signed,
            dst_signed=dst_signed,
            mask_in=mask,
            vec_src=vector,
            mult=mult,
            shift=23,
            **source(src),
            **fields,
        ),
        at,
    )
    bench.run()


def test_flatten_copies_segments(engine: EngineUnderTest) -> None:
    rng = np.random.default_rng(0)
    bench = Bench(engine, rng)
    src = bench.place(random_pixels(rng, (5, 6, 30), 0), 2)
    words = 5 * src.step * 8
    address = bench.result(words)
    bench.add(Instruction(Opcode.FLATTEN, channels=5, vec_dst=7, trace_addr=address, **source(src)))
    bench.run()


def test_nothing_is_traced_without_the_register(engine: EngineUnderTest) -> None:
    """The same program, and a result buffer that has no room for the trace."""
    rng = np.random.default_rng(0)
    bench = Bench(engine, rng)
    src = bench.place(random_pixels(rng, (2, 8, 8), 0), 0)
    at, fields = target(bench, (2, 8, 8), 0, 0)
    fields |= {"mask_in": MASK_NONE, "mask_out": MASK_NONE}
    bench.traced(Instruction(Opcode.ELTWISE, mult=1, shift=14, **source(src), **fields), at)
    bench.trace = False
    bench.written.clear()
    bench.result_words = HEADER_WORDS
    bench.run()


def test_order_of_images_does_not_matter(engine: EngineUnderTest) -> None:
    """Programs on one engine, in several orders: the state left by one never shows in another."""
    benches = []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        bench = Bench(engine, rng)
        height, width, row_log2 = random_size(rng)
        src = bench.place(random_pixels(rng, (6, height, width), 0), row_log2)
        mask = bench.mask(rng.integers(0, 2, 6))
        at, fields = target(bench, (6, height, width), row_log2, 0)
        operation = Instruction(Opcode.ELTWISE, mask_in=mask, mult=9000, shift=14, **source(src))
        bench.traced(replace(operation, **fields), at)
        benches.append(bench)
    for order in ((0, 1, 2), (2, 1, 0), (1, 0, 2), (0, 2, 1)):
        for index in order:
            benches[index].run()
