"""Predicts what a program does under given masks: the engine's counters exactly, cycles modelled.

The engine's loops are walked instruction by instruction with numbers of active channels in place of
pixels.  Counters must equal those of the result header; cycles follow :mod:`acsgen.cost.timing`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

import numpy as np
from acsgen_host.words import as_bytes
from numpy.typing import ArrayLike, NDArray

from acsgen.cost import timing
from acsgen.cost.timing import ConvShape, Pace
from acsgen.isa.generated import (
    HEADER_WORDS,
    INSTRUCTION_WORDS,
    MASK_NONE,
    RECORD_WORDS,
    SEGMENTS,
    WORD_BITS,
    WORD_BYTES,
    Instruction,
    LinearMode,
    Opcode,
)
from acsgen.program.map_format import MapFormat, phase_row_log2, plane_blocks
from acsgen.program.program import Line, Program
from acsgen.program.words import Words

#: Runs of words that the RTL engine tells apart in a weight row (``acs_weight_runs``).
MAX_RUNS = 64

Masks = Mapping[str, ArrayLike]
_Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Counters:
    """The counters of the result header, by the same names.

    A fully connected layer counts the bytes of its weight rows as multiply-accumulates, padding to
    whole words included: the engine cannot tell which of them are padding.
    """

    array_iterations: int = 0
    macs_executed: int = 0
    macs_skipped: int = 0
    channels_executed: int = 0
    channels_skipped: int = 0
    read_words: int = 0
    written_words: int = 0

    def __add__(self, other: Counters) -> Counters:
        return Counters(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


@dataclass(frozen=True)
class InstructionCost:
    """Cost of one instruction."""

    layer: str
    opcode: Opcode
    cycles: int
    counters: Counters


@dataclass(frozen=True)
class CycleReport:
    """Cost of one image."""

    instructions: tuple[InstructionCost, ...] = field(repr=False)

    @property
    def cycles(self) -> int:
        """Predicted clock cycles from start to end."""
        return sum(i.cycles for i in self.instructions)

    @property
    def counters(self) -> Counters:
        """Counters of the whole run."""
        total = Counters()
        for i in self.instructions:
            total += i.counters
        return total

    @property
    def bytes_read(self) -> int:
        """Bytes read from memory."""
        return self.counters.read_words * WORD_BYTES

    @property
    def bytes_written(self) -> int:
        """Bytes written to memory, the result header included."""
        return (self.counters.written_words + HEADER_WORDS) * WORD_BYTES

    @property
    def layer_cycles(self) -> dict[str, int]:
        """Predicted cycles by layer; what belongs to no layer is under the empty name."""
        found: dict[str, int] = {}
        for i in self.instructions:
            found[i.layer] = found.get(i.layer, 0) + i.cycles
        return found


def predict(
    program: Program,
    masks: Masks | None = None,
    trace: bool = False,
    *,
    skips_words: bool = False,
) -> CycleReport:
    """Predict one run of ``program``.

    ``masks`` are 0/1 per channel by gate name; gates not named leave all channels active.  With
    ``trace`` the copying of every layer's result counts too.  With ``skips_words`` the words read
    are those of the RTL engine, which leaves out weights that only masked inputs would meet
    (:func:`wanted_words`); cycles stay those of the HLS engine.
    """
    walker = _Walker(program, dict(masks or {}), trace, skips_words)
    return CycleReport(tuple(walker.cost(line) for line in program.lines))


class _Walker:
    """Walks the instructions in order and keeps the mask registers."""

    def __init__(
        self, program: Program, masks: dict[str, ArrayLike], trace: bool, skips_words: bool
    ) -> None:
        self._skips_words = skips_words
        self._params = program.params
        self._masks = masks
        self._pace = Pace.of(program.engine)
        self._trace = trace
        self._trace_words = {t.layer: t.words for t in program.traces}
        self._registers: dict[int, _Flags] = {}

    def cost(self, line: Line) -> InstructionCost:
        op = line.instruction
        if op.opcode is Opcode.CONV:
            counters, cycles = self._conv(op)
        elif op.opcode is Opcode.LINEAR:
            counters, cycles = self._linear(op, line.layer)
        elif op.opcode is Opcode.LOAD:
            words = op.channels * op.dst_height * -(-op.dst_width // WORD_BYTES)
            counters = Counters(read_words=words)
            row = self._pace.burst(0) + 2 * -(-op.dst_width // WORD_BYTES)
            cycles = op.channels * op.dst_height * row
        else:
            counters, cycles = Counters(), self._on_chip(op)
        if self._trace and op.trace_addr:
            words = self._trace_words[line.layer]
            counters += Counters(written_words=words)
            cycles += self._pace.burst(words)
        counters += Counters(read_words=INSTRUCTION_WORDS)
        cycles += self._pace.burst(INSTRUCTION_WORDS) + timing.DECODE_CYCLES
        return InstructionCost(line.layer, op.opcode, cycles, counters)

    def _active(self, mask: int, channels: int) -> _Flags:
        if mask == MASK_NONE:
            return np.ones(channels, bool)
        return self._registers[mask]

    def _conv(self, op: Instruction) -> tuple[Counters, int]:
        ins, outs = op.groups * op.channels_in, op.groups * op.channels
        in_order, out_order = _channel_order(op, self._params)
        inputs = self._active(op.mask_in, ins)
        active_in = inputs[in_order].reshape(op.groups, -1).sum(axis=1)
        active_out = self._active(op.mask_out, outs)[out_order].reshape(op.groups, -1).sum(axis=1)
        shape = ConvShape(
            blocks=plane_blocks(op.dst_height, op.row_log2),
            taps=op.kernel**2,
            row_words=op.row_words,
            chunk=op.chunk,
            split=bool(op.dst_split),
            masked_zero=bool(op.masked_zero),
            cleared=_cleared_blocks(op),
        )
        iterations = 0
        cycles = ins + outs
        # Groups that have as many active channels cost the same.
        kinds, counts = np.unique(np.stack([active_in, active_out]), axis=1, return_counts=True)
        for (n_in, n_out), count in zip(kinds.T.tolist(), counts.tolist(), strict=True):
            iterations += count * timing.array_iterations(shape, self._pace, n_in, n_out)
            cycles += count * (
                op.channels_in
                + op.channels
                + timing.group_cycles(shape, self._pace, n_in, n_out, op.channels - n_out)
            )
        table_words = -(-(ins + outs) // 4) if op.has_table else 0
        if op.has_table:
            cycles += 2 * self._pace.burst(0)
        executed = int((active_in * active_out).sum())
        done = int(active_out.sum())
        record_words = 0 if op.masked_zero else RECORD_WORDS
        row_words = op.row_words
        listed = op.mask_in != MASK_NONE and op.groups == 1 and not op.has_table
        if self._skips_words and listed:
            row_words = wanted_words(inputs, shape.taps)
        macs = shape.taps * op.pixels
        counters = Counters(
            array_iterations=iterations,
            macs_executed=executed * macs,
            macs_skipped=(ins * op.channels - executed) * macs,
            channels_executed=done,
            channels_skipped=outs - done,
            read_words=table_words + done * row_words + (outs - done) * record_words,
        )
        return counters, cycles

    def _linear(self, op: Instruction, layer: str) -> tuple[Counters, int]:
        read = op.channels * op.row_words
        cycles = self._pace.burst(op.channels * op.row_words) + op.row_words + timing.REDUCE_DEPTH
        written = 0
        if op.linear_mode == LinearMode.GATE:
            flags = np.asarray(self._masks.get(layer, np.ones(op.channels)))
            if flags.shape != (op.channels,):
                raise ValueError(f"{layer} has {op.channels} mask bits, not {flags.shape}")
            self._registers[op.mask_out] = flags != 0
            read += -(-op.channels // 2)
            cycles += self._pace.burst(op.channels)
            written = -(-op.channels // WORD_BITS)
        elif op.linear_mode == LinearMode.WIDE:
            written = -(-op.channels // 2)
        macs = op.channels * (op.row_words - RECORD_WORDS) * WORD_BYTES
        return Counters(macs_executed=macs, read_words=read, written_words=written), cycles

    def _on_chip(self, op: Instruction) -> int:
        """Return the cycles of an instruction that touches no memory but the engine's own."""
        blocks = plane_blocks(op.dst_height, op.row_log2)
        finish = self._pace.finish_block(bool(op.dst_split))
        if op.opcode is Opcode.END:
            return self._pace.burst(HEADER_WORDS)
        if op.pixelwise:
            return op.channels * blocks * finish
        if op.opcode is Opcode.POOL:
            active = int(self._active(op.mask_in, op.channels).sum())
            window = op.kernel**2 + timing.REDUCE_DEPTH
            return blocks * (op.channels * finish + active * window)
        if op.opcode is Opcode.GAVG:
            active = int(self._active(op.mask_in, op.channels).sum())
            rows = plane_blocks(op.src_height, op.row_log2)
            return active * rows + op.channels * (timing.REDUCE_DEPTH + timing.POST_DEPTH)
        if op.opcode is Opcode.FLATTEN:
            return op.channels * op.src_step * (SEGMENTS + timing.COPY_DEPTH)
        raise NotImplementedError(f"no cycles are known of {op.opcode.name}")


def wanted_words(inputs: _Flags, taps: int) -> int:
    """Return the words of a weight row that the RTL engine reads under a mask of the inputs.

    They are the record and every word with a weight of an active input; a single unwanted word
    between two wanted ones is read too, and everything behind the last of :data:`MAX_RUNS` runs.
    """
    runs = [(0, RECORD_WORDS - 1)]
    for index in np.flatnonzero(inputs).tolist():
        first = RECORD_WORDS + index * taps // WORD_BYTES
        last = RECORD_WORDS + ((index + 1) * taps - 1) // WORD_BYTES
        if first <= runs[-1][1] + 2 or len(runs) == MAX_RUNS:
            runs[-1] = (runs[-1][0], last)
        else:
            runs.append((first, last))
    return sum(last - first + 1 for first, last in runs)


def _cleared_blocks(op: Instruction) -> int:
    """Return the blocks that are cleared for a masked channel of exact zeros, else 0."""
    if not op.masked_zero or op.res_enable:
        return 0
    stored = MapFormat(
        1,
        op.dst_height,
        op.dst_width,
        phase_row_log2(op.row_log2) if op.dst_split else op.row_log2,
        bool(op.dst_split),
    )
    return stored.blocks


def _channel_order(op: Instruction, params: Words) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the source and the destination channels of a convolution, in its rows' order."""
    ins, outs = op.groups * op.channels_in, op.groups * op.channels
    if not op.has_table:
        return np.arange(ins), np.arange(outs)
    words = params[op.table_addr :][: -(-(ins + outs) // 4)]
    entries = as_bytes(words).view("<u2").astype(np.intp)
    return entries[:ins], entries[ins : ins + outs]
