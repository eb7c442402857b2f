"""The RTL simulation of an engine, compiled once and kept."""

from __future__ import annotations

import fcntl
import hashlib
import os
from pathlib import Path

from acsgen.assets import asset
from acsgen.boards import Board
from acsgen.compiler import EngineConfig
from acsgen.rtlsim import Memory, RtlEngine, build_model
from acsgen.rtlsim.compile import parameters, rtl_sources


def compiled_engine(config: EngineConfig, board: Board) -> RtlEngine:
    """Return the engine with the board's memory behind it."""
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = root / "acsgen"
    folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256(repr(parameters(config)).encode())
    for path in [*rtl_sources(), asset("sim", "rtl", "acs_rtlsim.cpp")]:
        digest.update(path.name.encode() + path.read_bytes())
    library = folder / f"rtl-{config.lane_groups}-{digest.hexdigest()[:16]}.so"
    with library.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not library.exists():
            build_model(config, library)
    return RtlEngine(library, Memory(latency=board.memory.latency_cycles))
