"""Runs a case on engines and compares every word with those of the machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from acsgen.engines.base import Engine, EngineRun
from acsgen.isa.generated import HEADER_WORDS, WORD_BYTES, Instruction, ResultHeader, Status

from .case import Case, listing
from .machine import CLOCKED, Expected, Machine

#: Images in different orders, with and without trace: nothing may stay from the run before.
RUNS = ((0, True), (1, False), (0, False), (1, True))


class Mismatch(AssertionError):
    """An engine differs from the specification."""


@dataclass
class Job:
    """A case, and the results that its runs must leave."""

    case: Case
    expected: dict[tuple[int, bool], Expected]


def prepared(case: Case, config: object) -> Job:
    """Let the machine run the case."""
    expected = {}
    for index, trace in RUNS:
        machine = Machine(config, case.params, case.images[index], case.result_words, trace)  # type: ignore[arg-type]
        expected[index, trace] = machine.run(case.program)
    return Job(case, expected)


def check(job: Job, engine: Engine, name: str, runs: Sequence[tuple[int, bool]] = RUNS) -> None:
    """Require that ``engine`` gives the expected words; raises :class:`Mismatch`."""
    case = job.case
    for index, trace in runs:
        label = f"{name}, image {index}, {'traced' if trace else 'not traced'}"
        run = engine.run(case.words, case.params, case.images[index], case.result_words, trace)
        # The words that an engine reads while it skips some are compared with its memory's count.
        unsettled = (*CLOCKED, ResultHeader.READ_WORDS) if engine.skips_words else CLOCKED
        compare(case.program, job.expected[index, trace], run, label, unsettled)


def compare(
    program: Sequence[Instruction],
    expected: Expected,
    run: EngineRun,
    label: str,
    unsettled: Sequence[ResultHeader] = CLOCKED,
) -> None:
    """Compare registers, header and every defined byte of the result buffer.

    ``unsettled`` words of the header may be anything.
    """
    wanted_stop = (
        int(expected.words[ResultHeader.STATUS]),
        int(expected.words[ResultHeader.FAULT_INDEX]),
    )
    if (run.status, run.fault_index) != wanted_stop:
        names = {int(s): s.name for s in Status}
        raise Mismatch(
            f"{label}: {names.get(run.status, run.status)} at {at(program, run.fault_index)}; "
            f"should be {names[wanted_stop[0]]} at {at(program, wanted_stop[1])}"
        )
    for word in ResultHeader:
        if word not in unsettled and run.result[word] != expected.words[word]:
            wanted, found = int(expected.words[word]), int(run.result[word])
            raise Mismatch(f"{label}: {word.name} is {found}, should be {wanted}")
    wrong = run.result.view(np.uint8) != expected.words.view(np.uint8)
    wrong &= expected.defined
    wrong[: HEADER_WORDS * WORD_BYTES] = False
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        word = first // WORD_BYTES
        wanted, found = int(expected.words[word]), int(run.result[word])
        raise Mismatch(
            f"{label}: word {word} of the result, byte {first % WORD_BYTES}, is {found:#018x}, "
            f"should be {wanted:#018x} ({int(wrong.sum())} bytes differ): {owner(program, word)}"
        )


def owner(program: Sequence[Instruction], word: int) -> str:
    """The instruction whose results lie at ``word`` of the result buffer."""
    best, index = -1, -1
    for i, op in enumerate(program):
        for start in (op.trace_addr, op.result_addr):
            if best < start <= word:
                best, index = start, i
    if index < 0:
        return "nothing is there"
    return f"word {word - best} of {at(program, index)}"


def at(program: Sequence[Instruction], index: int) -> str:
    """An instruction in words."""
    if index >= len(program):
        return f"instruction {index}, behind the end"
    return f"instruction {index}, {listing(program[index])}"
