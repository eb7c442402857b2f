"""Estimates how much of a board's programmable logic an engine takes.

Block RAMs follow from the sizes of the memories.  Multipliers follow from the loops that are
unrolled.  Look-up tables and flip-flops are sums of the constants below, set by hand from the
widths of adders and multiplexers; they are not synthesis results, and every report says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Literal

from acsgen.isa.generated import LANES, SEGMENTS
from acsgen.program.board import BRAM36_KIB, Board
from acsgen.program.engine_config import GROUP_DSPS, OTHER_DSPS, POST_LANE_DSPS, EngineConfig
from acsgen.support.errors import Problem, UserError

#: Words of a 64-bit wide, two-port memory that a pair of 36 Kb block RAMs holds.
PAIR_WORDS = 1024

#: Block RAMs outside the memories: bus buffers (3), channel lists (4), counts of groups (1), mask
#: registers (3), records (2), thresholds and results (1).
OTHER_BRAM36 = 14


@dataclass(frozen=True)
class _Logic:
    """Look-up tables and flip-flops of a part."""

    lut: int
    ff: int


#: A lane group: for every lane an accumulator of 32 bits with the split of the packed product (40
#: tables), and the choice between two windows (8 bits, half a table a bit).
GROUP = _Logic(lut=LANES * (40 + 4), ff=LANES * (32 + 16))

#: A window unit: the segments of a block rotated (8:1), then lanes moved along the row (13:1), for
#: every bit of the block's pixels.
WINDOW = _Logic(lut=LANES * 8 * (2 + 3), ff=LANES * 8 * 3)
WINDOWS = 2

#: A requantization lane: a 56-bit sum, a barrel shift by 14 to 38, rounding and saturation.
POST_LANE = _Logic(lut=200, ff=150)

#: Sequencer, checks, bus masters, registers, vector operations.
CONTROL = _Logic(lut=5000, ff=7000)


@dataclass(frozen=True)
class ResourceEstimate:
    """Programmable logic taken; ``source`` says that nothing was synthesized."""

    dsp: int
    bram36: int
    lut: int
    ff: int
    source: Literal["estimate"] = "estimate"


def estimate_resources(engine: EngineConfig) -> ResourceEstimate:
    """Return the resources that ``engine`` takes."""
    groups, lanes = engine.lane_groups, engine.post_lanes
    brams = (
        SEGMENTS * _memory_brams(engine.feature_blocks)
        + groups * (_memory_brams(2 * engine.bank_words) + _memory_brams(engine.bank_words))
        + _memory_brams(engine.vector_words)
        + OTHER_BRAM36
    )
    return ResourceEstimate(
        dsp=groups * GROUP_DSPS + lanes * POST_LANE_DSPS + OTHER_DSPS,
        bram36=brams,
        lut=groups * GROUP.lut + WINDOWS * WINDOW.lut + lanes * POST_LANE.lut + CONTROL.lut,
        ff=groups * GROUP.ff + WINDOWS * WINDOW.ff + lanes * POST_LANE.ff + CONTROL.ff,
    )


def check_resources(engine: EngineConfig, board: Board) -> ResourceEstimate:
    """Return the estimate of ``engine``.

    Raises :class:`UserError` with everything that ``board`` has too little of, and by how much.
    UltraRAM counts as the block RAM that it replaces.
    """
    estimate = estimate_resources(engine)
    problems = list(_shortages(estimate, board))
    if problems:
        raise UserError(problems)
    return estimate


def _shortages(estimate: ResourceEstimate, board: Board) -> Iterator[Problem]:
    remedies = {
        "dsp": "fewer lanes",
        "bram36": "a smaller feature_kib or weight_kib in the board file",
        "lut": "fewer lanes",
        "ff": "fewer lanes",
    }
    available = {
        "dsp": board.resources.dsp,
        "bram36": board.on_chip_kib() // BRAM36_KIB,
        "lut": board.resources.lut,
        "ff": board.resources.ff,
    }
    needed = asdict(estimate)
    for name, remedy in remedies.items():
        short = needed[name] - available[name]
        if short > 0:
            yield Problem(
                board.title,
                f"the engine is estimated to take {needed[name]} {name.upper()}, the part has "
                f"{available[name]}: {short} short",
                remedy,
            )


def _memory_brams(words: int) -> int:
    """Return the 36 Kb block RAMs of a 64-bit wide memory with two ports."""
    return 2 * -(-words // PAIR_WORDS)
