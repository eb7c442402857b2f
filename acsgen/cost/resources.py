"""How much of a board's programmable logic an engine takes, before anything is placed.

The RTL engine's figures are those of its syntheses (:mod:`acsgen.cost.rtl_figures`). Those of the
HLS engine are estimated here, and so are memories of an RTL engine that was not synthesized. Block
RAMs follow from the sizes of the memories.  The large operators (pairs of lanes, windows,
requantization lanes) were counted by Yosys, written as in the C++
(``benchmarks/hls_operators.json``), and are added up; so was everything beside them, from the LLVM
IR of the C++ (``benchmarks/hls_control.json``, for four lane groups).  Only flip-flops of the
latter are set by hand.  Vitis HLS was not asked, and every report says how a figure is known.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Literal

from acsgen.cost.operators import Operator, OperatorCount, control_count, operator_counts
from acsgen.cost.rtl_figures import rtl_figures
from acsgen.isa.generated import LANES, MAX_CHUNK, RECORD_WORDS, SEGMENTS, WORD_BITS
from acsgen.program.board import BRAM36_KIB, Board
from acsgen.program.engine_config import GROUP_DSPS, POST_LANE_DSPS, EngineConfig
from acsgen.support.errors import Problem, UserError

#: Words of 64 bits that a 36 Kb block RAM with one read and one write port holds.
BRAM36_WORDS = 512

#: Block RAMs outside the memories: bus buffers (3), channel lists (4), counts of groups (1), mask
#: registers (3), thresholds (2).
OTHER_BRAM36 = 13

#: Halves of the feature memory, by the parity of the block; both windows read in every iteration.
HALVES = 2
WINDOWS = 2

#: Lane groups that can take a maximum: a round without weights has an item for each window.
MAXIMUM_GROUPS = WINDOWS

#: Bits of a sum, and of the sums that wait while a round leaves.
SUM_BITS = 32

#: Flip-flops of sequencer, checks, lists, loader, dealer, address planning, bus masters, copies and
#: vector operations: those of a pipeline are the schedule's, which only a synthesis knows.
CONTROL_FF = 9000

#: The words of the first window that the taps of a row share; their choices count as control.
KEPT_WORDS = OperatorCount(dsp=0, lut=0, ff=SEGMENTS * WORD_BITS)


@dataclass(frozen=True)
class ResourceEstimate:
    """Programmable logic taken, before anything is placed.

    Attributes:
        dsp: DSP slices.
        bram36: block RAMs of 36 Kb.
        lut: look-up tables.
        ff: flip-flops.
        source: ``estimate``, or ``synthesis`` by Yosys, of the RTL alone.
    """

    dsp: int
    bram36: int
    lut: int
    ff: int
    source: Literal["estimate", "synthesis"] = "estimate"


def resources_of(form: str, engine: EngineConfig, family: str) -> ResourceEstimate:
    """Return what a form of ``engine``, ``hls`` or ``rtl``, takes of a part of ``family``."""
    estimate = estimate_resources(engine)
    if form == "hls":
        return estimate
    found = rtl_figures(engine, family)
    # Both forms have the same large memories; the RTL engine has fewer small ones.
    bram36 = estimate.bram36 if found.bram36 is None else found.bram36
    return ResourceEstimate(found.dsp, bram36, found.lut, found.ff, found.source)


def estimate_resources(engine: EngineConfig) -> ResourceEstimate:
    """Return the resources that the HLS form of ``engine`` takes."""
    counts = operator_counts()
    pairs = engine.lane_groups * LANES // 2
    first = LANES // 2
    with_maximum = min(engine.lane_groups, MAXIMUM_GROUPS) * LANES // 2 - first
    parts = [
        (counts[Operator.FIRST_PAIR], first),
        (counts[Operator.PAIR_WITH_MAXIMUM], with_maximum),
        (counts[Operator.PAIR], pairs - first - with_maximum),
        (counts[Operator.WINDOW], WINDOWS),
        (counts[Operator.POST_LANE], engine.post_lanes),
        (_leaving(engine), 1),
        (KEPT_WORDS, 1),
        (replace(control_count(), ff=CONTROL_FF), 1),
    ]
    return ResourceEstimate(
        dsp=sum(part.dsp * number for part, number in parts),
        bram36=sum(number * _brams(words) for number, words in _memories(engine)) + OTHER_BRAM36,
        lut=sum(part.lut * number for part, number in parts),
        ff=sum(part.ff * number for part, number in parts),
    )


def _leaving(engine: EngineConfig) -> OperatorCount:
    """The sums of the round that leaves, and the choice of a slice of them for requantization."""
    sums = engine.lane_groups * LANES
    choices = sums // engine.post_lanes
    # A table chooses one of four; each further one replaces a choice of the one before.
    tables = -(-(choices - 1) // 3)
    return OperatorCount(dsp=0, lut=engine.post_lanes * SUM_BITS * tables, ff=sums * SUM_BITS)


def _memories(engine: EngineConfig) -> Iterator[tuple[int, int]]:
    """Yield the memories of 64-bit words in block RAM: how many there are, and words of each."""
    yield HALVES * SEGMENTS, -(-engine.feature_blocks // HALVES)
    # A ring of chunks for each weight bank; and one of their first rows, for the second block of a
    # round.
    yield engine.lane_groups, 2 * engine.bank_words
    yield engine.lane_groups, engine.bank_words
    yield RECORD_WORDS, 2 * MAX_CHUNK
    yield 1, engine.vector_words


def _brams(words: int) -> int:
    """Return the 36 Kb block RAMs of a memory of 64-bit words."""
    return -(-words // BRAM36_WORDS)


def check_resources(engine: EngineConfig, board: Board, form: str = "hls") -> ResourceEstimate:
    """Return what a form of ``engine``, ``hls`` or ``rtl``, takes of ``board``.

    Memories, and the multipliers of the data path, are known well enough to refuse an engine by; of
    look-up tables, flip-flops and multipliers that control may share, only a synthesis knows.
    UltraRAM counts as the block RAM that it replaces.

    Raises:
        UserError: with every multiplier and memory that ``board`` has too few of, and by how many.

    Warns:
        EstimateWarning: more of the others than the part has, by the estimate.
    """
    estimate = resources_of(form, engine, board.family)
    data_path = engine.lane_groups * GROUP_DSPS + engine.post_lanes * POST_LANE_DSPS
    known = {"dsp": data_path, "bram36": estimate.bram36}
    source = estimate.source
    problems = list(_shortages(known, source, engine, board, REFUSED))
    if problems:
        raise UserError(problems)
    for doubt in _shortages(asdict(estimate), source, engine, board, DOUBTFUL):
        warnings.warn(
            f"{doubt.where}: {doubt.what} ({doubt.remedy})", EstimateWarning, stacklevel=2
        )
    return estimate


class EstimateWarning(UserWarning):
    """An engine that is likely not to fit its part."""


#: What an engine is refused for, and what it is doubted for, with a remedy.
REFUSED = {
    "dsp": "fewer lane groups",
    "bram36": "a smaller feature_kib or weight_kib in the board file",
}
DOUBTFUL = {
    "dsp": "fewer lane groups, or a larger part; synthesis has the last word",
    "lut": "fewer lane groups, or a larger part; synthesis has the last word",
    "ff": "fewer lane groups, or a larger part; synthesis has the last word",
}


#: What to do about an engine that has as few lane groups as there can be.
LEAST_ENGINE = (
    "another board: one lane group is the least, so that this part is too small for the engine by "
    "the estimate; simulations run all the same"
)


#: How a shortage is worded, by how the figure is known.
_TAKES = {
    "estimate": "the engine is estimated to take",
    "synthesis": "the engine takes, by synthesis,",
}


def _shortages(
    needed: Mapping[str, int],
    source: str,
    engine: EngineConfig,
    board: Board,
    remedies: Mapping[str, str],
) -> Iterator[Problem]:
    available = {
        "dsp": board.resources.dsp,
        "bram36": board.on_chip_kib() // BRAM36_KIB,
        "lut": board.resources.lut,
        "ff": board.resources.ff,
    }
    for name, remedy in remedies.items():
        short = needed[name] - available[name]
        if short > 0:
            yield Problem(
                board.title,
                f"{_TAKES[source]} {needed[name]} {name.upper()}, the part has "
                f"{available[name]}: {short} short",
                LEAST_ENGINE if engine.lane_groups == 1 and "lane groups" in remedy else remedy,
            )
