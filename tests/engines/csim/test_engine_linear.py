"""LINEAR of the compiled engine, in its four modes, against the machine."""

from __future__ import annotations

import numpy as np
import pytest

from acsgen.ir.integer import INT32_MAX, INT32_MIN
from acsgen.isa.generated import Instruction, LinearMode, Opcode, Record
from tests.differential.engines import Engines, EngineUnderTest

from .bench import Bench, random_pixels


@pytest.fixture(scope="module")
def engine(engines: Engines) -> EngineUnderTest:
    """One engine: LINEAR does not use the lane groups."""
    return engines(3)


@pytest.mark.parametrize("extreme", [False, True])
@pytest.mark.parametrize("signed", [0, 1])
@pytest.mark.parametrize(("inputs", "outputs"), [(1, 1), (8, 2), (13, 7), (64, 65), (200, 130)])
@pytest.mark.parametrize("mode", LinearMode)
def test_linear(
    engine: EngineUnderTest, mode: LinearMode, inputs: int, outputs: int, signed: int, extreme: bool
) -> None:
    rng = np.random.default_rng(inputs)
    bench = Bench(engine, rng)
    x = random_pixels(rng, (inputs,), signed, extreme)
    weights = rng.integers(-127, 128, (outputs, inputs))
    if extreme:
        weights = np.where(rng.integers(0, 2, (outputs, 1)) > 0, 127, -127) + 0 * weights
    bias = rng.integers(-5000, 5000, outputs)
    shift = rng.integers(14, 39, outputs)
    mult = np.clip(np.round(2.0**shift / 60 / np.sqrt(inputs) / 100), 0, 65535).astype(np.int64)
    records = [
        Record(bias=int(b), mult=int(m), shift=int(s))
        for b, m, s in zip(bias, mult, shift, strict=True)
    ]
    vector = bench.vector(x)
    address, row_words = bench.rows(weights, records, spare=0)
    fields = {"src_signed": signed, "linear_mode": mode, "channels": outputs, "vec_src": vector}
    fields |= {"weight_addr": address, "row_words": row_words}

    if mode == LinearMode.GATE:
        # Some thresholds at the very sums: greater, not equal, opens a channel.
        threshold = weights @ x + bias + rng.integers(-1, 2, outputs)
        threshold[0] = INT32_MIN
        threshold[-1] = INT32_MAX if outputs > 1 else INT32_MIN
        packed = np.zeros(-(-outputs // 2) * 2, np.int32)
        packed[:outputs] = threshold
        fields |= {"threshold_addr": bench.store(packed.view(np.uint64)), "mask_out": 31}
        fields["result_addr"] = bench.result(-(-outputs // 64))
    elif mode == LinearMode.WIDE:
        fields["result_addr"] = bench.result(-(-outputs // 2))
    else:
        signed_result = int(mode == LinearMode.VECTOR) * int(rng.integers(2))
        fields |= {"dst_signed": signed_result, "vec_dst": bench.vector_words}
        fields["trace_addr"] = bench.result(-(-outputs // 8))
    bench.add(Instruction(Opcode.LINEAR, **fields))
    bench.run()


def test_shifts_outside_their_range_act_as_the_bounds(engine: EngineUnderTest) -> None:
    rng = np.random.default_rng(0)
    bench = Bench(engine, rng)
    shifts = [0, 1, 13, 14, 38, 39, 63, 64, 255]
    records = [Record(bias=10**9, mult=40000, shift=shift) for shift in shifts]
    address, row_words = bench.rows(np.zeros((len(shifts), 8), np.int64), records)
    result = bench.result(5)
    bench.add(
        Instruction(
            Opcode.LINEAR,
            linear_mode=LinearMode.WIDE,
            channels=len(shifts),
            weight_addr=address,
            row_words=row_words,
            result_addr=result,
        )
    )
    bench.run()
