"""Starts the simulation of a build."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..bundle import MANIFEST
from ..errors import BackendError, InputError, Problem
from ..isa import WORD_BYTES
from .board import Device, SimulatedBackend, SimulatedBoard
from .csim import DEFAULT_LATENCY, FULL_BANDWIDTH, CSimDevice

#: By name: the C++ needs numpy alone, the SystemVerilog needs acsgen and Verilator.
ENGINES = ("csim", "rtl")

#: The C++ of a build, compiled on the machine that built it.
CSIM_LIBRARY = Path("csim", "libacs.so")

#: Part of a DDR memory's peak that a master of long bursts is assumed to get: refresh, and turns
#: between reads and writes, take the rest.
DDR_EFFICIENCY = 0.75


def simulated_backend(folder: str | Path, engine: str = "csim") -> SimulatedBackend:
    """Return the way to a simulated engine of a build.

    Args:
        folder: the build directory.
        engine: ``csim`` for the Vitis HLS C++, ``rtl`` for the SystemVerilog.

    Raises:
        InputError: there is no such engine.
        BackendError: the build has no such engine, or this machine cannot run it.
    """
    path = Path(folder)
    if engine == "csim":
        device = _csim(path)
    elif engine == "rtl":
        device = _rtl(path)
    else:
        raise InputError(
            Problem("engine", f"is {engine!r}", "simulate {}".format(" or ".join(ENGINES)))
        )
    return SimulatedBackend(
        SimulatedBoard(device), name=f"{engine} simulation", clock_mhz=_clock_mhz(path)
    )


def _csim(path: Path) -> Device:
    library = path / CSIM_LIBRARY
    if not library.is_file():
        raise BackendError(
            Problem(
                str(library),
                "is not there: this build has no C simulation",
                "build with --engine hls or both, and copy csim/ too; or simulate rtl",
            )
        )
    try:
        return CSimDevice(library, *_memory(path))
    except (OSError, AttributeError) as error:
        raise BackendError(
            Problem(
                str(library),
                f"does not run here, it was compiled for the machine that built it: {error}",
                "simulate on that machine, or build again on this one",
            )
        ) from error


def _rtl(path: Path) -> Device:
    try:
        from acsgen.engines.registry import SIMULATIONS
        from acsgen.support.errors import UserError
        from acsgen.verify.builddir import open_build
        from acsgen.verify.check import open_engine
    except ImportError as error:
        raise BackendError(
            Problem(
                "rtl simulation",
                f"needs acsgen and Verilator on this machine: {error}",
                "install acsgen, or simulate csim, which needs numpy alone",
            )
        ) from error
    try:
        device: Device = open_engine(open_build(path), SIMULATIONS["rtl"]).device  # type: ignore[attr-defined]
    except UserError as error:
        raise BackendError([Problem(p.where, p.what, p.remedy) for p in error.problems]) from error
    return device


def memory_of(clock_mhz: float, latency_cycles: int, ddr_peak_mbps: float) -> tuple[int, int]:
    """Return a board's memory as simulations have it: latency in cycles, beats in 256 cycles.

    The port of one word gets a beat at every edge, or as often as :data:`DDR_EFFICIENCY` of the
    DDR's peak allows if that is less.
    """
    share = ddr_peak_mbps * DDR_EFFICIENCY / (clock_mhz * WORD_BYTES)
    return latency_cycles, max(1, min(FULL_BANDWIDTH, int(share * FULL_BANDWIDTH)))


def _board(path: Path) -> Any:
    """Return the board that a build is for; empty if its manifest is damaged."""
    try:
        return json.loads((path / MANIFEST).read_text(encoding="utf-8"))["board"]
    except (OSError, ValueError, LookupError, TypeError):
        # Bundle.load says what is wrong with it.
        return {}


def _clock_mhz(path: Path) -> float:
    try:
        return max(0.0, float(_board(path)["clock_mhz"]))
    except (ValueError, LookupError, TypeError):
        return 0.0


def _memory(path: Path) -> tuple[int, int]:
    board = _board(path)
    try:
        memory = board["memory"]
        latency, peak = int(memory["latency_cycles"]), float(memory["ddr_peak_mbps"])
        return memory_of(float(board["clock_mhz"]), latency, peak)
    except (ValueError, LookupError, TypeError, ZeroDivisionError):
        return DEFAULT_LATENCY, FULL_BANDWIDTH
