"""Compiles the SystemVerilog engine and its memory model into a shared library."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from acsgen.cost.lane_groups import MOST_LANE_GROUPS
from acsgen.emit.rtl_sources import PINS, parameters, rtl_sources
from acsgen.engines.base import CompileError
from acsgen.isa.generated import LANES
from acsgen.program.engine_config import EngineConfig
from acsgen.support.assets import asset
from acsgen.support.buildcache import cached_file
from acsgen.support.fsutil import refuse_full_disk
from acsgen.support.tools import find_tool

#: Assertions are on; unknown values are random, so that nothing depends on them.  The sums of all
#: lanes are one value of a word each, 1,024 in the largest engine and far beyond the 64 that
#: Verilator expands unasked: it was put together in every cycle by copying what there was for each
#: word, four fifths of the time of an engine with four lane groups.
FLAGS = (
    "--assert",
    "-O3",
    "--x-assign",
    "unique",
    "--x-initial",
    "unique",
    "--expand-limit",
    str(MOST_LANE_GROUPS * LANES),
)

#: Lets the engine tell the C++ around it of every instruction that ends.
PROFILE = "-DACS_PROFILE"

#: Failed assertions must not abort Python: sim/rtl/acs_rtlsim.cpp has its own vl_stop.  Models of
#: several engines live in one process: nothing but the C interface may be shared between them.
#: A pin that a list of pins misses is an error: those behind it would be taken for each other.
CXX_FLAGS = (
    "-fPIC -O2 -std=c++17 -DVL_USER_STOP -fvisibility=hidden -fno-gnu-unique"
    " -Werror=narrowing -Werror=missing-field-initializers"
)


def verilator() -> str:
    """Return the path of Verilator: ``$VERILATOR``, else the one on the PATH."""
    return find_tool(
        "verilator",
        variable="VERILATOR",
        purpose="RTL simulation",
        remedy="apt-get install verilator (5.006 or newer)",
    )


def simulation_sources() -> list[Path]:
    """Return the C++ around the model; the one to compile first."""
    folder = asset("sim", "rtl")
    return [folder / "acs_rtlsim.cpp", *sorted(folder.glob("*.hpp"))]


def parameter_flags(engine: EngineConfig) -> list[str]:
    """Return the parameters of an engine as flags of Verilator."""
    return [f"-G{name}={value}" for name, value in parameters(engine).items()]


def lint(engine: EngineConfig) -> str:
    """Return the output of ``verilator --lint-only -Wall`` for an engine: empty if it is clean."""
    command = [verilator(), "--lint-only", "-Wall", "--top-module", PINS, *parameter_flags(engine)]
    finished = subprocess.run(
        [*command, *map(str, rtl_sources())], capture_output=True, text=True, check=False
    )
    return finished.stderr.strip()


def verilator_version() -> str:
    """Return the output of ``verilator --version``."""
    finished = subprocess.run(
        [verilator(), "--version"], capture_output=True, text=True, check=False
    )
    return finished.stdout.strip()


def cached_model(
    engine: EngineConfig,
    *,
    waves: bool = False,
    folder: Path | None = None,
    rtl: Path | None = None,
) -> Path:
    """Return the engine's shared library, compiled on first use and kept in the build cache.

    Args:
        engine: sizes of the engine.
        waves: able to write waves; slower.
        folder: where to keep it, if not in the user's cache folder.
        rtl: folder of other SystemVerilog sources than the shipped ones.

    Raises the exceptions of :func:`build_model`.
    """
    return cached_file(
        f"rtl-{engine.lane_groups}{'-waves' if waves else ''}.so",
        [
            verilator_version(),
            " ".join((*FLAGS, PROFILE, CXX_FLAGS, *parameter_flags(engine), f"waves={waves}")),
            *rtl_sources(rtl),
            *simulation_sources(),
        ],
        lambda library: build_model(engine, library, waves=waves, rtl=rtl),
        folder,
    )


def build_model(
    engine: EngineConfig, library: Path, *, waves: bool = False, rtl: Path | None = None
) -> Path:
    """Compile the engine into the shared library ``library``.

    Raises :class:`CompileError` with the first messages, and :class:`UserError` where Verilator is
    missing.
    """
    with tempfile.TemporaryDirectory(prefix="acsgen-rtl-") as scratch:
        run_verilator(
            [
                "--exe",
                "--build",
                *FLAGS,
                PROFILE,
                *(["--trace-fst"] if waves else []),
                "-CFLAGS",
                CXX_FLAGS,
                "-LDFLAGS",
                "-shared",
                "--Mdir",
                scratch,
                "--top-module",
                PINS,
                *parameter_flags(engine),
                *map(str, rtl_sources(rtl)),
                str(simulation_sources()[0]),
                "-o",
                "model.so",
            ]
        )
        shutil.move(Path(scratch) / "model.so", library)
    return library


def run_verilator(arguments: list[str]) -> None:
    """Run ``verilator --cc`` and the compiler; raise :class:`CompileError` with their messages."""
    command = [verilator(), "--cc", "-j", str(os.cpu_count() or 1), *arguments]
    words = {**os.environ, "LC_ALL": "C"}  # the messages that refuse_full_disk knows
    finished = subprocess.run(command, capture_output=True, text=True, check=False, env=words)
    if finished.returncode != 0:
        refuse_full_disk(finished.stderr + finished.stdout, Path(tempfile.gettempdir()))
        message = "\n".join((finished.stderr + finished.stdout).splitlines()[:30])
        raise CompileError(message)
