"""The axes of a sweep: those of a build, and any key of a recipe, which is trained for each value.

The axes of a build are read and checked here; those of a recipe in :mod:`acsgen.train.sweep`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from acsgen.flow.build import BuildRequest
from acsgen.ir.ranges import MIN_WEIGHT_BITS, WEIGHT_BITS, weight_max
from acsgen.isa.generated import LANES
from acsgen.program.board import MAX_CLOCK_MHZ, MIN_CLOCK_MHZ, load_board
from acsgen.support.errors import Problem, UserError
from acsgen.train.sweep import Axis, parse_axis

#: How an axis is given on the command line.
OPTION = "--over"

#: The value of an axis that leaves a setting as the network or the board has it.
DEFAULT = "default"

#: Combinations of values that one sweep may have.
MAX_POINTS = 10_000

#: Keys of a recipe that change the images, which all rows have in common.
_IMAGE_KEYS = ("data", "data.name", "data.root", "data.test_name", "data.test_limit")


@dataclass(frozen=True)
class BuildAxis:
    """An axis that needs no training.

    Attributes:
        meaning: in words.
        read: the value as a field of a request; raises ``ValueError`` with the reason.
        set: the request with that value.
    """

    meaning: str
    read: Callable[[str], Any]
    set: Callable[[BuildRequest, Any], BuildRequest]


def _threshold(text: str) -> float | None:
    if text == DEFAULT:
        return None
    value = float(text)
    if not 0.0 <= value <= 1.0:
        raise ValueError("a threshold lies in 0 to 1")
    return value


def _lanes(text: str) -> int | None:
    if text == DEFAULT:
        return None
    lanes = int(text)
    if lanes < LANES or lanes % LANES:
        raise ValueError(f"lanes come in groups of {LANES}")
    return lanes // LANES


def _clock(text: str) -> float | None:
    if text == DEFAULT:
        return None
    value = float(text)
    if not MIN_CLOCK_MHZ <= value <= MAX_CLOCK_MHZ:
        raise ValueError(f"a clock lies in {MIN_CLOCK_MHZ:g} to {MAX_CLOCK_MHZ:g} MHz")
    return value


def _board(text: str) -> str:
    load_board(text)
    return text


def _weight_bits(text: str) -> int:
    bits = int(text)
    weight_max(bits)
    return bits


#: The axes by the key that the command line has.
BUILD_AXES: dict[str, BuildAxis] = {
    "threshold": BuildAxis(
        "threshold of all gates, 0 opens and 1 closes; neither trained nor built again",
        _threshold,
        lambda request, value: replace(request, alpha=value),
    ),
    "lanes": BuildAxis(
        f"pixel lanes, in {LANES}s",
        _lanes,
        lambda request, value: replace(request, lane_groups=value),
    ),
    "board": BuildAxis(
        "a board's name or file",
        _board,
        lambda request, value: replace(request, board=value),
    ),
    "clock": BuildAxis(
        "the engine's clock in MHz; the memory's time stays",
        _clock,
        lambda request, value: replace(request, clock_mhz=value),
    ),
    "weight_bits": BuildAxis(
        f"width that weights are quantized to, {MIN_WEIGHT_BITS} to {WEIGHT_BITS}; cycles and "
        "memory stay, accuracy does not",
        _weight_bits,
        lambda request, value: replace(request, weight_bits=value),
    ),
}


@dataclass(frozen=True)
class Space:
    """The axes of a sweep, in the order given."""

    axes: tuple[Axis, ...]

    @property
    def building(self) -> tuple[Axis, ...]:
        """The axes that need no training."""
        return tuple(axis for axis in self.axes if axis.key in BUILD_AXES)

    @property
    def training(self) -> tuple[Axis, ...]:
        """The axes over keys of a recipe."""
        return tuple(axis for axis in self.axes if axis.key not in BUILD_AXES)

    @property
    def points(self) -> int:
        """The number of combinations."""
        points = 1
        for axis in self.axes:
            points *= len(axis.values)
        return points


def parse_space(texts: Sequence[str], of_recipe: bool) -> Space:
    """Read the axes ``KEY=V1,V2,...`` of a sweep.

    Args:
        texts: as written.
        of_recipe: whether the sweep begins with a recipe, so that keys of recipes are axes too.

    Raises:
        UserError: no axis, one of them twice, or values that cannot be; with every problem.
    """
    if not texts:
        what = "nothing to sweep over: no point"
        raise UserError(Problem(OPTION, what, f"for example {OPTION} threshold=0.3,0.5,0.7"))
    axes: list[Axis] = []
    problems: list[Problem] = []
    for text in texts:
        try:
            axis = parse_axis(OPTION, text)
            problems += _problems(axis, of_recipe)
            axes.append(axis)
        except UserError as error:
            problems += error.problems
    keys = [axis.key for axis in axes]
    problems += [
        Problem(f"{OPTION} {key}", "is given twice", "give all its values at once")
        for key in dict.fromkeys(keys)
        if keys.count(key) > 1
    ]
    space = Space(tuple(axes))
    if not problems and space.points > MAX_POINTS:
        what = f"{space.points:,} points, and a sweep has {MAX_POINTS:,} at most"
        problems.append(Problem(OPTION, what, "give fewer values"))
    if problems:
        raise UserError(problems)
    return space


def _problems(axis: Axis, of_recipe: bool) -> list[Problem]:
    """Return what is wrong with the values of an axis."""
    where = f"{OPTION} {axis.key}"
    if axis.key not in BUILD_AXES:
        if not of_recipe:
            known = ", ".join(BUILD_AXES)
            remedy = f"axes of a model file are {known}; give a recipe for keys of recipes"
            if axis.key == "alpha":
                remedy = (
                    "alpha is a weight of training's loss, so give a recipe; gates have a threshold"
                )
            return [Problem(where, "is trained, which takes a recipe", remedy)]
        if axis.key in _IMAGE_KEYS:
            what = "would measure the rows on different images, which do not compare"
            return [Problem(where, what, "sweep once for every data set")]
        return []
    problems: list[Problem] = []
    seen: dict[Any, str] = {}
    for value in axis.values:
        try:
            read = BUILD_AXES[axis.key].read(value)
        except UserError as error:
            problems += error.problems
            continue
        except ValueError as error:
            reason = str(error)
            if "could not convert" in reason or "invalid literal" in reason:
                reason = "no number"
            problems.append(Problem(f"{where}={value}", reason, BUILD_AXES[axis.key].meaning))
            continue
        if read in seen:
            problems.append(Problem(f"{where}={value}", f"is {seen[read]} again", "leave it out"))
        seen[read] = value
    return problems
