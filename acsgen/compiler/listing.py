"""Prints a program as text, an instruction a line, for people."""

from __future__ import annotations

from acsgen.isa.generated import MASK_NONE, Instruction, LinearMode, Opcode
from acsgen.program.program import Line, Program

_SEPARATOR = "  "


def listing(program: Program) -> str:
    """Return the program as text: number, opcode, layer, and what the instruction does.

    Maps are written ``fm[base+channels*step]`` in blocks, vectors ``vec[word]``, parameters
    ``par[word]``, masks ``m0``.
    """
    width = max(len(line.layer) for line in program.lines)
    heads = [
        f"; {program.model}: {len(program.lines)} instructions, "
        f"{len(program.params)} parameter words, specification {program.spec_hash:#010x}",
        f"; feature memory {program.memory.feature_blocks} of {program.engine.feature_blocks} "
        f"blocks, vector memory {program.memory.vector_words} of {program.engine.vector_words} "
        f"words, {program.memory.mask_registers} mask registers",
    ]
    body = [_line(index, line, width) for index, line in enumerate(program.lines)]
    return "\n".join([*heads, *body]) + "\n"


def _line(index: int, line: Line, width: int) -> str:
    parts = [f"{index:4d}", f"{line.instruction.opcode.name:<8}", f"{line.layer:<{width}}"]
    parts += _operands(line.instruction)
    if line.remark:
        parts.append(f"; {line.remark}")
    return _SEPARATOR.join(parts).rstrip()


def _operands(op: Instruction) -> list[str]:
    if op.opcode is Opcode.END:
        return []
    if op.opcode is Opcode.LOAD:
        return [f"image -> {_result(op, op.channels)}"]
    if op.opcode is Opcode.CONV:
        return _conv(op)
    if op.opcode is Opcode.LINEAR:
        return _linear(op)
    if op.opcode is Opcode.FLATTEN:
        return [f"{_source(op, op.channels)} -> vec[{op.vec_dst}]"]
    if op.opcode is Opcode.GAVG:
        return [f"{_source(op, op.channels)} -> vec[{op.vec_dst}]", *_masks(op), _scale(op)]
    if op.opcode not in (Opcode.ELTWISE, Opcode.POOL, Opcode.SCALE):
        raise NotImplementedError(f"no listing is known of {op.opcode.name}")
    parts = [f"{_source(op, op.channels)} -> {_result(op, op.channels)}"]
    if op.opcode is Opcode.POOL:
        kind = "max" if op.pool_max else "average"
        parts.append(f"{kind} {_window(op)}")
    if op.opcode is Opcode.SCALE:
        parts.append(f"by vec[{op.vec_src}]")
    parts += [*_residual(op), *_masks(op)]
    if not op.pool_max:
        parts.append(_scale(op))
    return parts


def _conv(op: Instruction) -> list[str]:
    groups = f" in {op.groups} groups" if op.groups > 1 else ""
    table = f" by table par[{op.table_addr}]" if op.has_table else ""
    return [
        f"{_source(op, op.groups * op.channels_in)} -> {_result(op, op.groups * op.channels)}",
        f"{_window(op)}{groups}{table}",
        f"par[{op.weight_addr}] rows of {op.row_words}, chunks of {op.chunk}",
        *_residual(op),
        *_masks(op),
    ]


def _linear(op: Instruction) -> list[str]:
    mode = LinearMode(op.linear_mode)
    targets = {
        LinearMode.VECTOR: f"vec[{op.vec_dst}]",
        LinearMode.SIGMOID: f"sigmoid vec[{op.vec_dst}]",
        LinearMode.WIDE: f"result[{op.result_addr}]",
        LinearMode.GATE: f"m{op.mask_out} > par[{op.threshold_addr}], result[{op.result_addr}]",
    }
    words = op.row_words
    return [
        f"vec[{op.vec_src}] -> {targets[mode]}",
        f"{op.channels} outputs",
        f"par[{op.weight_addr}] rows of {words}",
    ]


def _source(op: Instruction, channels: int) -> str:
    sign = "s8" if op.src_signed else "u8"
    return f"{sign} fm[{op.src_base}+{channels}*{op.src_step}]"


def _result(op: Instruction, channels: int) -> str:
    sign = "s8" if op.dst_signed else "u8"
    split = " split" if op.dst_split else ""
    size = f"{op.dst_height}x{op.dst_width}"
    return f"{sign} fm[{op.dst_base}+{channels}*{op.dst_step}] {size}{split}"


def _window(op: Instruction) -> str:
    return f"{op.kernel}x{op.kernel}/{op.stride} pad {op.pad}"


def _residual(op: Instruction) -> list[str]:
    if not op.res_enable:
        return []
    sign = "s8" if op.res_signed else "u8"
    return [f"+ {sign} fm[{op.res_base}+*{op.res_step}] * {op.res_mult}"]


def _masks(op: Instruction) -> list[str]:
    """Return the masks in use."""
    parts = []
    if op.reads_pixels and op.mask_in != MASK_NONE:
        parts.append(f"in m{op.mask_in}")
    if op.masks_result and op.mask_out != MASK_NONE:
        parts.append(f"out m{op.mask_out}")
    return parts


def _scale(op: Instruction) -> str:
    return f"* {op.mult} >> {op.shift}"
