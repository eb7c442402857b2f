"""The measurement: loops of inferences between idle stretches, at one or several settings.

Short bursts cannot be resolved by meters of some hundred samples a second, so that inferences are
repeated for ten seconds or more; several loops with idle stretches between them tell the drift of
the board from its work.  The idle stretches are with the bitstream loaded.
"""

from __future__ import annotations

import math
from typing import Any, Callable, ContextManager, NamedTuple, Protocol, Sequence

from ..arguments import number, shown
from ..errors import InputError, PowerError, Problem
from .align import BARKER, CHIP_SECONDS, Chip
from .statistics import Energy, Repeat, evaluate
from .trace import Trace
from .workload import Workload

#: The least that the protocol allows.
LEAST_SECONDS = 10.0
LEAST_REPEATS = 5

#: Seconds that power and sensor get to settle after a change.
SETTLE_SECONDS = 0.5


class Plan(NamedTuple):
    """How a measurement is made.

    Attributes:
        seconds: of a loop, at least 10.
        repeats: of a loop at each setting, at least 5.
        settle: seconds after each change that are not evaluated.
        chip: seconds of a chip of the patterns before and after; 0 for no patterns, which only a
            meter with a clock of its own needs.
    """

    seconds: float = LEAST_SECONDS
    repeats: int = LEAST_REPEATS
    settle: float = SETTLE_SECONDS
    chip: float = 0.0

    def check(self) -> None:
        """Raise :class:`InputError` unless it is what the protocol allows."""
        wrong = []
        seconds, repeats, settle = map(number, (self.seconds, self.repeats, self.settle))
        if not LEAST_SECONDS <= seconds < math.inf:
            what = f"are {shown(self.seconds)}"
            wrong.append(Problem("seconds", what, "a loop takes at least 10, and has an end"))
        if not LEAST_REPEATS <= repeats < math.inf or repeats != int(repeats):
            wrong.append(Problem("repeats", f"are {shown(self.repeats)}", "take at least 5"))
        if not 0 <= settle < seconds / 2:
            what = f"is {shown(self.settle)} s"
            wrong.append(Problem("settle", what, "take less than half a loop"))
        if wrong:
            raise InputError(wrong)

    def duration(self, settings: int) -> float:
        """Return about how many seconds it takes."""
        return settings * self.repeats * 2 * (self.seconds + self.settle) + 26 * self.chip


class Setting(NamedTuple):
    """A point to measure: its name, and a function that sets the accelerator to it."""

    name: str
    apply: Callable[[], Any]


class Timeline(NamedTuple):
    """What was run when, in seconds of the driver's clock.

    Attributes:
        names: of the settings.
        repeats: of each setting.
        counters: of each setting, mean of an image.
        before: the pattern before the loops.
        after: the pattern after them.
    """

    names: tuple[str, ...]
    repeats: tuple[tuple[Repeat, ...], ...]
    counters: tuple[dict[str, float], ...]
    before: tuple[Chip, ...]
    after: tuple[Chip, ...]


class Point(NamedTuple):
    """One setting, measured.

    Attributes:
        name: the setting.
        energy: power and energy.
        counters: the engine's counters, mean of an image.
    """

    name: str
    energy: Energy
    counters: dict[str, float]


class TraceRecorder(Protocol):
    """Records from ``with`` on, and gives the trace afterwards."""

    def __enter__(self) -> Any: ...

    def __exit__(self, *exception: object) -> Any: ...

    def trace(self) -> Trace:
        """Return what was recorded."""


def measure(
    workload: Workload,
    recorder: TraceRecorder,
    settings: Sequence[Setting],
    plan: Plan,
    on_step: Callable[[str], None] = lambda text: None,
) -> tuple[tuple[Point, ...], Trace, Timeline]:
    """Measure settings with a sensor that shares the driver's clock.

    Settings take turns, so that a change of the room's temperature meets all of them.

    Raises:
        InputError: a plan below the protocol's least.
        PowerError: the sensor fails, or gives too few samples.
    """
    plan.check()
    recording: ContextManager[Any] = recorder
    with recording:
        timeline = run_timeline(workload, settings, plan, on_step)
    trace = recorder.trace()
    return points_of(trace, timeline), trace, timeline


def run_timeline(
    workload: Workload,
    settings: Sequence[Setting],
    plan: Plan,
    on_step: Callable[[str], None] = lambda text: None,
) -> Timeline:
    """Run the loops and the idle stretches, and return when each of them was."""
    plan.check()
    before = _pattern(workload, plan) if plan.chip else ()
    repeats: list[list[Repeat]] = [[] for _ in settings]
    sums: list[dict[str, float]] = [{} for _ in settings]
    for turn in range(int(plan.repeats)):
        for at, setting in enumerate(settings):
            on_step(f"repeat {turn + 1} of {plan.repeats}, {setting.name}")
            setting.apply()
            first = _idle(workload, plan)
            loop = workload.loop(plan.seconds + plan.settle)
            second = _idle(workload, plan)
            load = loop.start + plan.settle, loop.end
            repeats[at].append(Repeat(first, load, second, loop.end - loop.start, loop.images))
            for name, value in loop.counters.items():
                sums[at][name] = sums[at].get(name, 0.0) + value / plan.repeats
    after = _pattern(workload, plan) if plan.chip else ()
    return Timeline(
        tuple(setting.name for setting in settings),
        tuple(tuple(found) for found in repeats),
        tuple(sums),
        before,
        after,
    )


def points_of(trace: Trace, timeline: Timeline) -> tuple[Point, ...]:
    """Return the points that a trace on the driver's clock gives."""
    points = tuple(
        Point(name, evaluate(trace, repeats), counters)
        for name, repeats, counters in zip(timeline.names, timeline.repeats, timeline.counters)
    )
    if all(point.energy.loop_watts.value < 0 for point in points):
        raise PowerError(
            Problem(trace.info.source, "measures negative power", "swap the wires at the shunt")
        )
    return points


def _idle(workload: Workload, plan: Plan) -> tuple[float, float]:
    """Half of the idle time that belongs to a loop; the other half is on its other side."""
    start = workload.now()
    workload.idle(plan.settle + plan.seconds / 2)
    return start + plan.settle, workload.now()


def _pattern(workload: Workload, plan: Plan) -> tuple[Chip, ...]:
    """Make the pattern of load that a meter's clock is found by, with idle time around it."""
    workload.idle(2 * plan.chip)
    chips = []
    for level in BARKER:
        start = workload.now()
        if level:
            loop = workload.loop(plan.chip)
            chips.append(Chip(loop.start, loop.end, True))
        else:
            workload.idle(plan.chip)
            chips.append(Chip(start, workload.now(), False))
    workload.idle(2 * plan.chip)
    return tuple(chips)


#: For a meter with a clock of its own.
WITH_PATTERNS = Plan(chip=CHIP_SECONDS)
