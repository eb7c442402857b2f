"""Random programs, valid by construction: any order of instructions, any legal fields."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from acsgen.isa.generated import (
    LANES,
    MASK_NONE,
    MAX_CHANNELS,
    MAX_CHUNK,
    MAX_KERNEL,
    MAX_LISTED,
    MAX_WIDTH,
    MULT_MAX,
    SEGMENTS,
    SHIFT_MIN,
    WORD_BYTES,
    Instruction,
    LinearMode,
    Opcode,
    Record,
)
from acsgen.program.engine_config import EngineConfig
from acsgen.program.exits import NO_LIMIT
from tests.isa.places import HIGH

from .case import Case
from .machine import Words
from .planes import Plane, plane_blocks
from .writer import MAX_BLOCKS, MAX_PIXELS, VECTOR_WORDS, Writer, span

#: Bound on the products of one instruction, for the same reason as those on its maps.
MAX_MACS = 150_000

#: A multiplier and shift that leave a sum as it is.
EXACT = {"mult": 1 << SHIFT_MIN, "shift": SHIFT_MIN}

OPERATIONS = (
    *("conv", "conv", "conv", "conv", "conv", "eltwise", "eltwise", "pool", "pool", "scale"),
    *("gavg", "linear", "linear", "flatten", "load", "mask", "exit"),
)


@dataclass
class Operations(Writer):
    """Appends whole operations, each with sources, masks and results of its own."""

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
        # Small groups share rounds and sets of banks.
        few = st.integers(1, 8) if groups == 1 else st.sampled_from([1, 1, 2, 2, 3, 4, 5])
        outs = groups * min(room, self.draw(few | st.integers(1, 150)))
        shape = (outs, window["dst_height"], window["dst_width"])
        more = self._residual(shape, source.pitch) | self.signs(
            "src_signed", "dst_signed", "dst_split"
        )
        fan = ins // groups * taps
        records, masked = self.records(outs, fan, more["src_signed"])
        more["masked_zero"] = self.integer(0, 1)
        if self.chance(4):
            masked = [replace(record, bias=0) for record in masked]
        spare = self.draw(st.sampled_from([0, 0, 0, 1, 5]))
        chunk = self._chunk(outs // groups, -(-fan // WORD_BYTES) + spare)
        if chunk is None:
            return
        more["chunk"] = chunk
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
        weights = self.random_weights(outs, fan)
        op = replace(
            op, **self.rows(weights, records, spare, masked if op.has_masked_records else None)
        )
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

    def _linear(self) -> None:
        channels = self.draw(st.integers(1, 20) | st.integers(1, 200))
        mode = self.draw(st.sampled_from([LinearMode.VECTOR, LinearMode.SIGMOID, LinearMode.WIDE]))
        op = replace(self.linear_fields(channels), linear_mode=mode, **self.signs("dst_signed"))
        if mode == LinearMode.WIDE:
            self.add(replace(op, result_addr=self.result(-(-channels // 2))))
            return
        words = -(-channels // WORD_BYTES)
        source = (op.vec_src, op.vec_src + op.row_words - op.record_words)
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
        records = [Record(**EXACT)] * 2
        self.add(
            Instruction(
                Opcode.LINEAR,
                linear_mode=LinearMode.WIDE,
                channels=2,
                vec_src=self.first_vector,
                **self.rows(weights.astype(np.int8), records),
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


@st.composite
def programs(draw: st.DrawFn, config: EngineConfig, most: int = 8) -> Case:
    """Programs of up to ``most`` operations, with two images."""
    writer = Operations(draw, config)
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
