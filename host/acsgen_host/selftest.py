"""Runs the golden vectors of a bundle, and compares engine and golden model bit for bit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, NamedTuple

import numpy as np

from . import isa
from .arguments import count
from .result import Result, decode

if TYPE_CHECKING:
    from .accelerator import Accelerator


class Report(NamedTuple):
    """Outcome of a self-test.

    Attributes:
        runs: runs made.
        values: logits and mask bits compared.
        mismatches: those that differed.
        first: the first of them in words, or None.
        seconds: mean of a run, as the results have it.
        macs: mean of the engine's counter, an image.
        cycles: likewise; 0 where the engine does not count them.
    """

    runs: int
    values: int
    mismatches: int
    first: str | None
    seconds: float
    macs: float
    cycles: float


def self_test(
    accelerator: Accelerator,
    limit: int | None = None,
    on_run: Callable[[int, int], None] = lambda done, total: None,
) -> Report:
    """Run the bundle's vectors, or the first ``limit`` of them, forwards and then backwards.

    The second order reveals an engine that keeps something of one image for the next.  Thresholds
    are set as trained, because the vectors are made with these.

    Raises the exceptions of :meth:`Accelerator.run`, :class:`BundleError` for damaged vectors, and
    :class:`InputError` for a limit below 1.
    """
    # None of the vectors would pass without a comparison.
    wanted = None if limit is None else count(limit, "limit")
    bundle = accelerator.bundle
    vectors = bundle.vectors()
    order = list(range(len(vectors.images)))[:wanted]
    values = mismatches = 0
    first = None
    results = []
    with accelerator.exclusive():
        accelerator.reset_thresholds()
        for done, index in enumerate(order + order[::-1]):
            result = accelerator.run(vectors.images[index])
            on_run(done + 1, 2 * len(order))
            words = np.concatenate(
                [np.zeros(len(isa.RESULT_HEADER), np.uint64), vectors.expected[index]]
            )
            compared, wrong, text = _compare(decode(bundle, words, 0.0), result)
            values, mismatches = values + compared, mismatches + wrong
            if text and first is None:
                turn = "first" if done < len(order) else "second"
                first = f"image {index}, {turn} run: {text}"
            results.append(result)
    return Report(
        runs=len(results),
        values=values,
        mismatches=mismatches,
        first=first,
        seconds=float(np.mean([result.seconds for result in results])),
        macs=float(np.mean([result.counters["macs_executed"] for result in results])),
        cycles=float(np.mean([result.counters["cycles"] for result in results])),
    )


def _compare(expected: Result, found: Result) -> tuple[int, int, str | None]:
    """Return how many values were compared, how many differ, and the first one in words.

    Masks come first, in the order of the gates: a wrong mask makes wrong logits.
    """
    values = wrong = 0
    first = None
    for kind, true, given in (
        ("channel", expected.masks, found.masks),
        ("class", expected.outputs, found.outputs),
    ):
        for name in list(true) + [name for name in given if name not in true]:
            if name in true and name in given:
                differ = np.flatnonzero(true[name] != given[name])
                count, text = len(differ), ""
                if count:
                    at = int(differ[0])
                    text = f"{kind} {at}: expected {true[name][at]}, found {given[name][at]}"
            else:
                count = len(true.get(name, given.get(name, ())))
                text = "was not computed" if name in true else "was computed, and must not be"
            values, wrong = values + len(true.get(name, given.get(name, ()))), wrong + count
            if text and first is None:
                first = f"{name}, {text}"
    return values, wrong, first
