"""Runs images on an engine and compares everything with the golden model.

Each image runs twice in a row, first without trace (the program as deployed), then with it, so that
state leaking from one run into the next shows; a caller that only measures has the first run alone.
Compared are the status, every output, every mask, every layer's result, and the engine's own
counters with those of the cost model.  A layer that did not run for an image by the golden model
must not have run on the engine either: its words are as they were before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from acsgen_host.words import POISON, in_order, pack, pack_bits, pack_image
from numpy.typing import NDArray

from acsgen.engines.base import BusCounts, Engine, EngineRun
from acsgen.engines.loop_counts import LoopCounts
from acsgen.ir.results import GoldenResult
from acsgen.isa.generated import HEADER_WORDS, Status
from acsgen.program.exits import ends_at_exit
from acsgen.program.program import Program
from acsgen.program.result import (
    DecodedResult,
    decode_result,
    describe_difference,
)
from acsgen.program.words import Words

#: Words of the result header by name.
HeaderWords = dict[str, int]

#: Masks of one image by gate name, 0/1 by channel.
MaskBits = dict[str, NDArray[np.uint8]]

#: Whether a layer ran.
Executed = Callable[[str], bool]


@dataclass(frozen=True)
class Verification:
    """Outcome of a check.

    Attributes:
        images: how many were run.
        compared: values compared.
        mismatches: values that differed; a run that stopped with an error counts as one.
        first: the first mismatch in words, or None: of the first wrong image, that of the layer
            which runs first.
        headers: words of every image's result header, by name, of the run without trace.
        loops: the cycles of every loop in the same runs, where the engine counts them.
        by_instruction: the cycles of every instruction in the same runs, where they are known.
    """

    images: int
    compared: int
    mismatches: int
    first: str | None
    headers: tuple[dict[str, int], ...] = field(default=(), repr=False)
    loops: tuple[LoopCounts, ...] = field(default=(), repr=False)
    by_instruction: tuple[NDArray[np.int64], ...] = field(default=(), repr=False)


class _Tally:
    """Counts comparisons and keeps the mismatch that comes first in the order of execution."""

    def __init__(self, program: Program) -> None:
        self.compared = 0
        self.mismatches = 0
        self._first: tuple[tuple[int, int], str] | None = None
        self._step = {line.layer: index for index, line in reversed([*enumerate(program.lines)])}
        self._steps = len(program.lines)

    @property
    def first(self) -> str | None:
        """The first mismatch in words."""
        return self._first[1] if self._first else None

    def values(self, expected: NDArray[np.integer], found: NDArray[np.integer]) -> bool:
        """Compare arrays, and return whether they differ."""
        self.compared += expected.size
        wrong = int((expected != found).sum())
        self.mismatches += wrong
        return wrong > 0

    def whole_layer(self, values: int, wrong: bool) -> None:
        """Compare whether a layer of so many values ran at all."""
        self.compared += values
        self.mismatches += values * wrong

    def note(self, run: _Run, layer: str | None, text: str) -> None:
        """Keep the mismatch if it comes before the one kept; ``layer`` is None for a whole run."""
        place = (run.index, self._steps if layer is None else self._step.get(layer, self._steps))
        if self._first is None or place < self._first[0]:
            self._first = place, f"{run.label}: {text}"


@dataclass(frozen=True)
class _Run:
    """One run of image ``index``."""

    index: int
    trace: bool

    @property
    def label(self) -> str:
        return f"image {self.index}, {'second run (traced)' if self.trace else 'first run'}"


def verify_engine(
    program: Program,
    engine: Engine,
    images: NDArray[np.uint8],
    golden: GoldenResult,
    predicted: Callable[[MaskBits, Executed, bool], HeaderWords],
    params: Words | None = None,
    words: Words | None = None,
    on_image: Callable[[int], None] = lambda done: None,
    traced_too: bool = True,
) -> Verification:
    """Run every image on ``engine`` and compare with ``golden``.

    Args:
        program: the compiled network.
        engine: where to run it.
        images: uint8 ``[N, C, H, W]``.
        golden: the golden model's results on the same images, with all layers if they are traced.
        predicted: counters expected for an image, by header word, given its masks, which layers ran
            for it, and whether the run is traced.
        params: parameter buffer, where thresholds differ from the program's own.
        words: program buffer, where limits of exits differ from the program's own.
        on_image: called with the number of images done.
        traced_too: whether every image runs a second time, with trace.
    """
    tally = _Tally(program)
    words = program.words if words is None else words
    buffer = program.params if params is None else params
    headers: list[dict[str, int]] = []
    loops: list[LoopCounts] = []
    by_instruction: list[NDArray[np.int64]] = []
    for index, image in enumerate(images):
        masks = {gate.name: golden.masks[gate.name][index] for gate in program.gates}
        executed = partial(golden.executed, image=index)
        packed = pack_image(image)
        for trace in (False, True) if traced_too else (False,):
            size = program.traced_words if trace else program.result_words
            found = engine.run(words, buffer, packed, size, trace)
            run = _Run(index, trace)
            header = found.counters
            if not trace:
                headers.append(header)
                loops += [found.loops] if found.loops is not None else []
                known = found.by_instruction
                by_instruction += [known] if known is not None else []
            if found.status != Status.OK:
                tally.mismatches += 1
                tally.note(run, None, _status_text(program, found))
                continue
            _compare_words(tally, program, golden, found, run)
            decoded = decode_result(program, found.result, trace)
            if trace:
                _compare_layers(tally, program, golden, decoded, run)
            expected = predicted(masks, executed, trace)
            _compare_counters(tally, run, header, expected, _BY_MODEL)
            if found.bus is not None:
                on_bus = _bus_counts(found.bus)
                if ends_at_exit(words, found.fault_index):
                    # Words of later instructions were asked for ahead, and are not counted.
                    on_bus["words read"] = min(on_bus["words read"], header["read_words"])
                _compare_counters(tally, run, on_bus, _header_counts(header), _ON_BUS)
        on_image(index + 1)
    return Verification(
        len(images),
        tally.compared,
        tally.mismatches,
        tally.first,
        tuple(headers),
        tuple(loops),
        tuple(by_instruction),
    )


def expected_words(program: Program, golden: GoldenResult, index: int) -> Words:
    """Return an image's result words behind the header: the golden model's outputs, masks
    and decisions of exits.

    Those that were not computed are :data:`acsgen_host.words.POISON`.
    """
    words = np.full(program.result_words, POISON, np.uint64)
    results = [
        (output.name, output.address, pack(golden.outputs[output.name][index], "<i4"))
        for output in program.outputs
    ]
    results += [
        (
            gate.name,
            gate.mask_address,
            pack_bits(in_order(golden.masks[gate.name][index], gate.order)),
        )
        for gate in program.gates
    ]
    results += [
        (exit.decision, exit.decision_address, pack_bits(golden.decisions[exit.decision][index]))
        for exit in program.exits
        if exit.decision
    ]
    for name, address, packed in results:
        if golden.executed(name, index):
            words[address : address + len(packed)] = packed
    return words[HEADER_WORDS:]


_BY_MODEL = "the engine's counter {} is {}, the cost model predicts {}"
_ON_BUS = "{}: {} on the bus, {} by the engine's own count"


def _bus_counts(bus: BusCounts) -> HeaderWords:
    """Return the words that the memory behind the engine counted."""
    return {
        "words read": bus.read,
        "words written": bus.written,
        "words outside the buffers": bus.stray,
    }


def _header_counts(header: dict[str, int]) -> HeaderWords:
    """Return the same words as the engine's own counters have them."""
    return {
        "words read": header["read_words"],
        "words written": header["written_words"] + HEADER_WORDS,
        "words outside the buffers": 0,
    }


def _status_text(program: Program, run: EngineRun) -> str:
    known = {int(status): status.name for status in Status}
    name = known.get(run.status, f"unknown status {run.status}")
    layers = [line.layer for line in program.lines]
    where = layers[run.fault_index] if run.fault_index < len(layers) else ""
    of_layer = f" ({where})" if where else ""
    return f"the engine stopped with {name} at instruction {run.fault_index}{of_layer}"


def _compare_words(
    tally: _Tally, program: Program, golden: GoldenResult, found: EngineRun, run: _Run
) -> None:
    expected = expected_words(program, golden, run.index)
    if not tally.values(expected, found.result[HEADER_WORDS : HEADER_WORDS + len(expected)]):
        return
    decoded = decode_result(program, found.result)
    texts = {
        name: _difference(program, golden, name, wanted[run.index], found_results.get(name), run)
        for results, found_results in (
            (golden.masks, decoded.masks),
            (golden.decisions, decoded.decisions),
            (golden.outputs, decoded.outputs),
        )
        for name, wanted in results.items()
    }
    for name, text in texts.items():
        if text:
            tally.note(run, name, text)
    if not any(texts.values()):
        tally.note(run, None, "a word between the results was written")


def _compare_layers(
    tally: _Tally, program: Program, golden: GoldenResult, decoded: DecodedResult, run: _Run
) -> None:
    for trace in program.traces:
        expected = golden.values[trace.layer][run.index]
        found = decoded.layers.get(trace.layer)
        if found is not None and golden.executed(trace.layer, run.index):
            wrong = tally.values(expected, found)
        else:
            wrong = (found is not None) != golden.executed(trace.layer, run.index)
            tally.whole_layer(expected.size, wrong)
        if wrong:
            text = _difference(program, golden, trace.layer, expected, found, run)
            tally.note(run, trace.layer, text or "")


def _difference(
    program: Program,
    golden: GoldenResult,
    layer: str,
    expected: NDArray[np.integer],
    found: NDArray[np.integer] | None,
    run: _Run,
) -> str | None:
    """Return in words how a layer's result differs, be it that only one of the two computed it."""
    wanted = golden.executed(layer, run.index)
    if found is not None and wanted:
        return describe_difference(program, layer, expected, found)
    if found is None and not wanted:
        return None
    ran, did_not = (
        ("the golden model", "the engine") if wanted else ("the engine", "the golden model")
    )
    return f"{layer} ran on {ran} and not on {did_not}"


def _compare_counters(
    tally: _Tally, run: _Run, found: HeaderWords, expected: HeaderWords, text: str
) -> None:
    for name, value in expected.items():
        tally.compared += 1
        if found[name] != value:
            tally.mismatches += 1
            tally.note(run, None, text.format(name, found[name], value))
