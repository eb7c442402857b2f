"""The RTL simulation of a board's engine."""

from __future__ import annotations

from acsgen.boards import Board
from acsgen.compiler import EngineConfig
from acsgen.rtlsim import Memory, RtlEngine, cached_model


def compiled_engine(config: EngineConfig, board: Board) -> RtlEngine:
    """Return the engine with the board's memory behind it."""
    return RtlEngine(cached_model(config), Memory.for_board(board))
