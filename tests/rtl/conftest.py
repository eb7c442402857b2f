"""RTL engines for the tests, each compiled once; skipped, and said so, without Verilator."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from acsgen.assets import asset
from acsgen.compiler import EngineConfig
from acsgen.csim import CSimEngine
from acsgen.rtlsim import RtlEngine, build_model
from acsgen.rtlsim.compile import parameters, rtl_sources
from tests.differential.engines import CONFIGURATIONS, compiled_engine


@dataclass(frozen=True)
class Twins:
    """The same engine in C++ and in SystemVerilog."""

    config: EngineConfig
    csim: CSimEngine
    rtl: RtlEngine


def model(config: EngineConfig, folder: Path) -> Path:
    """The compiled model, from ``folder`` if these very sources were compiled before."""
    digest = hashlib.sha256(repr(parameters(config)).encode())
    for path in [*rtl_sources(), asset("sim", "rtl", "acs_rtlsim.cpp")]:
        digest.update(path.name.encode() + path.read_bytes())
    library = folder / f"rtl-{config.lane_groups}-{digest.hexdigest()[:16]}.so"
    with library.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not library.exists():
            build_model(config, library)
    return library


@pytest.fixture(scope="session")
def twins(request: pytest.FixtureRequest) -> Callable[[int], Twins]:
    """Gives both engines with so many lane groups."""
    if shutil.which("verilator") is None:
        pytest.skip("verilator is not installed")
    folder = request.config.cache.mkdir("acsgen-engines")

    @cache
    def made(lane_groups: int) -> Twins:
        config = CONFIGURATIONS[lane_groups]
        csim = compiled_engine(config, folder).csim
        return Twins(config, csim, RtlEngine(model(config, folder), max_cycles=5_000_000))

    return made
