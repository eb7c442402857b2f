"""Runs images on an engine and compares everything with the golden model.

Each image runs twice in a row, first without trace (the program as deployed), then with it, so that
state leaking from one run into the next shows.  Compared are the status, every logit, every mask,
every layer's result, and the engine's own counters with what the cost model predicts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from acsgen.compiler.decode_trace import (
    DecodedResult,
    decode_header,
    decode_result,
    describe_difference,
)
from acsgen.compiler.params import Words
from acsgen.compiler.program import Program
from acsgen.csim.engine import EngineRun, pack_image
from acsgen.ir.results import GoldenResult
from acsgen.isa.generated import HEADER_WORDS, Status

#: Header words that the cost model predicts exactly.
Counters = dict[str, int]


class Engine(Protocol):
    """What verification needs of an engine: C simulation, RTL simulation, a board."""

    def run(
        self, program: Words, params: Words, image: Words, result_words: int, trace: bool = False
    ) -> EngineRun:
        """Run a program on one packed image."""
        ...


@dataclass(frozen=True)
class Verification:
    """Outcome of a check.

    Attributes:
        images: how many were run, each twice.
        compared: values compared.
        mismatches: values that differed; a run that stopped with an error counts as one.
        first: the first mismatch in words, or None.
    """

    images: int
    compared: int
    mismatches: int
    first: str | None


class _Tally:
    """Counts comparisons and keeps the first mismatch."""

    def __init__(self) -> None:
        self.compared = 0
        self.mismatches = 0
        self.first: str | None = None

    def values(self, expected: NDArray[np.integer], found: NDArray[np.integer]) -> bool:
        """Compare arrays; whether they differ."""
        self.compared += expected.size
        wrong = int((expected != found).sum())
        self.mismatches += wrong
        return wrong > 0

    def note(self, text: str) -> None:
        """Keep the first mismatch."""
        self.first = self.first or text


def verify_engine(
    program: Program,
    engine: Engine,
    images: NDArray[np.uint8],
    golden: GoldenResult,
    predicted: Callable[[dict[str, NDArray[np.uint8]], bool], Counters],
    params: Words | None = None,
    on_image: Callable[[int], None] = lambda done: None,
) -> Verification:
    """Run every image twice on ``engine`` and compare with ``golden``.

    Args:
        program: the compiled network.
        engine: where to run it.
        images: uint8 ``[N, C, H, W]``.
        golden: the golden model's results on the same images, all layers kept.
        predicted: counters expected for the masks of an image, by header word, with trace or not.
        params: parameter buffer, where thresholds differ from the program's own.
        on_image: called with the number of images done.
    """
    tally = _Tally()
    words = program.words
    buffer = program.params if params is None else params
    for index, image in enumerate(images):
        masks = {gate.name: golden.masks[gate.name][index] for gate in program.gates}
        packed = pack_image(image)
        for trace in (False, True):
            size = program.traced_words if trace else program.result_words
            run = engine.run(words, buffer, packed, size, trace)
            label = f"image {index}, {'second run (traced)' if trace else 'first run'}"
            if run.status != Status.OK:
                tally.mismatches += 1
                tally.note(f"{label}: {_status_text(run)}")
                continue
            _compare_words(tally, program, golden, index, run, label)
            decoded = decode_result(program, run.result, trace)
            if trace:
                _compare_layers(tally, program, golden, index, decoded, label)
            _compare_counters(tally, decode_header(run.result), predicted(masks, trace), label)
        on_image(index + 1)
    return Verification(len(images), tally.compared, tally.mismatches, tally.first)


def expected_words(program: Program, golden: GoldenResult, index: int) -> Words:
    """Return an image's result words behind the header: the golden model's logits and masks."""
    words = np.zeros(program.result_words, np.uint64)
    logits = golden.logits[index].astype(np.int32)
    padded = np.zeros(-(-len(logits) // 2) * 2, np.int32)
    padded[: len(logits)] = logits
    words[program.logits_address :][: len(padded) // 2] = padded.astype("<i4").view("<u8")
    for gate in program.gates:
        bits = np.zeros(-(-gate.channels // 64) * 64, np.uint8)
        bits[: gate.channels] = golden.masks[gate.name][index]
        packed = np.packbits(bits, bitorder="little").view("<u8")
        words[gate.mask_address :][: len(packed)] = packed
    return words[HEADER_WORDS:]


def _status_text(run: EngineRun) -> str:
    known = {int(status): status.name for status in Status}
    name = known.get(run.status, f"unknown status {run.status}")
    return f"the engine stopped with {name} at instruction {run.fault_index}"


def _compare_words(
    tally: _Tally, program: Program, golden: GoldenResult, index: int, run: EngineRun, label: str
) -> None:
    expected = expected_words(program, golden, index)
    found = run.result[HEADER_WORDS : HEADER_WORDS + len(expected)]
    if tally.values(expected, found):
        decoded = decode_result(program, run.result)
        pairs = [(gate.name, golden.masks[gate.name][index]) for gate in program.gates]
        differences = [
            describe_difference(program, name, mask, decoded.masks[name]) for name, mask in pairs
        ]
        differences.append(
            describe_difference(program, program.logits_name, golden.logits[index], decoded.logits)
        )
        text = next((d for d in differences if d), "a word between the results was written")
        tally.note(f"{label}: {text}")


def _compare_layers(
    tally: _Tally,
    program: Program,
    golden: GoldenResult,
    index: int,
    decoded: DecodedResult,
    label: str,
) -> None:
    for trace in program.traces:
        expected = golden.values[trace.layer][index]
        found = decoded.layers[trace.layer]
        if tally.values(expected, found):
            text = describe_difference(program, trace.layer, expected, found)
            tally.note(f"{label}: {text}")


def _compare_counters(tally: _Tally, found: Counters, expected: Counters, label: str) -> None:
    for name, value in expected.items():
        tally.compared += 1
        if found[name] != value:
            tally.mismatches += 1
            tally.note(
                f"{label}: the engine's counter {name} is {found[name]}, "
                f"the cost model predicts {value}"
            )
