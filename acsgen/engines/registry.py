"""The simulations by the names that commands take.

A new one is an entry here and a module that compiles and runs it; no caller knows which there are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from acsgen.engines.base import Engine, Implementation
from acsgen.engines.csim import CSimEngine
from acsgen.engines.csim.compile import ap_types_directory, cached_library, compiler
from acsgen.engines.rtl import Memory, RtlEngine, cached_model, verilator
from acsgen.program.engine_config import EngineConfig
from acsgen.support.tools import tool_version

#: The keys of :data:`SIMULATIONS`, as commands and their callers have them.
SimulationName = Literal["csim", "rtl"]


class Compile(Protocol):
    """Compiles an engine's sources, or finds the library of an earlier compilation."""

    def __call__(self, sources: Path, config: EngineConfig, *, waves: bool) -> Path:
        """Return the library of the folder ``sources``, which hold an engine of ``config``.

        Raises:
            CompileError: the compiler refused them.
            UserError: the compiler is not installed.
        """
        ...


class Open(Protocol):
    """Makes an engine of a library."""

    def __call__(self, library: Path, memory: Memory, *, waves: Path | None) -> Engine:
        """Return the engine, behind ``memory`` and writing ``waves`` where it is clocked."""
        ...


@dataclass(frozen=True)
class Simulation:
    """One way to run an engine without a board.

    Attributes:
        name: the name that commands take.
        title: in words, for messages.
        label: in one word, for tables.
        implementation: the sources that it runs.
        clocked: whether it has a clock and a bus: it counts cycles, and it takes the options of a
            :class:`~acsgen.engines.rtl.Memory` and a file for waves.
        quick: whether a build can afford it without being asked.
        kept_as: where a build keeps the compiled library, to be run elsewhere; None if it does not.
        require_tools: raises :class:`~acsgen.support.errors.UserError` where a tool is missing.
        version: the first line that its tool says of its version.
        compile: see :class:`Compile`.
        open: see :class:`Open`.
    """

    name: SimulationName
    title: str
    label: str
    implementation: Implementation
    clocked: bool
    quick: bool
    kept_as: Path | None
    require_tools: Callable[[], object]
    version: Callable[[], str]
    compile: Compile
    open: Open


def _csim_tools() -> None:
    compiler()
    ap_types_directory()


def _compile_csim(sources: Path, config: EngineConfig, *, waves: bool) -> Path:
    return cached_library(sources)


def _open_csim(library: Path, memory: Memory, *, waves: Path | None) -> Engine:
    return CSimEngine(library, memory.latency, memory.bandwidth)


def _compile_rtl(sources: Path, config: EngineConfig, *, waves: bool) -> Path:
    return cached_model(config, waves=waves, rtl=sources)


def _open_rtl(library: Path, memory: Memory, *, waves: Path | None) -> Engine:
    return RtlEngine(library, memory, waves=waves)


#: In the order in which a build runs them: the fast one first.
SIMULATIONS: dict[str, Simulation] = {
    "csim": Simulation(
        name="csim",
        title="C simulation",
        label="C++",
        implementation="hls",
        clocked=False,
        quick=True,
        kept_as=Path("csim", "libacs.so"),
        require_tools=_csim_tools,
        version=lambda: tool_version(compiler()),
        compile=_compile_csim,
        open=_open_csim,
    ),
    "rtl": Simulation(
        name="rtl",
        title="RTL simulation",
        label="RTL",
        implementation="rtl",
        clocked=True,
        quick=False,
        kept_as=None,
        require_tools=verilator,
        version=lambda: tool_version(verilator()),
        compile=_compile_rtl,
        open=_open_rtl,
    ),
}
