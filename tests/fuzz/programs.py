"""Random programs, valid by construction: any order of instructions, any legal fields.

Choices are hypothesis draws, so that a failure shrinks; the bulk of the numbers (weights, pixels,
biases) comes from a seed that is drawn too.  A :class:`~tests.fuzz.machine.Machine` executes every
instruction as it is appended, so that the next one can aim at its results: thresholds beside the
sums of a gate, maps in memory that an earlier instruction left.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from acsgen.ir.integer import INT32_MAX, INT32_MIN
from acsgen.isa.generated import (
    HEADER_WORDS,
    LANES,
    MASK_NONE,
    MASK_REGISTERS,
    MAX_CHANNELS,
    MAX_CHUNK,
    MAX_KERNEL,
    MAX_LISTED,
    MAX_WIDTH,
    MULT_MAX,
    RECORD_WORDS,
    SEGMENTS,
    SHIFT_MAX,
    SHIFT_MIN,
    WORD_BITS,
    WORD_BYTES,
    Instruction,
    LinearMode,
    Opcode,
    Record,
)
from acsgen.program.engine_config import EngineConfig
from acsgen.program.exits import NO_LIMIT
from tests.isa.places import HIGH, RECORD_HIGH

from .machine import Machine, Plane, Words, plane_blocks, result_channels, result_plane

#: Bounds on one instruction, so that a program takes some 10,000 cycles: enough for many rounds.
MAX_MACS = 150_000
MAX_PIXELS = 12_000
MAX_BLOCKS = 200

#: Feature memory that a program uses, in blocks, and how it is loaded: rows of a block each.
AREA = (64, 320)
RAW_HEIGHT = 32

#: Where programs put their vectors.
VECTOR_WORDS = 512

#: A multiplier and shift that leave a sum as it is.
EXACT = {"mult": 1 << SHIFT_MIN, "shift": SHIFT_MIN}

OPERATIONS = (
    *("conv", "conv", "conv", "conv", "conv", "eltwise", "eltwise", "pool", "pool", "scale"),
    *("gavg", "linear", "linear", "flatten", "load", "mask", "exit"),
)


@dataclass
class Case:
    """A program, its buffers, and two images to run it on."""

    program: list[Instruction]
    params: Words = field(repr=False)
    images: list[Words] = field(repr=False)
    result_words: int

    def __repr__(self) -> str:
        lines = (f"  {index}: {listing(op)}" for index, op in enumerate(self.program))
        sizes = f"{len(self.params)} parameter words, {self.result_words} result words"
        return "\n".join(["", *lines, f"  {sizes}"])

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))  # hypothesis would print every word

    @cached_property
    def words(self) -> Words:
        """The program buffer."""
        return np.array([op.encode() for op in self.program], np.uint64).reshape(-1)


@dataclass
class Writer:
    """Appends random instructions; see the module docstring."""

    draw: st.DrawFn
    config: EngineConfig
    program: list[Instruction] = field(default_factory=list)
    params: list[int] = field(default_factory=list)
    maps: list[Plane] = field(default_factory=list)
    result_words: int = HEADER_WORDS

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.integer(0, 2**16))
        self.area = self.integer(*AREA)
        room = self.config.feature_blocks - self.area
        self.first = self.draw(st.sampled_from([0, room]) | st.integers(0, room))
        room = self.config.vector_words - VECTOR_WORDS
        self.first_vector = self.draw(st.sampled_from([0, room]))
        image = self.random_words(self.area * SEGMENTS)
        self.machine = Machine(self.config, np.zeros(0, np.uint64), image, 1 << 17, False)
        # All maps and vectors of the program's own area hold random bytes from the start.
        height = RAW_HEIGHT
        shape = {"channels": self.area // height, "dst_height": height, "dst_width": MAX_WIDTH}
        self.area = shape["channels"] * height
        self.add(
            Instruction(Opcode.LOAD, row_log2=3, dst_base=self.first, dst_step=height, **shape)
        )
        blocks = self.integer(1, 40)
        start = self.first + self.integer(0, self.area - blocks)
        source = {"channels": 1, "src_base": start, "src_step": blocks}
        self.add(Instruction(Opcode.FLATTEN, vec_dst=self.first_vector, **source))

    # Choices.

    def integer(self, low: int, high: int) -> int:
        return self.draw(st.integers(low, high))

    def chance(self, one_in: int = 2) -> bool:
        """Seldom for large ``one_in``; shrinks to False."""
        return self.integer(1, one_in) == one_in

    def random_words(self, count: int) -> Words:
        return self.rng.integers(0, 2**64, count, np.uint64)

    # Placing.

    def store(self, words: NDArray[np.uint64] | list[int]) -> int:
        """Append parameters behind a random gap; returns their address."""
        self.params.extend(int(w) for w in self.random_words(self.integer(0, 2)))
        address = len(self.params)
        self.params.extend(int(w) for w in words)
        return address

    def result(self, words: int) -> int:
        """Room in the result buffer, behind a gap that must stay as it is."""
        address = self.result_words + self.integer(0, 2)
        self.result_words = address + words
        return address

    def place(self, blocks: int, avoid: list[tuple[int, int]]) -> int | None:
        """Where ``blocks`` blocks fit that meet none of the ranges ``avoid``; or None."""
        if blocks > self.area:
            return None
        last = self.first + self.area - blocks
        candidates = [self.first, last, *self.rng.integers(self.first, last + 1, 12)]
        self.rng.shuffle(candidates)
        for base in candidates:
            if all(base + blocks <= start or end <= base for start, end in avoid):
                return int(base)
        return None

    def defined(self, plane: Plane) -> bool:
        return bool(self.machine.features_known[plane.cells()].all())

    def source(
        self, split: bool = False, shape: tuple[int, int, int] | None = None, pitch: int = 0
    ) -> Plane | None:
        """A map in memory whose pixels are defined: a result, or a region taken for a map.

        With ``shape`` it has that shape and that ``pitch``.
        """
        wanted = [
            plane
            for plane in self.maps[-6:]
            if (plane.phase is not None) == split
            and (
                shape is None
                or (plane.channels, plane.height, plane.width, plane.pitch) == (*shape, pitch)
            )
            and self.defined(plane)
        ]
        if wanted and not self.chance(4):
            return wanted[-1] if self.chance() else self.draw(st.sampled_from(wanted))
        for _ in range(12):
            plane = self.region(split, shape, pitch)
            if plane is not None and self.defined(plane):
                return plane
        return None

    def region(self, split: bool, shape: tuple[int, int, int] | None, pitch: int) -> Plane | None:
        """Some part of the area as a map."""
        if shape is None:
            height, width, pitch = self.size()
            if split:
                pitch = max(pitch - 1, 0)
                width = min(width, 2 * WORD_BYTES << pitch)
            channels = self.channels(height * width)
            shape = (channels, height, width)
        channels, height, width = shape
        phase = plane_blocks((height + 1) // 2, pitch) + self.draw(st.sampled_from([0, 0, 0, 1]))
        plane = Plane(0, 0, *shape, pitch, phase if split else None)
        blocks = plane.blocks()
        # Channels may share blocks when they are only read.
        step = self.draw(st.sampled_from([blocks, blocks, blocks, blocks + 1, 1, 0]))
        if (channels - 1) * step + blocks > self.area:
            step = 0
        base = self.place((channels - 1) * step + blocks, [])
        return None if base is None else replace(plane, base=base, step=step)

    def size(self) -> tuple[int, int, int]:
        """Height, width and pitch of a map; often rows are shorter than their pitch."""
        width = self.draw(st.sampled_from([8, 16, 32, 64]) | st.integers(1, MAX_WIDTH))
        height = self.draw(st.sampled_from([8, 16]) | st.integers(1, 24))
        pitch = narrowest(width)
        if pitch < 3 and self.chance(6):
            pitch = self.integer(pitch, 3)
        return height, width, pitch

    def channels(self, pixels: int) -> int:
        """Channels of a map with so many pixels."""
        most = max(1, min(MAX_PIXELS // pixels, 160))
        return min(most, self.draw(st.integers(1, 12) | st.integers(1, 160)))

    # Instructions.

    def add(self, op: Instruction) -> None:
        """Append an instruction and execute it."""
        self.machine.params = np.array(self.params, np.uint64)
        self.machine.step(op)
        self.program.append(op)

    def add_map(self, blocks_read: list[tuple[int, int]], op: Instruction) -> bool:
        """Append an instruction that writes a map, where it meets no map that it reads."""
        unplaced = result_plane(replace(op, dst_base=0, dst_step=0))
        blocks, count = unplaced.blocks(), result_channels(op)
        step = blocks + self.draw(st.sampled_from([0, 0, 0, 1, 3]))
        total = (count - 1) * step + blocks
        base = self.place(count * step, blocks_read)
        if base is None:
            step, base = blocks, self.place(total, blocks_read)
        if base is None or total > MAX_BLOCKS * 2:
            return False
        op = replace(op, dst_base=base, dst_step=step)
        if self.chance():
            op = replace(op, trace_addr=self.result(count * step * SEGMENTS))
        self.add(op)
        self.maps.append(result_plane(op))
        return True

    def vector(self, words: int) -> int:
        """Where a vector of so many words goes."""
        return self.first_vector + self.integer(0, VECTOR_WORDS - words)

    def known_vector(self, size: int, exact: bool) -> int | None:
        """First word of a vector in memory; with ``exact``, all of its bytes are defined."""
        words = -(-size // WORD_BYTES)
        for _ in range(6):
            start = self.vector(words) if self.chance() else self.first_vector
            known = self.machine.vectors_known[start * WORD_BYTES :][:size]
            if known.all() if exact else known.any():
                return start
        return None

    def masks(self, ins: int, outs: int) -> dict[str, int]:
        """Masks of a source and of a result."""
        if max(ins, outs) > MAX_LISTED:
            return {"mask_in": MASK_NONE, "mask_out": MASK_NONE}
        mask_in = self.mask(ins)
        return {"mask_in": mask_in, "mask_out": self.mask(outs, keep=mask_in)}

    def mask(self, channels: int, keep: int = MASK_NONE) -> int:
        """No mask, one that is there, or a new one in another register than ``keep``."""
        if channels > MAX_LISTED or self.chance():
            return MASK_NONE
        there = np.flatnonzero(self.machine.masks_known >= channels)
        if len(there) and self.chance():
            return int(there[self.integer(0, len(there) - 1)])
        return self.new_mask(channels, keep)

    def new_mask(self, channels: int, keep: int = MASK_NONE) -> int:
        """A gate: all channels open, none, one, every second, or some by thresholds of sums."""
        kind = self.draw(st.sampled_from(["gate", "random", "all", "none", "one", "alternating"]))
        wanted = np.zeros(channels, bool)
        if kind == "random":
            wanted = self.rng.random(channels) < self.rng.choice([0.1, 0.5, 0.9])
        elif kind == "all":
            wanted[:] = True
        elif kind == "one":
            wanted[self.integer(0, channels - 1)] = True
        elif kind == "alternating":
            wanted[self.integer(0, 1) :: 2] = True
        register = self.integer(0, MASK_REGISTERS - 1)
        op = replace(
            self.linear_fields(channels),
            linear_mode=LinearMode.GATE,
            mask_out=(register + 1) % MASK_REGISTERS if register == keep else register,
            result_addr=self.result(-(-channels // WORD_BITS)),
        )
        self.machine.params = np.array(self.params, np.uint64)
        sums, _ = self.machine.accumulators(op)
        thresholds = sums + self.rng.integers(-1, 2, channels)
        if kind != "gate":
            thresholds = sums - wanted * self.rng.integers(1, 1000, channels)
        ends = self.rng.random(channels) < 0.1
        thresholds[ends] = np.where(sums > thresholds, INT32_MIN, INT32_MAX)[ends]
        padded = np.zeros(-(-channels // 2) * 2, np.int32)
        padded[:channels] = np.clip(thresholds, INT32_MIN, INT32_MAX)
        address = self.store(padded.view(np.uint64))
        self.add(replace(op, threshold_addr=address))
        return op.mask_out

    def records(self, channels: int, fan: int, signed: int) -> list[Record]:
        """Constants of so many outputs, each a sum of ``fan`` products; some are extreme."""
        room = INT32_MAX - fan * 127 * (128 if signed else 255)
        spread = 127 * 100 * max(1, fan) ** 0.5
        kind = self.integer(0, 5)
        shift = self.rng.integers(SHIFT_MIN, SHIFT_MAX + 1, channels)
        mult = self.rng.integers(0, MULT_MAX + 1, channels)
        bias = self.rng.integers(-room, room, channels)
        masked = self.rng.integers(INT32_MIN, INT32_MAX, channels)
        if kind < 4:  # values that neither vanish nor saturate
            shift = self.rng.integers(20, 31, channels)
            factor = self.rng.uniform(0.5, 2, channels) * 100 / spread
            mult = np.clip(factor * 2.0**shift, 1, MULT_MAX).astype(np.int64)
            bias, masked = (
                self.rng.normal(0, spread, channels).clip(-room, room).astype(np.int64)
                for _ in range(2)
            )
        elif kind == 5:  # ends of the ranges, and shifts that act as the nearer bound
            shifts = [0, SHIFT_MIN - 1, SHIFT_MIN, SHIFT_MAX, SHIFT_MAX + 1, RECORD_HIGH["shift"]]
            shift = self.rng.choice(shifts, channels)
            mult = self.rng.choice([0, 1, 1 << 13, MULT_MAX], channels)
            bias = self.rng.choice([-room, -1, 0, 1, room], channels)
            masked = self.rng.choice([INT32_MIN, -1, 0, 1, INT32_MAX], channels)
        return [
            Record(bias=int(b), masked_bias=int(a), mult=int(m), shift=int(s))
            for b, a, m, s in zip(bias, masked, mult, shift, strict=True)
        ]

    def rows(
        self, weights: NDArray[np.int8], records: list[Record], spare: int = 0
    ) -> tuple[int, int]:
        """Weight rows ``(O, bytes)``, random bytes behind each; address and words of a row."""
        count, used = weights.shape
        words = -(-used // WORD_BYTES) + spare
        stored = self.rng.integers(-128, 128, (count, words * WORD_BYTES)).astype(np.int8)
        stored[:, :used] = weights
        heads = np.array([record.encode() for record in records], np.uint64)
        rows = np.concatenate([heads, stored.view(np.uint64)], axis=1)
        return self.store(rows.reshape(-1)), RECORD_WORDS + words

    def random_weights(self, *shape: int) -> NDArray[np.int8]:
        """Weights; some sets have only the ends of the range, some are sparse."""
        kind = self.integer(0, 4)
        if kind == 4:
            return self.rng.choice(np.array([-127, 127], np.int8), shape)
        weights = self.rng.integers(-127, 128, shape).astype(np.int8)
        return weights * (self.rng.random(shape) < 0.2) if kind == 3 else weights

    def pixelwise(self) -> dict[str, int]:
        """A multiplier and a shift for all channels."""
        shift = self.draw(st.sampled_from([SHIFT_MIN, 16, 20, SHIFT_MAX]))
        mult = self.draw(
            st.sampled_from([1, 1 << 13, 1 << 14, MULT_MAX]) | st.integers(0, MULT_MAX)
        )
        if shift > 16 and not self.chance(4):
            mult = MULT_MAX - mult % 5000
        return {"mult": mult, "shift": shift}

    def signs(self, *names: str) -> dict[str, int]:
        return {name: self.integer(0, 1) for name in names}

    # Operations.

    def step(self) -> None:
        """Append one operation, if its sources are found."""
        kind = self.draw(st.sampled_from(OPERATIONS))
        getattr(self, f"_{kind}")()

    def _load(self) -> None:
        height, width, pitch = self.size()
        words = len(self.machine.image) // height // -(-width // WORD_BYTES)
        channels = min(self.channels(height * width), max(1, words))
        shape = {"channels": channels, "dst_height": height, "dst_width": width}
        if words:
            op = Instruction(Opcode.LOAD, row_log2=pitch, **shape, **self.signs("dst_split"))
            self.add_map([], op)

    def _conv(self) -> None:
        stride = self.integer(1, 2)
        source = self.source(split=stride == 2)
        if source is None:
            return
        ins = source.channels
        window = self._window(source, stride)
        pixels = window["dst_height"] * window["dst_width"]
        taps = window["kernel"] ** 2
        groups = 1
        if self.chance(3):
            groups = self.draw(st.sampled_from([g for g in range(1, ins + 1) if ins % g == 0]))
        each = MAX_MACS // (pixels * taps * ins // groups) // groups
        room = min(each, MAX_PIXELS // pixels // groups, MAX_CHANNELS // groups)
        if room < 1:
            return
        outs = groups * min(room, self.draw(st.integers(1, 8) | st.integers(1, 150)))
        shape = (outs, window["dst_height"], window["dst_width"])
        more = self._residual(shape, source.pitch) | self.signs(
            "src_signed", "dst_signed", "dst_split"
        )
        fan = ins // groups * taps
        records = self.records(outs, fan, more["src_signed"])
        if self.chance():
            records = [replace(record, masked_bias=0) for record in records]
            more["masked_zero"] = self.integer(0, 1)
        elif self.chance(8):
            more["masked_zero"] = 1
        spare = self.draw(st.sampled_from([0, 0, 0, 1, 5]))
        chunk = self._chunk(outs // groups, -(-fan // WORD_BYTES) + spare)
        if chunk is None:
            return
        address, row_words = self.rows(self.random_weights(outs, fan), records, spare)
        more |= {"weight_addr": address, "row_words": row_words, "chunk": chunk}
        if max(ins, outs) <= MAX_LISTED and self.chance(3):
            table = np.zeros(-(-(ins + outs) // 4) * 4, np.uint16)
            table[:ins] = self.rng.permutation(ins)
            table[ins : ins + outs] = self.rng.permutation(outs)
            more |= {"has_table": 1, "table_addr": self.store(table.view(np.uint64))}
        if self.chance(3):
            more |= {f"pad_value{i}": self.integer(0, 255) for i in range(4)}
        size = {"groups": groups, "channels_in": ins // groups, "channels": outs // groups}
        masks = self.masks(ins, outs)
        counted = self.draw(st.sampled_from([pixels, pixels, 0, HIGH["pixels"]]))
        op = Instruction(Opcode.CONV, pixels=counted, **size, **masks, **window, **more)
        read = [span(source)]
        if op.res_enable:
            read.append(span(Plane(op.res_base, op.res_step, *shape, op.row_log2)))
        self.add_map(read, op)

    def _chunk(self, outputs: int, weight_words: int) -> int | None:
        """How many weight rows are held at once: as many as fit, or fewer."""
        rows = self.config.bank_words // weight_words
        most = min(MAX_CHUNK, rows * self.config.lane_groups)
        if most < 1:
            return None
        return self.draw(st.just(most) | st.integers(1, min(most, outputs + 1)))

    def _window(self, source: Plane, stride: int) -> dict[str, int]:
        """Fields of a moving window; some results are larger or smaller than windows fit."""
        kernel = self.draw(st.sampled_from([1, 1, 3, 3, 3, 2, 4, 5, 6, MAX_KERNEL]))
        pad = min(self.draw(st.just(kernel // 2) | st.integers(0, kernel - 1)), HIGH["pad"])
        height, width = (
            max(1, (size + 2 * pad - kernel) // stride + 1)
            for size in (source.height, source.width)
        )
        if self.chance(5):
            height, width = self.integer(1, 24), self.integer(1, MAX_WIDTH)
        fields = {
            "kernel": kernel,
            "stride": stride,
            "pad": pad,
            "src_base": source.base,
            "src_step": source.step,
            "src_height": source.height,
            "src_width": source.width,
            "dst_height": height,
            "dst_width": min(width, WORD_BYTES << source.pitch),
            "row_log2": source.pitch,
        }
        return fields | {"src_plane": source.phase or 0}

    def _residual(self, shape: tuple[int, int, int], pitch: int) -> dict[str, int]:
        """Fields of a map that is added, or of none."""
        if self.chance():
            return {}
        added = self.source(shape=shape, pitch=pitch)
        if added is None:
            return {}
        mult = self.draw(st.sampled_from([1 << SHIFT_MIN, 1, MULT_MAX]) | st.integers(0, MULT_MAX))
        return {
            "res_enable": 1,
            "res_base": added.base,
            "res_step": added.step,
            "res_mult": mult,
            **self.signs("res_signed"),
        }

    def _raster_fields(self, source: Plane) -> dict[str, int]:
        return {
            "channels": source.channels,
            "src_base": source.base,
            "src_step": source.step,
            "row_log2": source.pitch,
        }

    def _result_fields(self, source: Plane) -> dict[str, int]:
        return {
            "dst_height": source.height,
            "dst_width": source.width,
            **self._raster_fields(source),
            **self.signs("src_signed", "dst_signed", "dst_split"),
            **self.pixelwise(),
        }

    def _eltwise(self) -> None:
        source = self.source()
        if source is None:
            return
        shape = (source.channels, source.height, source.width)
        more = self._residual(shape, source.pitch)
        masks = self.masks(source.channels, source.channels)
        op = Instruction(Opcode.ELTWISE, **self._result_fields(source), **more, **masks)
        read = [span(source)]
        if op.res_enable:
            read.append(span(Plane(op.res_base, op.res_step, *shape, op.row_log2)))
        self.add_map(read, op)

    def _pool(self) -> None:
        stride = self.integer(1, 2)
        source = self.source(split=stride == 2)
        if source is None:
            return
        window = self._window(source, stride)
        blocks = plane_blocks(window["dst_height"], window["row_log2"]) * source.channels
        if blocks > MAX_BLOCKS:
            return
        more = self.pixelwise() | self.signs("src_signed", "dst_signed", "dst_split", "pool_max")
        masks = {"mask_in": self.mask(source.channels)}
        op = Instruction(Opcode.POOL, channels=source.channels, **window, **more, **masks)
        self.add_map([span(source)], op)

    def _scale(self) -> None:
        source = self.source()
        if source is None:
            return
        vector = self.known_vector(source.channels, exact=True)
        if vector is None:
            return
        mask = self.mask(source.channels)
        op = Instruction(Opcode.SCALE, vec_src=vector, mask_in=mask, **self._result_fields(source))
        self.add_map([span(source)], op)

    def _gavg(self) -> None:
        source = self.source()
        if source is None:
            return
        words = -(-source.channels // WORD_BYTES)
        fields = self._raster_fields(source) | self.signs("src_signed", "dst_signed")
        fields |= {"src_height": source.height, "src_width": source.width}
        fields |= {"mask_in": self.mask(source.channels), "vec_dst": self.vector(words)}
        self._add_vector(Instruction(Opcode.GAVG, **fields, **self.pixelwise()), words)

    def _flatten(self) -> None:
        channels, step = self.integer(1, 6), self.integer(1, 6)
        start = self.place(channels * step, [])
        assert start is not None
        words = channels * step * SEGMENTS
        fields = {"channels": channels, "src_base": start, "src_step": step}
        op = Instruction(Opcode.FLATTEN, vec_dst=self.vector(words), **fields)
        self._add_vector(op, words)

    def _add_vector(self, op: Instruction, words: int) -> None:
        if self.chance():
            op = replace(op, trace_addr=self.result(words))
        self.add(op)

    def _mask(self) -> None:
        self.new_mask(self.draw(st.integers(1, 70) | st.integers(1, 200)))

    def _exit(self) -> None:
        """One that is taken or not: by the last gate, or by a limit that is met, just or not."""
        done = self.machine.counters["macs_executed"]
        near = done + self.integer(-1, 1) if self.chance(8) else NO_LIMIT
        on_gate = int(self.chance(4))
        self.add(
            Instruction(
                Opcode.EXIT,
                exit_on_gate=on_gate,
                macs_limit=max(near, 0),
                cycles_limit=NO_LIMIT,
            )
        )

    def linear_fields(self, channels: int) -> Instruction:
        """A LINEAR on some vector, its mode and target still to choose."""
        size = self.integer(1, 12) * WORD_BYTES
        vector = self.known_vector(size, exact=False)
        vector = self.first_vector if vector is None else vector
        known = self.machine.vectors_known[vector * WORD_BYTES :][:size]
        more = self.signs("src_signed")
        weights = self.random_weights(channels, size) * known
        records = self.records(channels, size, more["src_signed"])
        address, row_words = self.rows(weights, records)
        more |= {"vec_src": vector, "weight_addr": address, "row_words": row_words}
        return Instruction(Opcode.LINEAR, channels=channels, **more)

    def _linear(self) -> None:
        channels = self.draw(st.integers(1, 20) | st.integers(1, 200))
        mode = self.draw(st.sampled_from([LinearMode.VECTOR, LinearMode.SIGMOID, LinearMode.WIDE]))
        op = replace(self.linear_fields(channels), linear_mode=mode, **self.signs("dst_signed"))
        if mode == LinearMode.WIDE:
            self.add(replace(op, result_addr=self.result(-(-channels // 2))))
            return
        words = -(-channels // WORD_BYTES)
        source = (op.vec_src, op.vec_src + op.row_words - RECORD_WORDS)
        target = self.vector(words)
        if target < source[1] and source[0] < target + words:
            behind = source[1] + words <= self.first_vector + VECTOR_WORDS
            target = source[1] if behind else self.first_vector
        self._add_vector(replace(op, vec_dst=target), words)

    def finish(self) -> None:
        """Everything in the memories to the result buffer, so that no stray write escapes."""
        size = VECTOR_WORDS * WORD_BYTES
        known = self.machine.vectors_known[self.first_vector * WORD_BYTES :][:size]
        weights = np.where(known, self.rng.choice(np.array([-3, 1, 2], np.int8), (2, size)), 0)
        records = [Record(bias=0, masked_bias=0, **EXACT)] * 2
        address, row_words = self.rows(weights.astype(np.int8), records)
        self.add(
            Instruction(
                Opcode.LINEAR,
                linear_mode=LinearMode.WIDE,
                channels=2,
                vec_src=self.first_vector,
                weight_addr=address,
                row_words=row_words,
                result_addr=self.result(1),
            )
        )
        # The trace of a single pixel copies the blocks up to the next channel's.
        pixel = {"channels": 1, "dst_height": 1, "dst_width": 1, "mask_in": MASK_NONE}
        one = {"kernel": 1, "stride": 1, "src_height": 1, "src_width": 1, "pool_max": 1}
        known = self.machine.features_known.reshape(-1, LANES)[:, 0]
        source = int(np.flatnonzero(known)[-1])
        where = {"src_base": source, "dst_base": self.first, "dst_step": self.area}
        trace = self.result(self.area * SEGMENTS)
        self.add(Instruction(Opcode.POOL, trace_addr=trace, **pixel, **one, **where))
        self.program.append(Instruction(Opcode.END))


def listing(op: Instruction) -> str:
    """An instruction with the fields that are not zero."""
    used = [f"{k}={int(v)}" for k, v in vars(op).items() if v and k != "opcode"]
    return " ".join([op.opcode.name, *used])


def narrowest(width: int) -> int:
    """log2 of the segments that a row of ``width`` pixels takes."""
    return (-(-width // WORD_BYTES) - 1).bit_length()


def span(plane: Plane) -> tuple[int, int]:
    """First block of a map, and the first behind it."""
    return plane.base, plane.base + (plane.channels - 1) * plane.step + plane.blocks()


@st.composite
def programs(draw: st.DrawFn, config: EngineConfig, most: int = 8) -> Case:
    """Programs of up to ``most`` operations, with two images."""
    writer = Writer(draw, config)
    for _ in range(draw(st.integers(1, most))):
        writer.step()
    writer.finish()
    if draw(st.integers(0, 3)) == 3:  # engines do not look at words behind END
        writer.program.append(Instruction(Opcode.END))
    image = writer.machine.image
    return Case(
        writer.program,
        np.array(writer.params, np.uint64),
        [image, other_image(image, writer.rng)],
        writer.result_words + draw(st.integers(0, 3)),
    )


def other_image(image: Words, rng: np.random.Generator) -> Words:
    """Another image; some of its bytes are the ends of their range."""
    pixels: NDArray[Any] = rng.integers(0, 256, len(image) * WORD_BYTES, np.uint8)
    ends = rng.random(len(pixels)) < 0.3
    pixels[ends] = rng.choice(np.array([0, 127, 128, 255], np.uint8), int(ends.sum()))
    return pixels.view(np.uint64)
