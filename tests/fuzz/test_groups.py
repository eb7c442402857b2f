"""Convolutions in small groups, one behind the other.

Sets of weight banks take several groups, rounds take two, and tables name their channels.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from acsgen.engines.rtl import Memory
from acsgen.isa.generated import (
    HEADER_WORDS,
    MASK_NONE,
    MAX_CHUNK,
    RECORD_WORDS,
    SEGMENTS,
    SHIFT_MIN,
    WORD_BYTES,
    Instruction,
    Opcode,
    Record,
)
from acsgen.program.map_format import plane_blocks
from tests.differential.engines import Engines

from .case import Case
from .session import Attempt

#: Channels of the map that all convolutions read.
CHANNELS = 60

#: Where they write, each behind the one before.
RESULTS = 1024

#: Rows and columns of the planes, with the logarithm of the segments of a row.
PLANES = {1: (8, 8, 0), 2: (9, 14, 1), 4: (16, 16, 1), 5: (20, 15, 1)}


class Groups:
    """A program of random grouped convolutions of one map; every result is traced."""

    def __init__(self, seed: int, bank_words: int, lane_groups: int, blocks: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.rows_at_once = bank_words, lane_groups
        self.height, self.width, self.pitch = PLANES[blocks]
        self.blocks = plane_blocks(self.height, self.pitch)
        self.words: list[int] = []
        self.trace = HEADER_WORDS
        self.base = RESULTS
        plane = self._plane("dst")
        self.program = [
            Instruction(Opcode.LOAD, channels=CHANNELS, dst_step=self.blocks, **plane),
        ]

    def _plane(self, side: str) -> dict[str, int]:
        size = {f"{side}_height": self.height, f"{side}_width": self.width}
        return size | {"row_log2": self.pitch}

    def _store(self, values: NDArray[Any]) -> int:
        address = len(self.words)
        self.words += [int(word) for word in values.view(np.uint64)]
        return address

    def add(
        self, groups: int, ins: int, outs: int, kernel: int, tabled: float = 0.4, **fields: int
    ) -> None:
        """Append a convolution of so many groups, inputs and outputs of each.

        ``tabled`` is how likely it has a table of channels.
        """
        fan = ins * kernel**2
        weight_words = -(-fan // WORD_BYTES)
        rows = np.zeros((groups * outs, RECORD_WORDS + weight_words), np.uint64)
        for row in rows:
            bias, mult = int(self.rng.integers(-5000, 5000)), int(self.rng.integers(1, 600))
            row[:RECORD_WORDS] = Record(bias=bias, mult=mult, shift=SHIFT_MIN + 8).encode()
            weights = self.rng.integers(-128, 128, fan).astype(np.int8)
            row.view(np.int8)[RECORD_WORDS * WORD_BYTES :][:fan] = weights
        bank_words, lane_groups = self.rows_at_once
        most = min(MAX_CHUNK, bank_words // weight_words * lane_groups)
        chunk = min(most, int(self.rng.choice([outs, outs, MAX_CHUNK, max(1, outs - 1)])))
        if self.rng.random() < tabled:
            entries = [self.rng.permutation(groups * n).astype(np.uint16) for n in (ins, outs)]
            table = np.concatenate([*entries, np.zeros(-groups * (ins + outs) % 4, np.uint16)])
            fields |= {"has_table": 1, "table_addr": self._store(table)}
        if self.rng.random() < 0.4 and groups * outs <= CHANNELS:
            residual = {"res_base": 0, "res_step": self.blocks, "res_mult": 1 << SHIFT_MIN}
            fields |= {"res_enable": 1, **residual}
        channels = groups * outs
        self.program.append(
            Instruction(
                Opcode.CONV,
                kernel=kernel,
                stride=1,
                pad=kernel // 2,
                pixels=self.height * self.width,
                src_step=self.blocks,
                dst_base=self.base,
                dst_step=self.blocks,
                groups=groups,
                channels_in=ins,
                channels=outs,
                chunk=chunk,
                mask_in=MASK_NONE,
                mask_out=MASK_NONE,
                masked_zero=1,
                weight_addr=self._store(rows.reshape(-1)),
                row_words=rows.shape[1],
                trace_addr=self.trace,
                **self._plane("src") | self._plane("dst") | fields,
            )
        )
        self.base += channels * self.blocks
        self.trace += channels * self.blocks * SEGMENTS

    def case(self) -> Case:
        """Return the program with two images of noise."""
        words = CHANNELS * self.height * -(-self.width // WORD_BYTES)
        images = [self.rng.integers(0, 2**63, words, np.uint64) for _ in range(2)]
        program = [*self.program, Instruction(Opcode.END)]
        return Case(program, np.array(self.words, np.uint64), images, self.trace)


@pytest.mark.rtl
@pytest.mark.parametrize("lane_groups", [4, 6, 1])
@pytest.mark.parametrize("blocks", PLANES)
def test_small_groups(engines: Engines, lane_groups: int, blocks: int) -> None:
    """One to five outputs a group, of one to four inputs: few groups, and more than a set takes."""
    engine = engines(lane_groups, True)
    for seed, memory in enumerate([Memory(latency=0), Memory(), Memory(latency=150)]):
        made = Groups(100 * blocks + seed, engine.config.bank_words, lane_groups, blocks)
        for _ in range(8 if blocks < 3 else 4):
            ins, outs = (int(made.rng.integers(1, most + 1)) for most in (4, 5))
            few = int(made.rng.integers(1, 16))
            groups = few if made.rng.random() < 0.7 else CHANNELS // ins
            made.add(groups, ins, outs, int(made.rng.choice([1, 3])))
        Attempt(made.case(), memory).run(engine, Counter())


@pytest.mark.rtl
@pytest.mark.parametrize("outs", [1, 2, 3])
def test_more_rows_than_a_set_has(engines: Engines, outs: int) -> None:
    """Long rows fill the banks before the records do; the last pair may lack its second group."""
    engine = engines(4, True)
    made = Groups(outs, engine.config.bank_words, 4, 1)
    for groups, ins in ((3, 20), (7, 8), (60, 1), (59, 1)):
        made.add(groups, ins, outs, 7 if ins > 4 else 1)
    Attempt(made.case(), Memory()).run(engine, Counter())


@pytest.mark.rtl
@pytest.mark.parametrize("seed", range(3))
def test_the_table_behind_the_one_that_serves(engines: Engines, seed: int) -> None:
    """Rounds of two groups look up both; the next table is received in the meantime.

    That one's groups have another number of inputs.
    """
    engine = engines(4, True)
    made = Groups(seed, engine.config.bank_words, 4, 1)
    for groups, ins in ((12, 5), (20, 3), (30, 2), (60, 1), (15, 4)):
        made.add(groups, ins, 1 + seed % 2, 3, tabled=1.0)
    Attempt(made.case(), Memory()).run(engine, Counter())
