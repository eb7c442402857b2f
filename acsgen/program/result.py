"""Reads a result buffer: header, outputs, masks, and the traced result of every layer.

A program need not run every line; the words of a result that was not computed are as they were
before the run, which is :data:`acsgen_host.words.POISON`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from acsgen_host import words
from numpy.typing import NDArray

from acsgen.isa.generated import SEGMENT_PIXELS, SEGMENTS
from acsgen.program.program import Program, Trace
from acsgen.program.words import Words


@dataclass(frozen=True)
class DecodedResult:
    """One image's results.

    Attributes:
        header: words of the result header, by name.
        outputs: int32 ``(classes,)`` by name, of those that were computed.
        masks: uint8 0/1 ``(channels,)`` by gate name, of the gates that ran.
        decisions: uint8 0/1 ``(1,)`` by the name of an exit's decision, of those that ran.
        layers: int16 in the layer's shape, by name, of the layers that ran; empty for a run without
            trace.
    """

    header: dict[str, int]
    outputs: dict[str, NDArray[np.int32]] = field(repr=False)
    masks: dict[str, NDArray[np.uint8]] = field(repr=False)
    decisions: dict[str, NDArray[np.uint8]] = field(repr=False)
    layers: dict[str, NDArray[np.int16]] = field(repr=False)


def decode_result(program: Program, result: Words, trace: bool = False) -> DecodedResult:
    """Return everything in a result buffer of ``program``, uint64 words.

    ``trace`` tells whether the run was traced; the layers are left out otherwise.

    Raises :class:`ValueError` if the buffer is shorter than the program's results.
    """
    needed = program.traced_words if trace else program.result_words
    if len(result) < needed:
        raise ValueError(f"a result buffer of {len(result)} words, {needed} needed")
    return DecodedResult(
        header=words.header(result),
        outputs={
            output.name: words.logits(result, output.address, output.classes)
            for output in program.outputs
            if words.written(result, output.address, output.words)
        },
        masks={
            gate.name: words.by_channel(
                words.mask(result, gate.mask_address, gate.channels), gate.order
            )
            for gate in program.gates
            if words.written(result, gate.mask_address, gate.mask_words)
        },
        decisions={
            exit.decision: words.mask(result, exit.decision_address, 1)
            for exit in program.exits
            if exit.decision and words.written(result, exit.decision_address, 1)
        },
        layers={
            traced.layer: _layer(traced, result)
            for traced in (program.traces if trace else ())
            if words.written(result, traced.address, traced.words)
        },
    )


def _layer(trace: Trace, result: Words) -> NDArray[np.int16]:
    stored = words.as_bytes(result[trace.address : trace.address + trace.words])
    if trace.format is None:
        pixels = stored[: int(np.prod(trace.shape))]
    else:
        pixels = trace.format.pixels(stored)
    typed = pixels.view(np.int8) if trace.signed else pixels
    values = typed.astype(np.int16).reshape(trace.shape)
    return words.by_channel(values, trace.order) if trace.order else values


def describe_difference(
    program: Program, layer: str, expected: NDArray[np.integer], found: NDArray[np.integer]
) -> str | None:
    """Return in words where a layer's result first differs from the expected one, or None.

    Names the instruction, the channel and the pixel, and for maps the block and lane.
    """
    wrong = np.argwhere(expected != found)
    if not len(wrong):
        return None
    at = tuple(int(i) for i in wrong[0])
    index = next((i for i, line in enumerate(program.lines) if line.layer == layer), -1)
    place = f"channel {at[0]}"
    trace = next((t for t in program.traces if t.layer == layer), None)
    if len(at) > 1:
        place += f", row {at[1]}, column {at[2]}"
        if trace is not None and trace.format is not None and not trace.format.split:
            segment = (at[1] << trace.format.row_log2) + at[2] // SEGMENT_PIXELS
            place += f" (block {segment // SEGMENTS} of the channel)"
    return (
        f"{layer} (instruction {index}), {place}: expected {int(expected[at])}, "
        f"found {int(found[at])}; {len(wrong)} of {expected.size} values differ"
    )
