"""The state in which an instruction finds the engine, as far as its cost depends on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from acsgen.isa.generated import MASK_NONE, RECORD_WORDS, WORD_BYTES, Instruction
from acsgen.program.words import Words

#: Runs of words that engines tell apart in a weight row.
MAX_RUNS = 64

#: Unwanted words between two wanted ones that engines read all the same.
MAX_GAP = 2

Masks = Mapping[str, ArrayLike]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Walk:
    """One run of a program, instruction by instruction, with active channels in place of pixels.

    Attributes:
        lane_groups: of the engine.
        params: the parameter buffer.
        masks: the gates' decisions, 0/1 by channel; a gate that is not named activates all.
        skips_words: whether the engine leaves out weights that only masked inputs would meet.
        orders: the channel of each bit of a gate's mask register, by the gate's name.
    """

    lane_groups: int
    params: Words = field(repr=False)
    masks: Masks
    skips_words: bool
    orders: Mapping[str, Sequence[int]]
    _registers: dict[int, Flags] = field(default_factory=dict, init=False, repr=False)

    def active(self, mask: int, channels: int) -> Flags:
        """Return which of ``channels`` channels the mask register ``mask`` makes active."""
        if mask == MASK_NONE:
            return np.ones(channels, bool)
        return self._registers[mask]

    def decide(self, gate: str, op: Instruction) -> None:
        """Let the gate, whose instruction is ``op``, write its mask register.

        Raises:
            ValueError: the mask of that gate has another number of bits.
        """
        flags = np.asarray(self.masks.get(gate, np.ones(op.channels)))
        if flags.shape != (op.channels,):
            raise ValueError(f"{gate} has {op.channels} mask bits, not {flags.shape}")
        order = list(self.orders.get(gate, range(op.channels)))
        self._registers[op.mask_out] = flags[order] != 0


def wanted_words(inputs: Flags, taps: int) -> int:
    """Return the words of a weight row that engines read under a mask of the inputs.

    They are the record and every word with a weight of an active input; up to :data:`MAX_GAP`
    unwanted words between wanted ones are read too, and everything behind the last of
    :data:`MAX_RUNS` runs.
    """
    runs = [(0, RECORD_WORDS - 1)]
    for index in np.flatnonzero(inputs).tolist():
        first = RECORD_WORDS + index * taps // WORD_BYTES
        last = RECORD_WORDS + ((index + 1) * taps - 1) // WORD_BYTES
        if first <= runs[-1][1] + 1 + MAX_GAP or len(runs) == MAX_RUNS:
            runs[-1] = (runs[-1][0], last)
        else:
            runs.append((first, last))
    return sum(last - first + 1 for first, last in runs)
