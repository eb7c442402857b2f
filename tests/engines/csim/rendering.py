"""Renders engines for the tests in this folder."""

from pathlib import Path

from acsgen.emit.hls import render_hls
from acsgen.isa.generated import RECORD_WORDS, Instruction, LinearMode, Opcode
from acsgen.program.board import load_board
from acsgen.program.engine_config import EngineConfig

#: Trip counts are taken from a program; this one has every kind of loop.
EXAMPLE = (
    Instruction(Opcode.LOAD, channels=3, dst_height=32, dst_width=32, row_log2=2, dst_step=16),
    Instruction(
        Opcode.CONV,
        kernel=3,
        stride=1,
        pad=1,
        groups=1,
        channels_in=3,
        channels=16,
        chunk=16,
        row_log2=2,
        src_height=32,
        src_width=32,
        dst_height=32,
        dst_width=32,
        src_step=16,
        dst_base=48,
        dst_step=16,
        row_words=RECORD_WORDS + 4,
    ),
    Instruction(
        Opcode.LINEAR, channels=10, row_words=RECORD_WORDS + 2, linear_mode=LinearMode.WIDE
    ),
    Instruction(Opcode.END),
)


def render_engine(target: Path, engine: EngineConfig, board: str = "zedboard") -> Path:
    """Render the sources of ``engine`` into ``target``, and return it."""
    render_hls(
        target,
        model="test",
        board=load_board(board),
        engine=engine,
        instructions=EXAMPLE,
        params_words=1000,
        image_words=384,
        result_words=32,
        traced_words=3000,
    )
    return target
