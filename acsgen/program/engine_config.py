"""The engine that a program is compiled for: the sizes of its memories and how wide it is.

The same numbers render the C++ configuration header, so that a program and its engine agree.
"""

from __future__ import annotations

from dataclasses import dataclass

from acsgen.isa.bits import reach
from acsgen.isa.generated import INSTRUCTION_FIELDS, LANES, WORD_BYTES
from acsgen.program.board import Board

#: Largest feature memory that instructions can address, in KiB.
MAX_FEATURE_KIB = reach(INSTRUCTION_FIELDS, "src_base", "dst_base", "res_base") * LANES // 1024

#: Largest vector memory that instructions can address.
MAX_VECTOR_BYTES = reach(INSTRUCTION_FIELDS, "vec_src", "vec_dst") * WORD_BYTES

#: Pixels requantized in a cycle, widest first; each takes :data:`POST_LANE_DSPS` multipliers.
POST_LANE_CHOICES = (16, 8, 4)

#: Multipliers of a requantization lane: two for 32 x 16 bits, one for the residual.
POST_LANE_DSPS = 3

#: Multipliers of a lane group: a DSP makes two multiply-accumulates.
GROUP_DSPS = LANES // 2

#: Multipliers elsewhere that requantization has to leave: addresses, checks, counters.  Beside the
#: lanes it is narrower before these are short, as synthesis may share them.
OTHER_DSPS = 4


@dataclass(frozen=True)
class EngineConfig:
    """Sizes of one engine, and the latency of its memory.

    Attributes:
        lane_groups: groups of 64 pixel lanes.
        feature_kib: feature memory.
        weight_kib: one of the two weight buffers, all banks together.
        vector_bytes: vector memory.
        post_lanes: pixels requantized in a cycle; a power of two up to 64.
        latency_cycles: from a read address to its first word; the HLS engine takes words no sooner.
    """

    lane_groups: int
    feature_kib: int
    weight_kib: int
    vector_bytes: int
    post_lanes: int = POST_LANE_CHOICES[0]
    latency_cycles: int = 32

    @classmethod
    def for_board(cls, board: Board, lane_groups: int | None = None) -> EngineConfig:
        """Return the board's engine, with other ``lane_groups`` if given.

        Requantization is as wide as the multipliers left over by the lanes allow.

        Raises :class:`ValueError` where neither says how many: figures of syntheses then choose
        (:func:`acsgen.cost.lane_groups.engine_for`).
        """
        groups = board.lane_groups if lane_groups is None else lane_groups
        if groups is None:
            raise ValueError(f"{board.name} leaves the number of lane groups open")
        spare = board.resources.dsp - OTHER_DSPS - groups * GROUP_DSPS
        fitting = [n for n in POST_LANE_CHOICES if n * POST_LANE_DSPS <= spare]
        return cls(
            lane_groups=groups,
            feature_kib=min(board.feature_kib, MAX_FEATURE_KIB),
            weight_kib=board.weight_kib,
            vector_bytes=min(board.vector_bytes, MAX_VECTOR_BYTES),
            post_lanes=fitting[0] if fitting else POST_LANE_CHOICES[-1],
            latency_cycles=board.memory.latency_cycles,
        )

    @property
    def feature_blocks(self) -> int:
        """Blocks of the feature memory."""
        return self.feature_kib * 1024 // LANES

    @property
    def bank_words(self) -> int:
        """Words of one weight bank; there is one for every lane group, in each of two buffers."""
        return self.weight_kib * 1024 // WORD_BYTES // self.lane_groups

    @property
    def vector_words(self) -> int:
        """Words of the vector memory."""
        return self.vector_bytes // WORD_BYTES
