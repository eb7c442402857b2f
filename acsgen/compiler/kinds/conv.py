"""Grouped convolutions: rows of weights for the active outputs, over the active inputs."""

from __future__ import annotations

import numpy as np
from acsgen_host.words import as_bytes
from numpy.typing import NDArray

from acsgen.compiler.kinds._instructions import InstructionKind
from acsgen.compiler.kinds._maps import masks, residual, result, source, window
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
from acsgen.compiler.params import ConvRows, ParamsBuilder, conv_rows
from acsgen.compiler.steps import Step
from acsgen.cost.counters import Counters
from acsgen.cost.rounds import array_iterations, best_chunk
from acsgen.cost.walk import Walk, wanted_words
from acsgen.ir.integer import IntArray, IntConv, IntGraph, IntInput
from acsgen.ir.masks import one_mask
from acsgen.isa.generated import (
    MASK_NONE,
    MAX_CHUNK,
    MAX_LISTED,
    PAD_VALUES,
    RECORD_WORDS,
    Instruction,
    Opcode,
    Record,
)
from acsgen.program.map_format import plane_blocks
from acsgen.program.words import Words


def _limits(graph: IntGraph, layer: IntConv) -> Limits:
    yield from size_limits(graph, layer)
    height, width = layer.weight.shape[-2:]
    yield from window_limits(width, layer.stride, layer.pad)
    if height != width:
        yield f"a {height}x{width} kernel", "make it square"
    yield from _list_limits(graph, layer)
    source = graph[layer.x]
    if isinstance(source, IntInput) and layer.pad:
        beyond = source.pad_value[PAD_VALUES - 1 :]
        if np.any(beyond != beyond[:1]):
            yield (
                f"images of {len(source.pad_value)} channels that pad with different values "
                f"from channel {PAD_VALUES - 1} on",
                "normalize these channels alike, or do not pad the first convolution",
            )


def _list_limits(graph: IntGraph, layer: IntConv) -> Limits:
    """Limits of channels that are walked by a list: a table's, and in groups a mask's."""
    channels = max(layer.shape[0], graph[layer.x].shape[0])
    if channels <= MAX_LISTED:
        return
    rows = conv_rows(layer)
    what = f"{channels} channels, the engine lists {MAX_LISTED}"
    if rows.table is not None:
        yield f"groups of scattered channels among {what}", "make the groups of neighbours"
    elif rows.groups > 1 and (layer.mask or one_mask(graph.source_mask(layer.x)) is not None):
        yield f"a mask beside groups of {what}", "make the layer narrower, or leave its gate out"


def _constants(graph: IntGraph, layouts: Layouts, layer: IntConv, builder: ParamsBuilder) -> None:
    rows = conv_rows(layer)
    records = _records(layer, layer.bias, rows)
    # As the instruction's fields mask_out and masked_zero will say.
    biased = one_mask(layer.mask) is not None and not _masked_zero(layer)
    masked = _records(layer, layer.masked_bias, rows) if biased else None
    builder.convolution(layer.name, records, rows, masked)


def _records(layer: IntConv, bias: IntArray, rows: ConvRows) -> list[Record]:
    """The records of the rows, with what accumulators start from."""
    return [
        Record(bias=int(bias[o]), mult=int(layer.mult[o]), shift=int(layer.shift[o]))
        for o in rows.order.tolist()
    ]


def _masked_zero(layer: IntConv) -> bool:
    """Whether the accumulators of masked channels are zero."""
    return not np.any(layer.masked_bias)


def _lower(operands: Operands, step: Step, layer: IntConv) -> Instruction:
    constants, engine = operands.constants, operands.engine
    rows = constants.rows[layer.name]
    order = constants.convolutions[layer.name]
    bank_rows = engine.bank_words // rows.weight_words
    largest = min(MAX_CHUNK, bank_rows * engine.lane_groups)
    result = operands.result(step)
    blocks = plane_blocks(result["dst_height"], result["row_log2"])
    return Instruction(
        Opcode.CONV,
        **{
            **operands.source(step),
            **operands.window(step, layer.weight.shape[-1], layer.stride, layer.pad),
            **result,
            **operands.residual(layer.residual, layer.res_mult),
            **_pad_values(operands, layer),
            "channels": order.channels,
        },
        mask_out=operands.result_mask(layer.mask),
        masked_zero=int(_masked_zero(layer)),
        pixels=layer.shape[1] * layer.shape[2],
        src_plane=operands.phase_plane(step),
        groups=order.groups,
        channels_in=order.channels_in,
        chunk=best_chunk(engine.lane_groups, order.channels, largest, blocks),
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


def _cost(walk: Walk, op: Instruction, layer: str) -> Counters:
    ins, outs = op.groups * op.channels_in, op.groups * op.channels
    in_order, out_order = _channel_order(op, walk.params)
    inputs = walk.active(op.mask_in, ins)
    active_in = inputs[in_order].reshape(op.groups, -1).sum(axis=1)
    active_out = walk.active(op.mask_out, outs)[out_order].reshape(op.groups, -1).sum(axis=1)
    taps, iterations = op.kernel**2, 0
    # Groups that have as many active channels take as many iterations.
    alike, counts = np.unique(np.stack([active_in, active_out]), axis=1, return_counts=True)
    for (n_in, n_out), count in zip(alike.T.tolist(), counts.tolist(), strict=True):
        iterations += count * array_iterations(
            n_in,
            n_out,
            blocks=plane_blocks(op.dst_height, op.row_log2),
            taps=taps,
            chunk=op.chunk,
            lane_groups=walk.lane_groups,
        )
    table_words = -(-(ins + outs) // 4) if op.has_table else 0
    masked_words = RECORD_WORDS if op.has_masked_records else 0
    row_words = op.row_words - masked_words
    listed = op.mask_in != MASK_NONE and op.groups == 1 and not op.has_table
    if walk.skips_words and listed:
        row_words = wanted_words(inputs, taps)
    macs = taps * op.pixels
    executed = int((active_in * active_out).sum())
    done = int(active_out.sum())
    return Counters(
        array_iterations=iterations,
        macs_executed=executed * macs,
        macs_skipped=(ins * op.channels - executed) * macs,
        channels_executed=done,
        channels_skipped=outs - done,
        read_words=table_words + done * row_words + (outs - done) * masked_words,
    )


def _channel_order(op: Instruction, params: Words) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the source and the destination channels of a convolution, in its rows' order."""
    ins, outs = op.groups * op.channels_in, op.groups * op.channels
    if not op.has_table:
        return np.arange(ins), np.arange(outs)
    words = params[op.table_addr :][: -(-(ins + outs) // 4)]
    entries = as_bytes(words).view("<u2").astype(np.intp)
    return entries[:ins], entries[ins : ins + outs]


def _listing(op: Instruction) -> list[str]:
    groups = f" in {op.groups} groups" if op.groups > 1 else ""
    table = f" by table par[{op.table_addr}]" if op.has_table else ""
    return [
        f"{source(op, op.groups * op.channels_in)} -> {result(op, op.groups * op.channels)}",
        f"{window(op)}{groups}{table}",
        f"par[{op.weight_addr}] rows of {op.row_words}, chunks of {op.chunk}",
        *residual(op),
        *masks(op),
    ]


COMPILER_KINDS.add(
    IntConv.KIND,
    CompilerKind(
        limits=_limits,
        leaves_out_zeros=True,
        constants=_constants,
        vector_format=plain,
        lower=_lower,
        remark="",
        instruction=InstructionKind(Opcode.CONV, cost=_cost, listing=_listing),
    ),
)
