"""What random instructions are made of: places, sources, masks, constants and weight rows.

Choices are hypothesis draws, so that a failure shrinks; the bulk of the numbers (weights, pixels,
biases) comes from a seed that is drawn too.  A :class:`~tests.fuzz.machine.Machine` executes every
instruction as it is appended, so that the next one can aim at its results: thresholds beside the
sums of a gate, maps in memory that an earlier instruction left.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from acsgen.ir.integer import INT32_MAX, INT32_MIN
from acsgen.isa.generated import (
    HEADER_WORDS,
    MASK_NONE,
    MASK_REGISTERS,
    MAX_LISTED,
    MAX_WIDTH,
    MULT_MAX,
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
from tests.isa.places import RECORD_HIGH

from .machine import Machine, Words
from .planes import Plane, plane_blocks, result_channels, result_plane
from .rows import row_heads

#: Bounds on the maps of one instruction, so that a program takes some 10,000 cycles: enough for
#: many rounds.
MAX_PIXELS = 12_000
MAX_BLOCKS = 200

#: Feature memory that a program uses, in blocks, and how it is loaded: rows of a block each.
AREA = (64, 320)
RAW_HEIGHT = 32

#: Where programs put their vectors.
VECTOR_WORDS = 512


@dataclass
class Writer:
    """A program in the making, and the draws that its instructions are made of."""

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

    def records(self, channels: int, fan: int, signed: int) -> tuple[list[Record], list[Record]]:
        """Constants of so many outputs, each a sum of ``fan`` products; some are extreme.

        The second ones are those of the outputs when they are masked.
        """
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
        # A masked record is one of its own; compilers give it the scale of the other one.
        masked_shift = shift[::-1] if self.chance(4) else shift
        return (
            [Record(int(b), int(m), int(s)) for b, m, s in zip(bias, mult, shift, strict=True)],
            [
                Record(int(b), int(m), int(s))
                for b, m, s in zip(masked, mult, masked_shift, strict=True)
            ],
        )

    def rows(
        self,
        weights: NDArray[np.int8],
        records: list[Record],
        spare: int = 0,
        masked: list[Record] | None = None,
    ) -> dict[str, int]:
        """Weight rows ``(O, bytes)``, random bytes behind each; the fields that point to them."""
        count, used = weights.shape
        words = -(-used // WORD_BYTES) + spare
        stored = self.rng.integers(-128, 128, (count, words * WORD_BYTES)).astype(np.int8)
        stored[:, :used] = weights
        rows = np.concatenate([row_heads(records, masked), stored.view(np.uint64)], axis=1)
        return {"weight_addr": self.store(rows.reshape(-1)), "row_words": rows.shape[1]}

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

    def linear_fields(self, channels: int) -> Instruction:
        """A LINEAR on some vector, its mode and target still to choose."""
        size = self.integer(1, 12) * WORD_BYTES
        vector = self.known_vector(size, exact=False)
        vector = self.first_vector if vector is None else vector
        known = self.machine.vectors_known[vector * WORD_BYTES :][:size]
        more = self.signs("src_signed")
        weights = self.random_weights(channels, size) * known
        records, _ = self.records(channels, size, more["src_signed"])
        more |= {"vec_src": vector, **self.rows(weights, records)}
        return Instruction(Opcode.LINEAR, channels=channels, **more)


def narrowest(width: int) -> int:
    """log2 of the segments that a row of ``width`` pixels takes."""
    return (-(-width // WORD_BYTES) - 1).bit_length()


def span(plane: Plane) -> tuple[int, int]:
    """First block of a map, and the first behind it."""
    return plane.base, plane.base + (plane.channels - 1) * plane.step + plane.blocks()
