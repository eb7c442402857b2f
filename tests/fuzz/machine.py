"""The instruction set once more, in numpy, pixel by pixel: the golden model of raw programs.

Written from the specification (``hw/spec/engine.yaml``); shares no code with the engines, and no
notion of blocks in flight, rounds or banks.  Bytes that the specification leaves open are
*undefined*: the cells of a written block that are no pixels, memory never written.  The machine
knows for every byte whether it is defined, so that engines are compared where they must agree and
nowhere else, and it refuses programs whose results would depend on an undefined byte.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from acsgen_host.words import POISON
from numpy.typing import NDArray

from acsgen.ir.integer import INT32_MAX, INT32_MIN, SIGMOID_TABLE
from acsgen.isa.generated import (
    HEADER_WORDS,
    INSTRUCTION_WORDS,
    LANES,
    MASK_NONE,
    MASK_REGISTERS,
    MAX_LISTED,
    PAD_VALUES,
    RECORD_WORDS,
    SEGMENTS,
    SHIFT_MAX,
    SHIFT_MIN,
    SPEC_HASH,
    WORD_BITS,
    WORD_BYTES,
    Instruction,
    LinearMode,
    Opcode,
    Record,
    ResultHeader,
    Status,
)
from acsgen.program.engine_config import EngineConfig

from .planes import (
    Ints,
    Plane,
    plane_blocks,
    residual_plane,
    result_plane,
    same_shape,
    source_plane,
    traced_words,
)
from .rows import Rows

Words = NDArray[np.uint64]
Bytes = NDArray[np.uint8]
Flags = NDArray[np.bool_]

#: Runs of words that engines tell apart in a weight row.
MAX_RUNS = 64
#: Unneeded words between two needed ones that are read all the same.
MAX_GAP = 2

#: Header words that only an engine with a clock has.
CLOCKED = (ResultHeader.CYCLES, ResultHeader.STALL_CYCLES)


class Undefined(Exception):
    """The program reads undefined bytes."""


@dataclass
class Expected:
    """The result that a run must leave; the specification gives only its ``defined`` bytes."""

    words: Words
    defined: Flags
    trace: bool

    def header(self) -> dict[str, int]:
        """The header by name, without the words that only a clock gives."""
        return {w.name.lower(): int(self.words[w]) for w in ResultHeader if w not in CLOCKED}


@dataclass
class Machine:
    """Memories and counters of an engine; :meth:`step` executes one valid instruction."""

    config: EngineConfig
    params: Words
    image: Words
    result_words: int
    trace: bool
    counters: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        size = self.config.feature_blocks * LANES
        self.features, self.features_known = np.zeros(size, np.uint8), np.zeros(size, bool)
        size = self.config.vector_words * WORD_BYTES
        self.vectors, self.vectors_known = np.zeros(size, np.uint8), np.zeros(size, bool)
        self.masks = np.zeros((MASK_REGISTERS, MAX_LISTED), bool)
        self.masks_known = np.zeros(MASK_REGISTERS, np.int64)
        self.decision = False  # of the last gate
        self.result = np.full(self.result_words, POISON, np.uint64)
        self.result_known = np.ones(self.result_words * WORD_BYTES, bool)

    # Whole programs.

    def run(self, program: Sequence[Instruction]) -> Expected:
        """Execute up to END or an EXIT that is taken; return the result buffer as it is then."""
        end = 0
        while not self.ends_at(program[end]):
            self.step(program[end])
            end += 1
        self.counters["instructions"] = end + 1
        self.counters["read_words"] += (end + 1) * INSTRUCTION_WORDS
        return self.finished(Status.OK, end)

    def finished(self, status: Status, index: int) -> Expected:
        """Write the header of a run that stopped at instruction ``index``."""
        header = Counter(self.counters)
        header.update(spec_hash=SPEC_HASH, status=status, fault_index=index)
        self.result[:HEADER_WORDS] = [header[word.name.lower()] for word in ResultHeader]
        for word in CLOCKED:
            self.result_known[word * WORD_BYTES :][:WORD_BYTES] = False
        return Expected(self.result, self.result_known, self.trace)

    def ends_at(self, op: Instruction) -> bool:
        """Whether the run ends at an instruction; there is no clock, and so no limit of cycles."""
        if op.opcode == Opcode.EXIT:
            decided = bool(op.exit_on_gate) and self.decision
            return decided or self.counters["macs_executed"] > op.macs_limit
        return op.opcode == Opcode.END

    def step(self, op: Instruction) -> None:
        """Execute one instruction that does not end the run."""
        if op.opcode == Opcode.EXIT:
            return
        {
            Opcode.LOAD: self._load,
            Opcode.CONV: self._conv,
            Opcode.ELTWISE: self._eltwise,
            Opcode.POOL: self._pool,
            Opcode.GAVG: self._gavg,
            Opcode.FLATTEN: self._flatten,
            Opcode.LINEAR: self._linear,
            Opcode.SCALE: self._scale,
        }[op.opcode](op)
        if op.trace_addr and self.trace:
            self._copy_to_trace(op)

    # Memories.

    def pixels(self, plane: Plane, signed: int, active: Flags | None = None) -> tuple[Ints, Flags]:
        """The values of a map ``(C, H, W)``, and which are defined.

        Channels that are not ``active`` are zero, unread.
        """
        cells = plane.cells()
        known = self.features_known[cells]
        values = typed(self.features[cells], signed)
        if active is not None:
            known[~active] = True
            values[~active] = 0
        return values, known

    def _write_map(self, op: Instruction, values: Ints, known: Flags, *read: Plane | None) -> None:
        """Write ``(C, H, W)``; the other cells of the channels' blocks become undefined.

        The result must meet none of the maps ``read``, and channels not each other.
        """
        plane = result_plane(op)
        blocks = plane.all_blocks()
        if len(blocks) < plane.channels * plane.blocks():
            raise Undefined(f"channels of {plane} meet")
        for other in read:
            if other is not None and np.isin(blocks, other.all_blocks()).any():
                raise Undefined(f"{plane} overwrites {other}")
        self.features_known.reshape(-1, LANES)[blocks] = False
        cells = plane.cells()
        self.features[cells] = values.astype(np.uint8)
        self.features_known[cells] = known

    def active(self, register: int, channels: int) -> Flags:
        """Which of the first ``channels`` channels a mask lets through."""
        if register == MASK_NONE:
            return np.ones(channels, bool)
        if self.masks_known[register] < channels:
            raise Undefined(f"mask {register}")
        return self.masks[register, :channels].copy()

    def _write_vector(self, word: int, values: Bytes, known: Flags | None = None) -> None:
        """Write bytes; the rest of the last word becomes zero."""
        size = -(-len(values) // WORD_BYTES) * WORD_BYTES
        start = word * WORD_BYTES
        self.vectors[start : start + size] = 0
        self.vectors[start : start + len(values)] = values
        self.vectors_known[start : start + size] = True
        if known is not None:
            self.vectors_known[start : start + len(values)] = known

    def _put(self, word: int, values: Bytes, known: Flags | None = None) -> None:
        """Write whole words to the result buffer."""
        start = word * WORD_BYTES
        self.result.view(np.uint8)[start : start + len(values)] = values
        self.result_known[start : start + len(values)] = True if known is None else known
        self.counters["written_words"] += len(values) // WORD_BYTES

    def _copy_to_trace(self, op: Instruction) -> None:
        if op.writes_map:
            part = slice(
                op.dst_base * LANES, (op.dst_base * SEGMENTS + traced_words(op)) * WORD_BYTES
            )
            self._put(op.trace_addr, self.features[part], self.features_known[part])
        else:
            part = slice(op.vec_dst * WORD_BYTES, (op.vec_dst + traced_words(op)) * WORD_BYTES)
            self._put(op.trace_addr, self.vectors[part], self.vectors_known[part])

    # Operations.

    def _load(self, op: Instruction) -> None:
        row_words = -(-op.dst_width // WORD_BYTES)
        words = op.channels * op.dst_height * row_words
        pixels = np.ascontiguousarray(self.image[:words]).view(np.uint8)
        shape = (op.channels, op.dst_height, row_words * WORD_BYTES)
        values = pixels.reshape(shape)[:, :, : op.dst_width].astype(np.int64)
        self._write_map(op, values, np.ones(values.shape, bool))
        self.counters["read_words"] += words

    def _conv(self, op: Instruction) -> None:
        ins, outs = op.groups * op.channels_in, op.groups * op.channels
        in_order, out_order = np.arange(ins), np.arange(outs)
        if op.has_table:
            words = -(-(ins + outs) // 4)
            table = self.params[op.table_addr : op.table_addr + words].view(np.uint16)
            in_order, out_order = table[:ins].astype(int), table[ins : ins + outs].astype(int)
            self.counters["read_words"] += words
        in_active, out_active = self.active(op.mask_in, ins), self.active(op.mask_out, outs)
        if len(set(out_order)) < outs:
            raise Undefined("two rows for one channel")
        source = source_plane(op, ins)
        values, known = self.pixels(source, op.src_signed, in_active)
        last = PAD_VALUES - 1
        pads = [getattr(op, f"pad_value{min(c, last)}") for c in range(ins)]
        pad = typed(np.array(pads, np.uint8), op.src_signed)
        pad[~in_active] = 0
        windows, unknown = moved(values, op, pad), unknown_windows(known, op)
        rows = Rows(self.params, op, outs)
        added, result_known = self._residual(op, outs)
        taps = op.kernel**2
        result = np.empty((outs, op.dst_height, op.dst_width), np.int64)
        for group in range(op.groups):
            members = in_order[group * op.channels_in :][: op.channels_in]
            used = windows[members].reshape(op.channels_in * taps, -1)
            doubtful = unknown[members].any(axis=0)
            for row in range(group * op.channels, (group + 1) * op.channels):
                channel, record = out_order[row], rows.records[row]
                if out_active[channel]:
                    # Exact: the sums are far below 2**53.
                    sums = rows.weights[row, : len(used)].astype(np.float64) @ used
                    value = int32(record.bias + sums.astype(np.int64)) * record.mult
                    value = value.reshape(result.shape[1:])
                    result_known[channel] &= ~doubtful
                else:
                    record = rows.masked_records[row] if rows.masked_records else Record()
                    value = np.full(result.shape[1:], record.bias * record.mult)
                shift = min(max(record.shift, SHIFT_MIN), SHIFT_MAX)
                value = value + (added[channel] * op.res_mult << (shift - SHIFT_MIN))
                result[channel] = requantize(value, shift, op.dst_signed)
            self._count_conv(
                op, int(in_active[members].sum()), out_active[out_order], group * op.channels
            )
        self._write_map(op, result, result_known, source, residual_plane(op))

    def _count_conv(self, op: Instruction, inputs: int, out_active: Flags, first: int) -> None:
        """Counters of one group of a convolution."""
        outputs = int(out_active[first : first + op.channels].sum())
        masked = op.channels - outputs
        taps, dense = op.kernel**2, op.channels_in * op.channels
        rounds = 0
        for start in range(0, outputs, op.chunk):
            rounds += self._rounds(
                min(op.chunk, outputs - start), plane_blocks(op.dst_height, op.row_log2)
            )
        self.counters["array_iterations"] += rounds * inputs * taps
        self.counters["macs_executed"] += inputs * outputs * taps * op.pixels
        self.counters["macs_skipped"] += (dense - inputs * outputs) * taps * op.pixels
        self.counters["channels_executed"] += outputs
        self.counters["channels_skipped"] += masked
        self.counters["read_words"] += outputs * self._words_of_row(op)
        if op.has_masked_records:
            self.counters["read_words"] += masked * RECORD_WORDS

    def _words_of_row(self, op: Instruction) -> int:
        """Words that are read of a weight row: not those whose weights all meet masked inputs.

        Up to MAX_GAP such words between others are read, and all behind the start of run MAX_RUNS.
        """
        row_words = RECORD_WORDS + op.row_words - op.record_words
        if op.mask_in == MASK_NONE or op.groups != 1 or op.has_table:
            return row_words
        weights = np.repeat(self.active(op.mask_in, op.channels_in), op.kernel**2)
        words = np.zeros(row_words, bool)
        words[:RECORD_WORDS] = True
        words[RECORD_WORDS + np.flatnonzero(weights) // WORD_BYTES] = True
        read = np.flatnonzero(words)
        for before, after in itertools.pairwise(read):
            words[before:after] |= after - before <= 1 + MAX_GAP
        starts = np.flatnonzero(words & ~np.concatenate([[False], words[:-1]]))
        if len(starts) > MAX_RUNS:
            words[starts[MAX_RUNS - 1] : np.flatnonzero(words)[-1]] = True
        return int(words.sum())

    def _rounds(self, channels: int, blocks: int) -> int:
        """Rounds for the items (block, channel), dealt block by block, two blocks in a round."""
        rounds = position = 0
        while position < channels * blocks:
            end_of_next = (position // channels + 2) * channels
            limit = min(end_of_next, channels * blocks)
            position = min(position + self.config.lane_groups, limit)
            rounds += 1
        return rounds

    def _residual(self, op: Instruction, channels: int) -> tuple[Ints, Flags]:
        plane = residual_plane(op)
        if plane is None:
            shape = (channels, op.dst_height, op.dst_width)
            return np.zeros(shape, np.int64), np.ones(shape, bool)
        return self.pixels(plane, op.res_signed)

    def _eltwise(self, op: Instruction) -> None:
        active = self.active(op.mask_in, op.channels) & self.active(op.mask_out, op.channels)
        source = same_shape(op, op.src_base, op.src_step, op.channels)
        values, known = self.pixels(source, op.src_signed, active)
        added, added_known = self._residual(op, op.channels)
        value = values * op.mult + (added * op.res_mult << (op.shift - SHIFT_MIN))
        result = requantize(value, op.shift, op.dst_signed)
        self._write_map(op, result, known & added_known, source, residual_plane(op))

    def _pool(self, op: Instruction) -> None:
        active = self.active(op.mask_in, op.channels)
        source = source_plane(op, op.channels)
        values, known = self.pixels(source, op.src_signed, active)
        lowest = -128 if op.pool_max and op.src_signed else 0
        windows = moved(values, op, np.full(op.channels, lowest))
        if op.pool_max:
            result = windows.max(axis=1).astype(np.int64)
        else:
            total = windows.sum(axis=1).astype(np.int64)
            result = requantize(total * op.mult, op.shift, op.dst_signed)
        result[~active] = 0
        self._write_map(op, result, ~unknown_windows(known, op), source)

    def _scale(self, op: Instruction) -> None:
        active = self.active(op.mask_in, op.channels)
        part = slice(op.vec_src * WORD_BYTES, op.vec_src * WORD_BYTES + op.channels)
        factors_known = self.vectors_known[part]
        factors = self.vectors[part].astype(np.int64)
        source = same_shape(op, op.src_base, op.src_step, op.channels)
        values, known = self.pixels(source, op.src_signed, active)
        values *= factors[:, None, None] * op.mult
        known &= (factors_known | ~active)[:, None, None]
        self._write_map(op, requantize(values, op.shift, op.dst_signed), known, source)

    def _gavg(self, op: Instruction) -> None:
        active = self.active(op.mask_in, op.channels)
        plane = Plane(
            op.src_base, op.src_step, op.channels, op.src_height, op.src_width, op.row_log2
        )
        values, known = self.pixels(plane, op.src_signed, active)
        result = requantize(values.sum(axis=(1, 2)) * op.mult, op.shift, op.dst_signed)
        self._write_vector(op.vec_dst, result.astype(np.uint8), known.all(axis=(1, 2)))

    def _flatten(self, op: Instruction) -> None:
        blocks = op.channels * op.src_step
        source = slice(op.src_base * LANES, (op.src_base + blocks) * LANES)
        target = slice(op.vec_dst * WORD_BYTES, op.vec_dst * WORD_BYTES + blocks * LANES)
        self.vectors[target] = self.features[source]
        self.vectors_known[target] = self.features_known[source]

    def accumulators(self, op: Instruction) -> tuple[Ints, list[Record]]:
        """Sums of a LINEAR and the records of its rows."""
        rows = Rows(self.params, op, op.channels)
        part = slice(op.vec_src * WORD_BYTES, op.vec_src * WORD_BYTES + rows.weights.shape[1])
        if rows.weights[:, ~self.vectors_known[part]].any():
            raise Undefined(f"vector at {op.vec_src}")
        sums = rows.weights @ typed(self.vectors[part], op.src_signed)
        return int32(sums + np.array([record.bias for record in rows.records])), rows.records

    def _linear(self, op: Instruction) -> None:
        acc, records = self.accumulators(op)
        words = -(-op.channels // WORD_BYTES)
        if op.writes_vector and (
            op.vec_dst < op.vec_src + op.row_words - op.record_words
            and op.vec_src < op.vec_dst + words
        ):
            raise Undefined("a vector overwrites its source")
        shift = np.clip([record.shift for record in records], SHIFT_MIN, SHIFT_MAX)
        scaled = acc * np.array([record.mult for record in records])
        self.counters["read_words"] += op.channels * op.row_words
        macs = op.channels * (op.row_words - op.record_words) * WORD_BYTES
        self.counters["macs_executed"] += macs
        if op.linear_mode == LinearMode.WIDE:
            padded = np.zeros(-(-op.channels // 2) * 2, np.int64)
            padded[: op.channels] = rounded(scaled, shift)
            self._put(op.result_addr, padded.astype(np.uint32).view(np.uint8))
        elif op.linear_mode == LinearMode.GATE:
            words = -(-op.channels // 2)
            thresholds = self.params[op.threshold_addr : op.threshold_addr + words].view(np.int32)
            self.counters["read_words"] += words
            bits = np.zeros(-(-op.channels // WORD_BITS) * WORD_BITS, bool)
            bits[: op.channels] = acc > thresholds[: op.channels]
            self.decision = bool(bits[0])
            self.masks[op.mask_out, : op.channels] = bits[: op.channels]
            self.masks_known[op.mask_out] = op.channels
            self._put(op.result_addr, np.packbits(bits, bitorder="little"))
        elif op.linear_mode == LinearMode.SIGMOID:
            argument = requantize(scaled, shift, 1)
            self._write_vector(op.vec_dst, SIGMOID_TABLE[argument + 128])
        else:
            self._write_vector(
                op.vec_dst, requantize(scaled, shift, op.dst_signed).astype(np.uint8)
            )


# Windows.


def moved(values: Ints, op: Instruction, pad: Ints) -> NDArray[np.float64]:
    """Windows of a map: ``(C, H, W)`` to ``(C, taps, pixels of the result)`` and its shape.

    Outside the map lies ``pad`` ``(C,)``, however far the result reaches.
    """
    _, height, width = values.shape
    y, ky, x, kx = np.ix_(
        range(op.dst_height), range(op.kernel), range(op.dst_width), range(op.kernel)
    )
    row, column = y * op.stride + ky - op.pad, x * op.stride + kx - op.pad
    inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
    rows, columns = np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)
    windows = np.where(inside, values[:, rows, columns], pad[:, None, None, None, None])
    ordered = windows.transpose(0, 2, 4, 1, 3).astype(np.float64)
    return ordered.reshape(len(values), op.kernel**2, op.dst_height, op.dst_width)


def unknown_windows(known: Flags, op: Instruction) -> Flags:
    """Where a window holds an undefined pixel, ``(C, rows, columns)`` of the result."""
    if known.all():
        return np.zeros((len(known), op.dst_height, op.dst_width), bool)
    missing = moved((~known).astype(np.int64), op, np.zeros(len(known), np.int64))
    return np.asarray(missing.any(axis=1))


# Arithmetic.


def typed(stored: Bytes, signed: int) -> Ints:
    """Stored bytes as the numbers they mean."""
    return (stored.view(np.int8) if signed else stored).astype(np.int64)


def int32(sums: Ints) -> Ints:
    """Sums, which the contract keeps within 32 bits."""
    if len(sums) and (sums.max() > INT32_MAX or sums.min() < INT32_MIN):
        raise Undefined("a sum overflows")
    return sums


def rounded(value: Ints, shift: Ints | int) -> Ints:
    """``value / 2**shift``, half away from zero."""
    shift = np.asarray(shift, np.int64)
    magnitude = (np.abs(value) + (np.int64(1) << (shift - 1))) >> shift
    return np.where(value < 0, -magnitude, magnitude)


def requantize(value: Ints, shift: Ints | int, signed: int) -> Ints:
    """Rounded and saturated to 8 bits."""
    return np.clip(rounded(value, shift), *((-128, 127) if signed else (0, 255)))
