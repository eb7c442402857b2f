"""Compiles rendered HLS sources to LLVM IR with clang, as the front end of Vitis HLS does.

The whole engine becomes one function: every call is inlined, because that is how addresses and
carried values are seen from the port, or from the loop, to which they belong.  Debian's packages
``clang`` and ``llvm`` have the tools.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from acsgen.engines.base import CompileError
from acsgen.engines.csim.compile import TESTBENCH
from acsgen.support.tools import find_tool

TOP = "acs_engine"

#: Seconds that a command may take; the slowest needs some ten.
TIMEOUT = 300

#: Puts local variables into values, and removes control flow that decides nothing.
_CLEAN = "sroa,early-cse,instcombine,simplifycfg"
#: A loop has one entry and one way back, as the analyses expect.
_CANONICAL = "loop-simplify,lcssa"

INLINED = (
    f"internalize,globalopt,function({_CLEAN}),cgscc(inline),"
    f"function({_CLEAN},{_CANONICAL},instnamer)"
)

_UNROLL = f"function(loop-rotate,loop-unroll-full,{_CLEAN},loop-simplify)"

#: As a pipelined loop is synthesized: all loops of known length in it are unrolled.
UNROLLED = f"{_UNROLL},{_UNROLL},{_UNROLL},function(loop-rotate,{_CLEAN},{_CANONICAL},instnamer)"

#: Puts registers into values again where arrays of them have been taken apart.
PARTITIONED = f"function({_CLEAN},{_CLEAN},{_CANONICAL},instnamer)"

_LIMITS = (
    "-inline-threshold=10000000",
    "-unroll-threshold=10000000",
    "-unroll-full-max-count=4096",
)


@dataclass(frozen=True)
class Tools:
    """Paths of the commands."""

    clang: str
    link: str
    opt: str


def find_llvm() -> Tools:
    """Return the commands; raise :class:`UserError` that names the package of a missing one."""
    purpose = "checks of the HLS engine's LLVM IR"

    def tool(name: str, variable: str, package: str) -> str:
        return find_tool(name, variable, purpose, f"apt-get install {package}")

    return Tools(
        clang=tool("clang++", "ACSGEN_CLANG", "clang"),
        link=tool("llvm-link", "ACSGEN_LLVM_LINK", "llvm"),
        opt=tool("opt", "ACSGEN_OPT", "llvm"),
    )


def compile_module(
    sources: Path, target: Path, defines: Sequence[str] = (), top: str = TOP
) -> Path:
    """Compile all units of the folder ``sources`` into one IR file, with all calls inlined.

    Args:
        sources: folder of rendered sources; its test bench is left out.
        target: the file to write, as text; returned.
        defines: macros to define.
        top: the function that the others are inlined into.

    Raises :class:`CompileError` with the first messages, and :class:`UserError` without the tools.
    """
    tools = find_llvm()
    units = [path for path in sorted(sources.glob("*.cpp")) if path.name != TESTBENCH]
    include = Path(__file__).parent / "include" / "analysis"
    with tempfile.TemporaryDirectory(prefix="acsgen-llvm-") as scratch:

        def compile_unit(unit: Path) -> str:
            compiled = Path(scratch) / f"{unit.stem}.bc"
            _run(
                tools.clang,
                *("-std=c++14", "-O2", "-Xclang", "-disable-llvm-passes"),
                *("-fno-discard-value-names", "-fno-exceptions", "-fno-rtti", "-gline-tables-only"),
                *("-w", "-c", "-emit-llvm"),
                *(f"-D{name}" for name in defines),
                *("-I", str(sources), "-isystem", str(include)),
                *(str(unit), "-o", str(compiled)),
            )
            return str(compiled)

        with ThreadPoolExecutor() as pool:
            compiled = list(pool.map(compile_unit, units))
        whole = Path(scratch) / "whole.ll"
        _run(tools.link, *compiled, "-S", "-o", str(whole))
        # The type headers for simulation read and write volatile members; hardware types do not.
        text = whole.read_text(encoding="utf-8")
        whole.write_text(re.sub(r"\b(load|store) volatile ", r"\1 ", text), encoding="utf-8")
        transform(whole, target, INLINED, f"-internalize-public-api-list={top}")
    return target


def transform(module: Path, target: Path, passes: str, *options: str) -> Path:
    """Run passes of ``opt`` on a module; write its text into ``target``, and return that."""
    _run(
        find_llvm().opt,
        f"-passes={passes}",
        *options,
        *_LIMITS,
        *("-S", str(module), "-o", str(target)),
    )
    return target


def analysis(module: Path, name: str) -> str:
    """Return the text that the printer of an analysis of ``opt`` writes on a module."""
    with tempfile.TemporaryDirectory(prefix="acsgen-llvm-") as scratch:
        # Printers number all metadata for every line that they print: without it they are fast.
        bare = Path(scratch) / "bare.ll"
        bare.write_text(_without_metadata(module.read_text(encoding="utf-8")), encoding="utf-8")
        printed = Path(scratch) / "printed.txt"
        # They write a few bytes at a time: into a file that is fast, into a pipe it is not.
        with printed.open("wb") as file:
            _run(
                *(find_llvm().opt, f"-passes=print<{name}>", "-disable-output", str(bare)),
                output=file,
            )
        return printed.read_text(encoding="utf-8")


def _without_metadata(text: str) -> str:
    lines = (line for line in text.splitlines() if not line.startswith("!"))
    kept = (line for line in lines if "(metadata " not in line)
    return re.sub(r",? ![a-zA-Z.]+ !\d+", "", "\n".join(kept)) + "\n"


def _run(*command: str, output: IO[bytes] | int = subprocess.PIPE) -> None:
    try:
        finished = subprocess.run(
            command, stdout=output, stderr=output, timeout=TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise CompileError(f"{command[0]} did not end within {TIMEOUT} s") from error
    if finished.returncode != 0:
        message = "\n".join((finished.stderr or b"").decode().splitlines()[:20])
        raise CompileError(f"{' '.join(command[:1] + command[-3:])}\n{message}")
