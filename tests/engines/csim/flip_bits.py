"""Runs damaged and random programs on a sanitized engine.

``python -m tests.engines.csim.flip_bits LIBRARY FIRST COUNT`` is a process of its own, for a stray
access ends it.  It prints the number of every program before it runs, and at the end how often each
status came.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from random import Random

import numpy as np

from acsgen.engines.csim import CSimEngine
from acsgen.isa.generated import Instruction, LinearMode, Opcode, Record, Status
from tests.differential.engines import EngineUnderTest
from tests.fuzz.damage import Buffers, damage, judge
from tests.fuzz.planes import Plane
from tests.fuzz.session import try_programs

from .bench import Bench, encode, random_pixels
from .conftest import SMALL


def every_operation(csim: CSimEngine) -> Bench:
    """A good program with every opcode, masks, a table, both layouts, and traces."""
    rng = np.random.default_rng(0)
    bench = Bench(EngineUnderTest(SMALL, csim), rng)
    x = bench.place(random_pixels(rng, (4, 16, 16), 0), 1)
    split = bench.place(random_pixels(rng, (4, 16, 16), 0), 0, split=True)
    raster = {"dst_height": 16, "dst_width": 16, "row_log2": 1, "channels": 4}
    small = {"dst_height": 8, "dst_width": 8, "row_log2": 0, "channels": 4}
    wide, narrow = bench.reserve((4, 16, 16), 1), bench.reserve((4, 8, 8), 0)
    to_wide = {"dst_base": wide.base, "dst_step": wide.step}
    to_narrow = {"dst_base": narrow.base, "dst_step": narrow.step}
    from_x = {"src_base": x.base, "src_step": x.step}
    from_split = {"src_base": split.base, "src_step": split.step, "src_plane": split.phase}
    size = {"src_height": 16, "src_width": 16}
    masks = [bench.mask(rng.integers(0, 2, 4)) for _ in range(2)]
    vector = bench.vector(random_pixels(rng, (64,), 0))
    records = [Record(bias=5, mult=300, shift=16)] * 4
    masked = [Record(bias=9, mult=300, shift=16)] * 4
    address, row_words = bench.rows(rng.integers(-127, 128, (4, 18)), records, masked=masked)
    table = bench.store(np.array([1, 0, 3, 2, 2, 3, 0, 1], np.uint16).view(np.uint64))
    conv = {"groups": 2, "channels_in": 2, "kernel": 3, "pad": 1, "chunk": 2, "pixels": 256}
    conv |= {"weight_addr": address, "row_words": row_words, "has_table": 1, "table_addr": table}
    conv |= {"mask_in": masks[0], "mask_out": masks[1], **size}
    residual = {"res_enable": 1, "res_base": x.base, "res_step": x.step, "res_mult": 9}
    scaled = {"mult": 3000, "shift": 16}
    linear = {"channels": 4, "vec_src": vector, "weight_addr": address, "row_words": row_words}

    halves = {"channels": 2}
    pool = {"kernel": 3, "pad": 1, "mask_in": 0, **size}

    def add(opcode: Opcode, at: Plane, *fields: dict[str, int], **more: int) -> None:
        merged = {name: value for group in fields for name, value in group.items()}
        bench.traced(Instruction(opcode, **merged, **more), at)

    add(Opcode.CONV, wide, raster, conv, halves, residual, from_x, to_wide, stride=1)
    add(Opcode.CONV, narrow, small, conv, halves, from_split, to_narrow, stride=2)
    pixelwise = {"mask_in": 1, **scaled, **from_x}
    add(Opcode.ELTWISE, wide, raster, residual, pixelwise, to_wide, mask_out=0)
    add(Opcode.POOL, narrow, small, pool, scaled, from_split, to_narrow, stride=2)
    add(Opcode.POOL, wide, raster, pool, from_x, to_wide, stride=1, pool_max=1)
    add(Opcode.SCALE, wide, raster, pixelwise, to_wide, vec_src=vector)
    trace = bench.result(1)
    bench.add(
        Instruction(
            Opcode.GAVG,
            channels=4,
            row_log2=1,
            mask_in=0,
            vec_dst=100,
            trace_addr=trace,
            **size,
            **from_x,
            **scaled,
        )
    )
    trace = bench.result(4 * x.step * 8)
    bench.add(Instruction(Opcode.FLATTEN, channels=4, vec_dst=200, trace_addr=trace, **from_x))
    for mode in (LinearMode.VECTOR, LinearMode.SIGMOID):
        trace = bench.result(1)
        bench.add(
            Instruction(Opcode.LINEAR, linear_mode=mode, vec_dst=120, trace_addr=trace, **linear)
        )
    logits = bench.result(2)
    bench.add(Instruction(Opcode.LINEAR, linear_mode=LinearMode.WIDE, result_addr=logits, **linear))
    return bench


def main() -> None:
    """See the module docstring."""
    library, first, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    csim = CSimEngine(library)
    bench = every_operation(csim)
    # Room for far more weights than the banks hold: only the checks are then in the way.
    spare = bench.rng.integers(0, 2**63, 8192, np.uint64)
    params = np.concatenate([np.array(bench.params, np.uint64), spare])
    good = Buffers(encode(bench.program()), params, bench.image(), bench.result_words)
    assert judge(good, good.run(csim)) is Status.OK
    found: Counter[str] = Counter()
    for seed in range(first, first + count):
        print(seed, flush=True)
        damaged = damage(good, Random(seed).randint)
        found[judge(damaged, damaged.run(csim)).name] += 1
    # The state that they left behind does not matter.
    assert judge(good, good.run(csim)) is Status.OK
    print("random programs", flush=True)
    try_programs(EngineUnderTest(SMALL, csim), count // 40, first, damages=4)
    print(dict(found))


if __name__ == "__main__":
    main()
