"""Turns scheduled steps into instructions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from acsgen.compiler.constants import Constants
from acsgen.compiler.schedule import Buffer, Schedule, Step, Store
from acsgen.cost.timing import best_chunk
from acsgen.ir.integer import (
    IntConv,
    IntEltwise,
    IntFlatten,
    IntGate,
    IntGlobalAvg,
    IntInput,
    IntLayer,
    IntLinear,
    IntLogits,
    IntPool,
    IntScale,
)
from acsgen.isa.generated import (
    MASK_NONE,
    MAX_CHUNK,
    MAX_ROW_LOG2,
    PAD_VALUES,
    RECORD_WORDS,
    SHIFT_MIN,
    Instruction,
    LinearMode,
    Opcode,
)
from acsgen.program.engine_config import EngineConfig
from acsgen.program.map_format import MapFormat, row_pixels

#: Multiplier that, with SHIFT_MIN fraction bits, is one.
UNIT_MULT = 1 << SHIFT_MIN


@dataclass(frozen=True)
class Addresses:
    """Where everything lies: buffers in their memories, results in the result buffer.

    ``traces`` and ``results`` are by layer name; a layer without trace is not in ``traces``.
    """

    buffers: dict[Buffer, int]
    results: dict[str, int]
    traces: dict[str, int]


@dataclass(frozen=True)
class Lowering:
    """Makes the instruction of a step."""

    schedule: Schedule
    addresses: Addresses
    constants: Constants
    engine: EngineConfig

    def instruction(self, step: Step) -> Instruction:
        """Return the instruction that does what ``step`` says."""
        layer = step.layer
        if step.copy:
            return self._copy(step)
        if isinstance(layer, IntInput):
            return Instruction(Opcode.LOAD, **self._result(step))
        if isinstance(layer, IntConv):
            return self._conv(step, layer)
        if isinstance(layer, IntEltwise):
            return self._eltwise(step, layer)
        if isinstance(layer, IntPool):
            return self._pool(step, layer)
        if isinstance(layer, IntScale):
            return self._scale(step, layer)
        if isinstance(layer, IntGlobalAvg):
            return self._global_avg(step, layer)
        if isinstance(layer, IntFlatten):
            return self._flatten(step, layer)
        if isinstance(layer, (IntLinear, IntLogits, IntGate)):
            return self._linear(step, layer)
        raise TypeError(f"{layer.name}: {type(layer).__name__} has no instruction")

    def stored(self, buffer: Buffer) -> MapFormat:
        """Return how the map in ``buffer`` is stored."""
        layer = self.schedule.graph[buffer.name]
        return self.schedule.layouts.format(layer, buffer.store is Store.SPLIT)

    def _conv(self, step: Step, layer: IntConv) -> Instruction:
        rows = self.constants.rows[layer.name]
        order = self.constants.convolutions[layer.name]
        source = self.stored(step.reads[0])
        result = self._result(step)
        masked_zero = not np.any(layer.masked_bias)
        bank_rows = self.engine.bank_words // (rows.row_words - RECORD_WORDS)
        largest = min(MAX_CHUNK, bank_rows * self.engine.lane_groups)
        chunk = best_chunk(self.engine.lane_groups, order.channels, largest)
        return Instruction(
            Opcode.CONV,
            **{
                **self._source(step),
                **self._window(step, layer.weight.shape[-1], layer.stride, layer.pad),
                **result,
                **self._residual(layer.residual, layer.res_mult),
                **self._pad_values(layer),
                "channels": order.channels,
            },
            mask_out=self._mask(layer.mask),
            masked_zero=int(masked_zero),
            pixels=layer.shape[1] * layer.shape[2],
            src_plane=source.plane if layer.stride == 2 else 0,
            groups=order.groups,
            channels_in=order.channels_in,
            chunk=chunk,
            weight_addr=rows.address,
            row_words=rows.row_words,
            has_table=int(layer.name in self.constants.tables),
            table_addr=self.constants.tables.get(layer.name, 0),
        )

    def _copy(self, step: Step) -> Instruction:
        fields = {**self._source(step), **self._result(step), "trace_addr": 0}
        return Instruction(
            Opcode.ELTWISE, **fields, mask_out=MASK_NONE, mult=UNIT_MULT, shift=SHIFT_MIN
        )

    def _eltwise(self, step: Step, layer: IntEltwise) -> Instruction:
        return Instruction(
            Opcode.ELTWISE,
            **self._source(step),
            **self._result(step),
            **self._residual(layer.residual, layer.res_mult),
            mask_out=self._mask(layer.mask),
            mult=layer.mult,
            shift=layer.shift,
        )

    def _pool(self, step: Step, layer: IntPool) -> Instruction:
        source = self.stored(step.reads[0])
        average = layer.mode == "avg"
        return Instruction(
            Opcode.POOL,
            **self._source(step),
            **self._window(step, layer.kernel, layer.stride, layer.pad),
            **self._result(step),
            src_plane=source.plane if layer.stride == 2 else 0,
            pool_max=int(not average),
            mult=layer.mult if average else 0,
            shift=layer.shift if average else 0,
        )

    def _scale(self, step: Step, layer: IntScale) -> Instruction:
        return Instruction(
            Opcode.SCALE,
            **self._source(step),
            **self._result(step),
            vec_src=self._vector(layer.vector),
            mult=layer.mult,
            shift=layer.shift,
        )

    def _global_avg(self, step: Step, layer: IntGlobalAvg) -> Instruction:
        source = self.stored(step.reads[0])
        return Instruction(
            Opcode.GAVG,
            **self._source(step),
            dst_signed=int(layer.signed),
            src_height=source.height,
            src_width=source.width,
            row_log2=source.row_log2,
            channels=source.channels,
            vec_dst=self._vector(layer.name),
            trace_addr=self._trace(layer),
            mult=layer.mult,
            shift=layer.shift,
        )

    def _flatten(self, step: Step, layer: IntFlatten) -> Instruction:
        source = self.stored(step.reads[0])
        return Instruction(
            Opcode.FLATTEN,
            src_base=self.addresses.buffers[step.reads[0]],
            src_step=source.step,
            channels=source.channels,
            vec_dst=self._vector(layer.name),
            trace_addr=self._trace(layer),
        )

    def _linear(self, step: Step, layer: IntLinear | IntLogits | IntGate) -> Instruction:
        rows = self.constants.rows[layer.name]
        specific: dict[str, int]
        if isinstance(layer, IntGate):
            specific = {
                "linear_mode": LinearMode.GATE,
                "mask_out": self.addresses.buffers[step.writes],
                "threshold_addr": self.constants.thresholds[layer.name],
                "result_addr": self.addresses.results[layer.name],
            }
        elif isinstance(layer, IntLogits):
            specific = {
                "linear_mode": LinearMode.WIDE,
                "dst_signed": 1,
                "result_addr": self.addresses.results[layer.name],
            }
        else:
            specific = {
                "linear_mode": LinearMode.SIGMOID if layer.sigmoid else LinearMode.VECTOR,
                "dst_signed": int(layer.signed),
                "vec_dst": self._vector(layer.name),
                "trace_addr": self._trace(layer),
            }
        return Instruction(
            Opcode.LINEAR,
            src_signed=int(self.schedule.graph[layer.x].signed),
            channels=layer.shape[0],
            weight_addr=rows.address,
            row_words=rows.row_words,
            vec_src=self._vector(layer.x),
            **specific,
        )

    def _source(self, step: Step) -> dict[str, int]:
        """Return the fields of the source map, the first buffer that the step reads."""
        source = step.reads[0]
        return {
            "src_base": self.addresses.buffers[source],
            "src_step": self.stored(source).step,
            "src_signed": int(self.schedule.graph[source.name].signed),
            "mask_in": self._mask(step.source_mask),
        }

    def _window(self, step: Step, kernel: int, stride: int, pad: int) -> dict[str, int]:
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

    def _result(self, step: Step) -> dict[str, int]:
        """Return the fields of the result map; a flat step sees all its blocks as one plane."""
        stored = self.stored(step.writes)
        fields = {
            "dst_base": self.addresses.buffers[step.writes],
            "dst_step": stored.step,
            "dst_height": stored.height,
            "dst_width": stored.width,
            "dst_split": int(stored.split),
            "row_log2": self.schedule.layouts.row_log2[step.layer.name],
            "channels": stored.channels,
            "trace_addr": self._trace(step.layer),
        }
        if not isinstance(step.layer, IntInput):
            fields["dst_signed"] = int(step.layer.signed)
        if self._is_flat(step):
            fields["dst_height"] = stored.step
            fields["dst_width"] = row_pixels(MAX_ROW_LOG2)
            fields["dst_split"] = 0
            fields["row_log2"] = MAX_ROW_LOG2
        return fields

    def _is_flat(self, step: Step) -> bool:
        return step.layer.name in self.schedule.layouts.flat and not step.copy

    def _residual(self, name: str | None, mult: int) -> dict[str, int]:
        if name is None:
            return {}
        buffer = Buffer(name, Store.RASTER)
        return {
            "res_enable": 1,
            "res_signed": int(self.schedule.graph[name].signed),
            "res_base": self.addresses.buffers[buffer],
            "res_step": self.stored(buffer).step,
            "res_mult": mult,
        }

    def _pad_values(self, layer: IntConv) -> dict[str, int]:
        source = self.schedule.graph[layer.x]
        if not isinstance(source, IntInput):
            return {}
        values = source.pad_value[:PAD_VALUES]
        return {f"pad_value{c}": int(value) for c, value in enumerate(values)}

    def _mask(self, name: str | None) -> int:
        return MASK_NONE if name is None else self.addresses.buffers[Buffer(name, Store.MASK)]

    def _vector(self, name: str) -> int:
        return self.addresses.buffers[Buffer(name, Store.VECTOR)]

    def _trace(self, layer: IntLayer) -> int:
        return self.addresses.traces.get(layer.name, 0)
