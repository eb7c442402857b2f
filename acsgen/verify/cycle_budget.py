"""Hard budgets in cycles: an engine is measured, then held to a budget, and its answers compared.

An engine decides by its own cycle counter whether it ends at an exit, so that no golden model says
where it ends.  What can be required is that no run takes more cycles than the budget, and that a
run which ends at an exit has the golden results of everything up to there, and of nothing beyond.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from acsgen_host.cycle_bounds import MARGIN, CycleBounds, Ended, measure_bounds
from acsgen_host.exits import NEVER
from acsgen_host.thresholds import INT32_MIN
from acsgen_host.words import pack_image

from acsgen.compiler.exits import ended_at
from acsgen.engines.base import Engine
from acsgen.isa.generated import HEADER_WORDS, Status
from acsgen.program.exits import limit
from acsgen.program.program import Program
from acsgen.program.words import Words
from acsgen.verify.compare import Verification, expected_words
from acsgen.verify.vectors import Vectors


def engine_bounds(program: Program, engine: Engine, margin: float = MARGIN) -> CycleBounds:
    """The most cycles of the ways between the exits of a program, measured on an engine.

    Raises:
        acsgen_host.InputError: the engine has no cycle counter.
    """
    opened = {gate.name: np.full(gate.channels, INT32_MIN, np.int32) for gate in program.gates}
    never = {e.decision: np.full(1, NEVER, np.int32) for e in program.exits if e.decision}
    params = program.with_thresholds({**opened, **never})
    shape = (program.image.channels, program.image.height, program.image.width)
    image = pack_image(np.zeros(shape, np.uint8))

    def run(limits: Mapping[int, int]) -> Ended:
        words = program.with_limits(cycles=limits)
        found = engine.run(words, params, image, program.result_words)
        return Ended(found.fault_index, found.counters["cycles"])

    return measure_bounds([exit.instruction for exit in program.exits], run, margin)


def cycle_limits(bounds: CycleBounds, budget: int) -> dict[int, int]:
    """The limits of a budget in cycles, by the number of the exit."""
    return {number: limit(budget, way) for number, way in enumerate(bounds.after)}


def verify_budget(
    program: Program,
    engine: Engine,
    vectors: Vectors,
    budget: int,
    words: Words,
    params: Words,
    check: Callable[[Vectors, Words], Verification],
) -> Verification:
    """Run images within a budget in cycles and compare with the golden model.

    Each image runs without trace under the budget, which must be kept.  Tracing takes cycles, so
    that for the comparison of every layer its run is ended at the same exit, by a limit of
    multiply-accumulates that none is within.

    Args:
        program: the compiled network.
        engine: where to run it.
        vectors: images, and golden results in which other settings have ended runs already.
        budget: the most cycles of a run.
        words: program buffer with the limits of the budget.
        params: parameter buffer.
        check: runs images twice, with the program buffer that it is given, and compares everything.

    Returns:
        The outcome of all comparisons; its headers are those of the runs under the budget.
    """
    numbers: dict[int, int | None] = {e.instruction: n for n, e in enumerate(program.exits)}
    stops: list[int | None] = []
    runs = []
    for image in vectors.images:
        run = engine.run(words, params, pack_image(image), program.result_words)
        runs.append(run)
        stops.append(numbers.get(run.fault_index))
    golden = ended_at(program, vectors.golden, stops)
    compared, mismatches, first = 0, 0, None
    for index, run in enumerate(runs):
        expected = expected_words(program, golden, index)
        found = run.result[HEADER_WORDS : HEADER_WORDS + len(expected)]
        cycles = run.counters["cycles"]
        wrong = {
            f"stopped with status {run.status}": int(run.status != Status.OK),
            f"took {cycles:,} cycles of {budget:,}": int(cycles > budget),
            "has other words than the golden model": int((expected != found).sum()),
        }
        compared += len(expected) + 1
        mismatches += sum(wrong.values())
        said = next((text for text, number in wrong.items() if number), None)
        first = first or (said and f"image {index}, run within the budget: {said}")
    for stop in dict.fromkeys(stops):
        chosen = np.array([n for n, other in enumerate(stops) if other == stop])
        ended = Vectors(vectors.images[chosen], golden.only(chosen))
        forced = program.with_limits(macs={} if stop is None else {stop: 0})
        outcome = check(ended, forced)
        compared, mismatches = compared + outcome.compared, mismatches + outcome.mismatches
        first = first or outcome.first
    headers = tuple(run.counters for run in runs)
    return Verification(len(runs), compared, mismatches, first, headers)
