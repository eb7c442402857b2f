"""Cost and listing of instructions that requantize a map."""

from __future__ import annotations

from acsgen.cost.counters import Counters
from acsgen.cost.walk import Walk
from acsgen.isa.generated import MASK_NONE, Instruction


def every_block(walk: Walk, op: Instruction, layer: str) -> Counters:
    """The counters of an instruction that requantizes every block of its result: none of them."""
    return Counters()


def from_to(op: Instruction) -> str:
    """Source and result, which have as many channels."""
    return f"{source(op, op.channels)} -> {result(op, op.channels)}"


def source(op: Instruction, channels: int) -> str:
    """The source map: sign and place."""
    sign = "s8" if op.src_signed else "u8"
    return f"{sign} fm[{op.src_base}+{channels}*{op.src_step}]"


def result(op: Instruction, channels: int) -> str:
    """The result map: sign, place and size."""
    sign = "s8" if op.dst_signed else "u8"
    split = " split" if op.dst_split else ""
    size = f"{op.dst_height}x{op.dst_width}"
    return f"{sign} fm[{op.dst_base}+{channels}*{op.dst_step}] {size}{split}"


def window(op: Instruction) -> str:
    """The window that moves over the source."""
    return f"{op.kernel}x{op.kernel}/{op.stride} pad {op.pad}"


def residual(op: Instruction) -> list[str]:
    """The residual, if there is one."""
    if not op.res_enable:
        return []
    sign = "s8" if op.res_signed else "u8"
    return [f"+ {sign} fm[{op.res_base}+*{op.res_step}] * {op.res_mult}"]


def masks(op: Instruction) -> list[str]:
    """The masks in use."""
    parts = []
    if op.reads_pixels and op.mask_in != MASK_NONE:
        parts.append(f"in m{op.mask_in}")
    if op.masks_result and op.mask_out != MASK_NONE:
        parts.append(f"out m{op.mask_out}")
    return parts


def requantization(op: Instruction) -> str:
    """Multiplier and shift of an instruction that has one pair for all channels."""
    return f"* {op.mult} >> {op.shift}"
