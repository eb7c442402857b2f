"""``python -m acsgen_host BUNDLE --run NPY``: classify images, with budgets and early exits."""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any, Iterator

from .accelerator import Accelerator
from .budget import BudgetPoint
from .command_line import load_array, require_writable, say
from .errors import InputError, Problem
from .jsontext import without_noise
from .result import Result

#: The name that stands for standard output.
SCREEN = Path("-")

#: Options that are for ``--run`` alone.
RUN_OPTIONS = ("budget", "exit_entropy", "hard_budget", "hard_budget_cycles", "json")


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that :func:`run_file` reads beside the file."""
    parser.add_argument(
        "--budget", type=float, metavar="MACS", help="mean MACs an image, for --run, by the gates"
    )
    parser.add_argument(
        "--exit-entropy",
        type=float,
        metavar="NATS",
        help="early exits, for --run: end where the entropy is below this, 0 never; as built if "
        "absent",
    )
    parser.add_argument(
        "--hard-budget",
        type=_whole,
        metavar="MACS",
        help="early exits, for --run: no run executes more MACs than this; it ends at the exit "
        "before",
    )
    parser.add_argument(
        "--hard-budget-cycles",
        type=_whole,
        metavar="CYCLES",
        help="early exits of the RTL engine, for --run: no run takes more cycles; what runs take "
        "between exits is measured first",
    )
    parser.add_argument(
        "--json",
        type=Path,
        metavar="FILE",
        help="write what --run finds to a file; - for the screen, and nothing else there",
    )


def _whole(text: str) -> int:
    """Return the whole number of ``20000000``, ``20_000_000`` or ``20e6``."""
    try:
        return int(text)
    except ValueError:
        pass
    try:
        value = float(text)
        if value == int(value):
            return int(value)
    except (ValueError, OverflowError):
        pass
    raise argparse.ArgumentTypeError(f"must be a whole number, not {text!r}")


def run_file(accelerator: Accelerator, options: argparse.Namespace) -> int:
    """Run the images of a file, and say what each is; returns the exit status.

    Raises :class:`InputError` for settings that the network or its engine does not have.
    """
    bundle = accelerator.bundle
    _require_exits(accelerator, options)
    images = load_array(options.run)
    to_screen = options.json == SCREEN
    if options.json is not None and not to_screen:
        # Before minutes of work rather than after them.
        require_writable(options.json)
    if options.budget is not None:
        point = accelerator.set_budget(options.budget)
        if not to_screen:
            say(line_of(point))
    if options.exit_entropy is not None:
        accelerator.set_exit_entropy(options.exit_entropy)
    if options.hard_budget is not None:
        accelerator.set_hard_budget(options.hard_budget)
    if options.hard_budget_cycles is not None:
        accelerator.set_hard_budget_cycles(options.hard_budget_cycles)
    results = []
    for index, result in enumerate(accelerator.run_many(images)):
        results.append(_Line.of(result))
        if not to_screen:
            say(f"image {index}: {results[-1].text(bool(bundle.exits))}")
    if bundle.exits and results and not to_screen:
        say("answered by " + ", ".join(_by_output(accelerator, results)))
    if options.json is not None:
        _write(options.json, _content(accelerator, options, results))
    return 0


class _Line:
    """What is kept of a result: not its masks, of which there may be many."""

    def __init__(self, prediction: int, answer: str, counters: dict[str, int]) -> None:
        self.prediction, self.answer, self.counters = prediction, answer, counters

    @classmethod
    def of(cls, result: Result) -> _Line:
        counters = {name: int(value) for name, value in result.counters.items()}
        return cls(result.prediction, result.answer, counters)

    def text(self, exits: bool) -> str:
        text = f"class {self.prediction}, {self.counters['macs_executed']} MACs"
        if not exits:
            return text
        cycles = self.counters["cycles"]
        return text + (f", {cycles} cycles" if cycles else "") + f", answered by {self.answer}"


def _require_exits(accelerator: Accelerator, options: argparse.Namespace) -> None:
    """Raise :class:`InputError` with every option that a network without its exits cannot have."""
    bundle, problems = accelerator.bundle, []
    by_entropy = any(found.acc_scale for found in bundle.exits.values())
    if options.exit_entropy is not None and not by_entropy:
        what = f"{bundle.model} has no exits by entropy"
        problems.append(Problem("--exit-entropy", what, "leave it out"))
    for option in ("hard_budget", "hard_budget_cycles"):
        if getattr(options, option) is not None and not bundle.exits:
            what, todo = f"{bundle.model} has no exits", "leave it out; --budget is for gates"
            problems.append(Problem("--" + option.replace("_", "-"), what, todo))
    if problems:
        raise InputError(problems)


def _by_output(accelerator: Accelerator, results: list[_Line]) -> Iterator[str]:
    """Yield every output in order, with the number of images that it answered."""
    answers = [result.answer for result in results]
    for name in accelerator.bundle.outputs:
        if name in answers:
            yield f"{name}: {answers.count(name)}"


def _content(
    accelerator: Accelerator, options: argparse.Namespace, results: list[_Line]
) -> dict[str, Any]:
    """What ``--json`` writes, under the names that ``acsgen sim --json`` has for the same."""
    entropy = options.exit_entropy
    if entropy is not None and math.isinf(entropy):
        # JSON has no infinity.
        entropy = "inf"
    return {
        "model": accelerator.bundle.model,
        "engine": accelerator.simulation or "board",
        "images": len(results),
        "budget": options.budget,
        "exit_entropy": entropy,
        "hard_budget": options.hard_budget,
        "hard_budget_cycles": options.hard_budget_cycles,
        "answers": [result.answer for result in results],
        "predictions": [result.prediction for result in results],
        "runs": [result.counters for result in results],
    }


def _write(target: Path, content: dict[str, Any]) -> None:
    text = json.dumps(without_noise(content), indent=1)
    if target == SCREEN:
        say(text)
        return
    try:
        target.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        what = f"cannot be written: {error.strerror}"
        raise InputError(Problem(str(target), what, "make room for it")) from error


def line_of(point: BudgetPoint) -> str:
    """Return a point of the table of strictness as a line."""
    right = "" if point.accuracy is None else f", {point.accuracy:.1%} right"
    return f"strictness {point.strictness:g}: {point.macs_mean:.0f} MACs in the mean{right}"
