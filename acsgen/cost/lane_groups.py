"""How many lane groups an engine gets: as asked, as the board file says, or as many as fit.

Where nobody names a number, it is the largest one whose look-up tables and multipliers stay below
the shares of the part that leave room to place and route, for every form of the engine that is
built.  These are figures of syntheses and estimates; a bitstream has the last word.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from acsgen.cost.resources import EstimateWarning, estimate_resources, resources_of
from acsgen.cost.rtl_figures import synthesized_groups
from acsgen.program.board import AUTO, BRAM36_KIB, Board, LaneRequest
from acsgen.program.engine_config import EngineConfig
from acsgen.support.numbers import count, share

#: The most lane groups that the RTL engine can have.
MOST_LANE_GROUPS = 16

#: Shares of the part that the engine may take; beyond these it is seldom placed and routed.
LUT_SHARE = 0.80
DSP_SHARE = 0.98

#: The rule in words.
RULE = f"{100 * LUT_SHARE:g} % of the LUTs and {100 * DSP_SHARE:g} % of the DSPs"

FORMS = ("hls", "rtl")


@dataclass(frozen=True)
class PartShare:
    """What one form of the engine takes of the part, before anything is placed.

    Attributes:
        engine: the form: ``hls``, ``rtl``.
        lut: look-up tables.
        lut_share: their share of the part's, where 1 is all of them.
        dsp: DSP slices.
        dsp_share: their share of the part's.
        source: ``synthesis`` by Yosys, or ``estimate``.
    """

    engine: str
    lut: int
    lut_share: float
    dsp: int
    dsp_share: float
    source: Literal["synthesis", "estimate"]

    @property
    def fits(self) -> bool:
        """Whether the rule allows it."""
        return self.lut_share <= LUT_SHARE and self.dsp_share <= DSP_SHARE


@dataclass(frozen=True)
class LaneChoice:
    """The number of lane groups, and why.

    Attributes:
        lane_groups: the number.
        chosen_by: ``--lanes``, ``board file``, or ``figures`` where it is ``auto`` or left open.
        by_figures: the largest number that fits by the figures below; 0 if not even one does.
        shares: of the part, with :attr:`lane_groups`, for every form of the engine.
        reason: all this in words.
    """

    lane_groups: int
    chosen_by: Literal["--lanes", "board file", "figures"]
    by_figures: int
    shares: tuple[PartShare, ...]
    reason: str


def engine_for(
    board: Board, lane_groups: LaneRequest = None, forms: Sequence[str] = FORMS
) -> EngineConfig:
    """Return the board's engine; see :func:`choose_lane_groups`."""
    return EngineConfig.for_board(board, choose_lane_groups(board, lane_groups, forms).lane_groups)


def choose_lane_groups(
    board: Board, lane_groups: LaneRequest = None, forms: Sequence[str] = FORMS
) -> LaneChoice:
    """Return the number of lane groups for ``board``.

    Args:
        board: the board; a number in its file is its author's decision.
        lane_groups: what is asked for, before what the board has: a number, or ``auto`` for the
            largest one that fits.
        forms: the forms of the engine that are built, each of which has to fit.

    Warns:
        EstimateWarning: the number is left open, and not even one lane group fits.
    """
    fitting = largest_fitting(board, forms)
    chosen_by: Literal["--lanes", "board file", "figures"]
    if isinstance(lane_groups, int):
        groups, chosen_by = lane_groups, "--lanes"
    elif board.lane_groups is not None and lane_groups != AUTO:
        groups, chosen_by = board.lane_groups, "board file"
    else:
        groups, chosen_by = max(fitting, 1), "figures"
    shares = part_shares(board, groups, forms)
    why = {
        "--lanes": "as asked by --lanes",
        "board file": "as the board file says",
        "figures": f"the most below {RULE}" if fitting else f"the least, and above {RULE}",
    }[chosen_by]
    told = "; ".join(_in_words(board, part) for part in shares)
    reason = f"{why}: {told}"
    if chosen_by != "figures":
        reason += f"; the most below {RULE} would be {fitting or 'none'}"
        if fitting not in (0, groups):
            reason += f" (--lanes {AUTO})"
    if chosen_by == "figures" and not fitting:
        warnings.warn(
            f"{board.title}: not even one lane group stays below {RULE} ({told}); built with one. "
            "Take a larger part, or name the lanes: --lanes, or lane_groups in the board file",
            EstimateWarning,
            stacklevel=2,
        )
    return LaneChoice(groups, chosen_by, fitting, shares, reason)


def largest_fitting(board: Board, forms: Sequence[str] = FORMS) -> int:
    """Return the largest number of lane groups that the rule allows; 0 if it allows none.

    Memories of an engine count too: one that the build would refuse is not chosen.
    """
    for groups in range(MOST_LANE_GROUPS, 0, -1):
        blocks = estimate_resources(EngineConfig.for_board(board, groups)).bram36
        if blocks <= board.on_chip_kib() // BRAM36_KIB and all(
            part.fits for part in part_shares(board, groups, forms)
        ):
            return groups
    return 0


def part_shares(board: Board, lane_groups: int, forms: Sequence[str]) -> tuple[PartShare, ...]:
    """Return what every form of an engine takes of the board's part."""
    return tuple(_part_shares(board, EngineConfig.for_board(board, lane_groups), forms))


def _part_shares(board: Board, engine: EngineConfig, forms: Sequence[str]) -> Iterator[PartShare]:
    has = board.resources
    for form in forms:
        found = resources_of(form, engine, board.family)
        shares = (round(found.lut / has.lut, 6), round(found.dsp / has.dsp, 6))
        yield PartShare(form, found.lut, shares[0], found.dsp, shares[1], found.source)


def _in_words(board: Board, part: PartShare) -> str:
    has = board.resources
    known = "by synthesis" if part.source == "synthesis" else "by the estimate"
    if part.engine == "rtl" and part.source == "estimate":
        known += f" from syntheses with {' and '.join(map(str, synthesized_groups()))} lane groups"
    return (
        f"{part.engine.upper()} {count(part.lut)} of {count(has.lut)} LUT "
        f"({share(part.lut, has.lut)}) and {count(part.dsp)} of {count(has.dsp)} DSP "
        f"({share(part.dsp, has.dsp)}) {known}"
    )
