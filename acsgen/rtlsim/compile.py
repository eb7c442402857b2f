"""Compiles the SystemVerilog engine and its memory model into a shared library."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from acsgen.assets import asset
from acsgen.compiler.engine import EngineConfig
from acsgen.errors import Problem, UserError

TOP = "acs_engine"

#: Packages first: Verilator reads files in order.
PACKAGES = ("acs_isa_pkg.sv", "acs_pkg.sv")

#: Widest requantization that the RTL offers; results do not depend on it.
MAX_POST_LANES = 16


class ModelError(Exception):
    """Verilator or g++ refused the engine: a bug of acsgen, never of the user's network."""


def verilator() -> str:
    """Return the path of Verilator: ``$VERILATOR``, else the one on the PATH."""
    wanted = os.environ.get("VERILATOR", "verilator")
    found = shutil.which(wanted)
    if found is None:
        raise UserError(
            Problem(
                "RTL simulation",
                f"no Verilator: {wanted} is not there",
                "apt-get install verilator (5.006 or newer)",
            )
        )
    return found


def rtl_sources() -> list[Path]:
    """Return the engine's source files, packages first."""
    folder = asset("hw", "rtl")
    modules = sorted(p for p in folder.glob("*.sv") if p.name not in PACKAGES)
    return [*(folder / name for name in PACKAGES), *modules]


def parameters(engine: EngineConfig) -> dict[str, int]:
    """Return the parameters of the top module for an engine."""
    return {
        "LaneGroups": engine.lane_groups,
        "FeatureBlocks": engine.feature_blocks,
        "BankWords": engine.bank_words,
        "VectorWords": engine.vector_words,
        "PostLanes": min(engine.post_lanes, MAX_POST_LANES),
    }


def parameter_flags(engine: EngineConfig) -> list[str]:
    """Return the same as Verilator wants them."""
    return [f"-G{name}={value}" for name, value in parameters(engine).items()]


def lint(engine: EngineConfig) -> str:
    """Return what ``verilator --lint-only -Wall`` says about an engine: nothing, when clean."""
    command = [verilator(), "--lint-only", "-Wall", "--top-module", TOP, *parameter_flags(engine)]
    finished = subprocess.run(
        [*command, *map(str, rtl_sources())], capture_output=True, text=True, check=False
    )
    return finished.stderr.strip()


def build_model(engine: EngineConfig, library: Path) -> Path:
    """Compile the engine into the shared library ``library``.

    Raises :class:`ModelError` with the first messages, and :class:`UserError` where Verilator is
    missing.
    """
    with tempfile.TemporaryDirectory(prefix="acsgen-rtl-") as scratch:
        target = Path(scratch)
        _run(
            [
                verilator(),
                "--cc",
                "--exe",
                "--build",
                "--assert",
                "-O3",
                "--x-assign",
                "unique",
                "--x-initial",
                "unique",
                "-CFLAGS",
                "-fPIC -O2 -std=c++17",
                "-LDFLAGS",
                "-shared",
                "-j",
                str(os.cpu_count() or 1),
                "--Mdir",
                str(target),
                "--top-module",
                TOP,
                *parameter_flags(engine),
                *map(str, rtl_sources()),
                str(asset("sim", "rtl", "acs_rtlsim.cpp")),
                "-o",
                "model.so",
            ]
        )
        shutil.move(target / "model.so", library)
    return library


def _run(command: list[str]) -> None:
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    if finished.returncode != 0:
        message = "\n".join((finished.stderr + finished.stdout).splitlines()[:30])
        raise ModelError(message)
