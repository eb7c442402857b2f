"""Grouped convolutions: rows of weights for the active outputs, over the active inputs."""

from __future__ import annotations

import numpy as np

from acsgen.compiler.kinds.base import (
    COMPILER_KINDS,
    CompilerKind,
    Limits,
    plain,
    size_limits,
    window_limits,
)
from acsgen.compiler.layout import Layouts
from acsgen.compiler.operands import Operands
from acsgen.compiler.params import ParamsBuilder, conv_rows
from acsgen.compiler.steps import Step
from acsgen.cost.timing import best_chunk
from acsgen.ir.integer import IntConv, IntGraph, IntInput
from acsgen.isa.generated import MAX_CHUNK, PAD_VALUES, RECORD_WORDS, Instruction, Opcode, Record


def _limits(graph: IntGraph, layer: IntConv) -> Limits:
    yield from size_limits(graph, layer)
    height, width = layer.weight.shape[-2:]
    yield from window_limits(width, layer.stride, layer.pad)
    if height != width:
        yield f"a {height}x{width} kernel", "make it square"
    source = graph[layer.x]
    if isinstance(source, IntInput) and layer.pad:
        beyond = source.pad_value[PAD_VALUES - 1 :]
        if np.any(beyond != beyond[:1]):
            yield (
                f"images of {len(source.pad_value)} channels that pad with different values "
                f"from channel {PAD_VALUES - 1} on",
                "normalize these channels alike, or do not pad the first convolution",
            )


def _constants(graph: IntGraph, layouts: Layouts, layer: IntConv, builder: ParamsBuilder) -> None:
    rows = conv_rows(layer)
    builder.convolution(layer.name, [_record(layer, int(o)) for o in rows.order], rows)


def _record(layer: IntConv, channel: int) -> Record:
    return Record(
        bias=int(layer.bias[channel]),
        masked_bias=int(layer.masked_bias[channel]),
        mult=int(layer.mult[channel]),
        shift=int(layer.shift[channel]),
    )


def _lower(operands: Operands, step: Step, layer: IntConv) -> Instruction:
    constants, engine = operands.constants, operands.engine
    rows = constants.rows[layer.name]
    order = constants.convolutions[layer.name]
    bank_rows = engine.bank_words // (rows.row_words - RECORD_WORDS)
    largest = min(MAX_CHUNK, bank_rows * engine.lane_groups)
    return Instruction(
        Opcode.CONV,
        **{
            **operands.source(step),
            **operands.window(step, layer.weight.shape[-1], layer.stride, layer.pad),
            **operands.result(step),
            **operands.residual(layer.residual, layer.res_mult),
            **_pad_values(operands, layer),
            "channels": order.channels,
        },
        mask_out=operands.mask(layer.mask),
        masked_zero=int(not np.any(layer.masked_bias)),
        pixels=layer.shape[1] * layer.shape[2],
        src_plane=operands.phase_plane(step),
        groups=order.groups,
        channels_in=order.channels_in,
        chunk=best_chunk(engine.lane_groups, order.channels, largest),
        weight_addr=rows.address,
        row_words=rows.row_words,
        has_table=int(layer.name in constants.tables),
        table_addr=constants.tables.get(layer.name, 0),
    )


def _pad_values(operands: Operands, layer: IntConv) -> dict[str, int]:
    source = operands.schedule.graph[layer.x]
    if not isinstance(source, IntInput):
        return {}
    values = source.pad_value[:PAD_VALUES]
    return {f"pad_value{c}": int(value) for c, value in enumerate(values)}


COMPILER_KINDS.add(
    IntConv.KIND,
    CompilerKind(
        limits=_limits,
        leaves_out_zeros=True,
        constants=_constants,
        vector_format=plain,
        lower=_lower,
        remark="",
    ),
)
