"""The shortest weight rows: a record and a word of weights, or one record alone.

What follows a row is worked out while its words arrive, and these have hardly any.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from acsgen.engines.rtl import Memory
from acsgen.isa.generated import (
    HEADER_WORDS,
    MASK_NONE,
    SEGMENTS,
    SHIFT_MIN,
    WORD_BYTES,
    Instruction,
    Opcode,
    Record,
)
from tests.differential.engines import EngineUnderTest
from tests.handmade import PLANE, POINTWISE, Params

from .case import Case
from .rows import row_heads
from .session import Attempt

pytestmark = pytest.mark.rtl

INPUTS = 8


class Chain(Params):
    """Convolutions behind each other, each with rows and records of its own."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.rng = np.random.default_rng(seed)
        self.program = [Instruction(Opcode.LOAD, dst_step=1, channels=INPUTS, **PLANE)]
        self.base, self.source, self.trace = INPUTS, 0, HEADER_WORDS + 16

    def records(self, count: int) -> list[Record]:
        """Constants of so many channels."""
        biases = self.rng.integers(-9000, 9000, count).tolist()
        mults = self.rng.integers(1, 600, count).tolist()
        return [Record(b, m, SHIFT_MIN + 8) for b, m in zip(biases, mults, strict=True)]

    def conv(self, inputs: int, outputs: int, **fields: int) -> None:
        """Append a convolution of the last result."""
        op = Instruction(
            Opcode.CONV,
            **POINTWISE
            | {"mask_in": MASK_NONE, "mask_out": MASK_NONE, "masked_zero": 0}
            | {"channels_in": inputs, "channels": outputs, "chunk": outputs, **fields},
            src_base=self.source,
            dst_base=self.base,
            weight_addr=len(self.words),
            trace_addr=self.trace,
        )
        masked = self.records(outputs) if op.has_masked_records else None
        heads = row_heads(self.records(outputs), masked)
        fan = -(-inputs // WORD_BYTES)
        weights = self.rng.integers(0, 2**63, (outputs, fan), np.uint64)
        rows = np.concatenate([heads, weights], axis=1)
        self.words += rows.ravel().tolist()
        self.program.append(Instruction(**{**vars(op), "row_words": rows.shape[1]}))
        self.source, self.base = self.base, self.base + outputs
        self.trace += outputs * SEGMENTS

    def run(self, engine: EngineUnderTest) -> None:
        """Machine, C simulation and RTL, in several memories."""
        images = [self.rng.integers(0, 2**63, INPUTS * SEGMENTS, np.uint64) for _ in range(2)]
        program = [*self.program, Instruction(Opcode.END)]
        case = Case(program, np.array(self.words, np.uint64), images, self.trace)
        for memory in (Memory(latency=0), Memory(), Memory(latency=200), Memory(bandwidth=64)):
            Attempt(case, memory).run(engine, Counter())


@pytest.mark.parametrize("chunk", [1, 4, 5, 30])
@pytest.mark.parametrize("active", [0, 1, 7, 29, 30])
def test_masked_records(both: EngineUnderTest, chunk: int, active: int) -> None:
    """Where all inputs are masked too, rows are read as far as their record."""
    chain = Chain(100 * active + chunk)
    mask = [bool(index * 7 % 30 < active) for index in range(30)]
    chain.program.append(chain.gate(0, mask))
    chain.program.append(chain.gate(1, [True] * 5 + [False] * 4))
    chain.conv(INPUTS, 30, mask_out=0, chunk=chunk)
    chain.conv(30, 30, mask_in=0, mask_out=0, chunk=chunk)
    chain.conv(30, 9, mask_in=0, mask_out=1, chunk=min(chunk, 9))
    chain.conv(9, 40)
    chain.run(both)
