"""Fields of instructions that say where things lie and how they are stored."""

from __future__ import annotations

from dataclasses import dataclass

from acsgen.compiler.params import Constants
from acsgen.compiler.steps import Buffer, Schedule, Step, Store
from acsgen.ir.integer import IntLayer
from acsgen.ir.masks import ChannelMask, one_mask
from acsgen.isa.generated import MASK_NONE, MAX_ROW_LOG2
from acsgen.program.engine_config import EngineConfig
from acsgen.program.map_format import MapFormat, row_pixels


@dataclass(frozen=True)
class Addresses:
    """Where everything lies: buffers in their memories, results in the result buffer.

    ``traces`` and ``results`` are by layer name; a layer without trace is not in ``traces``.
    """

    buffers: dict[Buffer, int]
    results: dict[str, int]
    traces: dict[str, int]


@dataclass(frozen=True)
class Operands:
    """The material from which the kinds of layers make their instructions."""

    schedule: Schedule
    addresses: Addresses
    constants: Constants
    engine: EngineConfig

    def stored(self, buffer: Buffer) -> MapFormat:
        """Return how the map in ``buffer`` is stored."""
        layer = self.schedule.graph[buffer.name]
        return self.schedule.layouts.format(layer, buffer.store is Store.SPLIT)

    def source(self, step: Step) -> dict[str, int]:
        """Return the fields of the source map, the first buffer that the step reads."""
        source = step.reads[0]
        return {
            "src_base": self.base(source),
            "src_step": self.stored(source).step,
            "src_signed": self.sign(source.name),
            "mask_in": self.mask(step.source_mask),
        }

    def window(self, step: Step, kernel: int, stride: int, pad: int) -> dict[str, int]:
        """Return the fields of a window that moves over the source."""
        source = self.stored(step.reads[0])
        flat = self._is_flat(step)
        return {
            "kernel": kernel,
            "stride": stride,
            "pad": pad,
            "src_height": source.step if flat else source.height,
            "src_width": row_pixels(MAX_ROW_LOG2) if flat else source.width,
        }

    def phase_plane(self, step: Step) -> int:
        """Return the blocks of a phase plane where the source is read in split layout, else 0."""
        return self.stored(step.reads[0]).plane if step.layer.halves else 0

    def result(self, step: Step) -> dict[str, int]:
        """Return the fields of the result map; a flat step sees all its blocks as one plane."""
        stored = self.stored(step.writes)
        fields = {
            "dst_base": self.base(step.writes),
            "dst_step": stored.step,
            "dst_height": stored.height,
            "dst_width": stored.width,
            "dst_split": int(stored.split),
            "row_log2": self.schedule.layouts.row_log2[step.layer.name],
            "channels": stored.channels,
            "trace_addr": self.trace(step.layer),
        }
        if step.layer is not self.schedule.graph.input:
            fields["dst_signed"] = self.sign(step.layer.name)
        if self._is_flat(step):
            fields["dst_height"] = stored.step
            fields["dst_width"] = row_pixels(MAX_ROW_LOG2)
            fields["dst_split"] = 0
            fields["row_log2"] = MAX_ROW_LOG2
        return fields

    def _is_flat(self, step: Step) -> bool:
        return step.layer.name in self.schedule.layouts.flat and not step.copy

    def residual(self, name: str | None, mult: int) -> dict[str, int]:
        """Return the fields of a residual; none without one."""
        if name is None:
            return {}
        buffer = Buffer(name, Store.RASTER)
        return {
            "res_enable": 1,
            "res_signed": self.sign(name),
            "res_base": self.base(buffer),
            "res_step": self.stored(buffer).step,
            "res_mult": mult,
        }

    def base(self, buffer: Buffer) -> int:
        """Return the first block of a map, or the first word of a vector."""
        place, first = self.schedule.place(buffer)
        if first and buffer.store is not Store.VECTOR:
            first *= self.stored(place).step
        return self.addresses.buffers[place] + first

    def sign(self, name: str) -> int:
        """Return whether a result is signed, which is one bit of an instruction.

        The signs of its channels are equal: other results are refused before.
        """
        signed = self.schedule.graph[name].format.one_sign
        assert signed is not None
        return int(signed)

    def result_mask(self, mask: ChannelMask) -> int:
        """Return the register of the mask of a map, or the number that means none.

        The mask is that of one gate: pieces of masks are refused before.
        """
        return self.mask(one_mask(mask))

    def mask(self, name: str | None) -> int:
        """Return the register of a mask, or the number that means none."""
        return MASK_NONE if name is None else self.addresses.buffers[Buffer(name, Store.MASK)]

    def vector(self, name: str) -> int:
        """Return the address of a vector."""
        return self.base(Buffer(name, Store.VECTOR))

    def trace(self, layer: IntLayer) -> int:
        """Return the place of a layer's trace in the result buffer, or 0 without one."""
        return self.addresses.traces.get(layer.name, 0)
