"""What of acsgen works on this machine: each tool and package, what it enables, how to get it.

The basic road (train, build, C simulation) needs Python packages and a C++ compiler.  Everything
else enables something more, and a machine without it is not ill.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import acsgen
from acsgen.engines.csim.compile import ap_types_directory
from acsgen.support.buildcache import check_cache
from acsgen.support.errors import UserError
from acsgen.support.xilinx import find_xilinx, settings_of

#: Seconds that a tool may take to tell its version.
TIMEOUT = 30

#: The oldest versions that work.
PYTHON = (3, 10)
VERILATOR = (5, 6)
GXX = (7, 0)

_NUMBER = re.compile(r"\d+(?:\.\d+)+")
_REQUIREMENT = re.compile(r"([A-Za-z0-9_.-]+)(?:\[([a-z,]+)\])?(?:.*?>=\s*([\d.]+))?")
_EXTRA = re.compile(r"extra\s*==\s*['\"](\w+)['\"]")


@dataclass(frozen=True)
class Finding:
    """One tool or package.

    Attributes:
        name: its command, or the package.
        needed: whether the basic road (train, build, C simulation) needs it.
        works: whether it is there, and new enough.
        version: that was found; "" for none.
        where: its path; "" if it was not found.
        enables: what of acsgen needs it.
        remedy: what to do; "" where it works.
    """

    name: str
    needed: bool
    works: bool
    version: str
    where: str
    enables: str
    remedy: str


@dataclass(frozen=True)
class _Program:
    """A command of the system: the variables and names that find it, and what it is for."""

    name: str
    enables: str
    remedy: str
    variable: str = ""
    needed: bool = False
    least: tuple[int, ...] = ()


_CLAIMS = "checks of the HLS engine's claims"

_PROGRAMS = (
    _Program("g++", "builds: the C simulation", "apt-get install g++ libc6-dev", "CXX", True, GXX),
    _Program(
        "verilator",
        "build --verify rtl, sim --engine rtl, bench",
        "apt-get install verilator (5.006 or newer)",
        "VERILATOR",
        least=VERILATOR,
    ),
    _Program("make", "the RTL simulation", "apt-get install make"),
    _Program("clang++", _CLAIMS, "apt-get install clang", "ACSGEN_CLANG"),
    _Program("opt", _CLAIMS, "apt-get install llvm", "ACSGEN_OPT"),
    _Program("llvm-link", _CLAIMS, "apt-get install llvm", "ACSGEN_LLVM_LINK"),
    _Program("tclsh", "tests of the scripts for Vivado", "apt-get install tcl"),
)

_XILINX = {
    "vitis_hls": "synthesis of hls/ (up to 2024.1)",
    "vitis-run": "synthesis of hls/ (2023.2 and later)",
    "v++": "synthesis of hls/ from a configuration file",
    "vivado": "a bitstream",
}

#: What each optional set of packages is for.
_EXTRAS = {
    "synth": "synth: the RTL through Yosys",
    "figures": "report --figures",
    "docs": "the documentation's site",
    "test": "the tests",
    "dev": "the linters",
}


def diagnose() -> tuple[Finding, ...]:
    """Look at everything that acsgen can use; nothing is installed or changed."""
    return (
        _python(),
        _acsgen(),
        *_packages(),
        _ap_types(),
        _cache(),
        *map(_program, _PROGRAMS),
        _zlib(),
        *_extras(),
        *(_xilinx(command, enables) for command, enables in _XILINX.items()),
        _pynq(),
    )


def _python() -> Finding:
    works = sys.version_info[:2] >= PYTHON
    remedy = "" if works else "install Python 3.10 or later"
    version = platform.python_version()
    return Finding("python", True, works, version, sys.executable, "everything", remedy)


def _acsgen() -> Finding:
    folder = str(Path(acsgen.__file__).parent)
    try:
        version = importlib.metadata.version("acsgen")
    except importlib.metadata.PackageNotFoundError:
        remedy = "runs from its sources, so that its packages are unknown; pip install acsgen"
        return Finding("acsgen", False, False, "", folder, "everything", remedy)
    return Finding("acsgen", True, True, version, folder, "everything", "")


def _requirements() -> Iterator[tuple[str, str, tuple[int, ...]]]:
    """Yield the name, the extra ("" for none) and the least version of every requirement."""
    try:
        lines = importlib.metadata.requires("acsgen") or []
    except importlib.metadata.PackageNotFoundError:  # run from its sources
        lines = []
    for line in lines:
        specifier, _, marker = line.partition(";")
        found = _REQUIREMENT.match(specifier)
        extra = _EXTRA.search(marker)
        if found is not None and not found[2]:  # acsgen[test] names another extra of ours
            yield found[1], extra[1] if extra else "", _tuple(found[3] or "")


def _packages() -> Iterator[Finding]:
    for name, extra, least in _requirements():
        if not extra:
            yield _package(name, least, True, "everything")


def _package(name: str, least: tuple[int, ...], needed: bool, enables: str) -> Finding:
    wanted = f"'{name}>={'.'.join(map(str, least))}'" if least else name
    remedy = f"pip install {wanted}"
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return Finding(name, needed, False, "", "", enables, remedy)
    works = _tuple(version) >= least
    return Finding(name, needed, works, version, "", enables, "" if works else remedy)


def _extras() -> Iterator[Finding]:
    """One line for each extra: which of its packages are missing."""
    members: dict[str, list[Finding]] = {}
    for name, extra, least in _requirements():
        if extra in _EXTRAS:
            members.setdefault(extra, []).append(_package(name, least, False, ""))
    for extra, found in members.items():
        missing = [item.name for item in found if not item.works]
        have = f"{len(found) - len(missing)} of {len(found)} packages"
        remedy = f"pip install 'acsgen[{extra}]' ({', '.join(missing)})" if missing else ""
        yield Finding(f"acsgen[{extra}]", False, not missing, have, "", _EXTRAS[extra], remedy)


def _ap_types() -> Finding:
    name, enables = "ap_int.h", "builds: the C simulation"
    try:
        folder = ap_types_directory()
    except UserError as error:
        return Finding(name, True, False, "", "", enables, error.problems[0].remedy)
    return Finding(name, True, True, "", str(folder), enables, "")


def _cache() -> Finding:
    """Compiled engines are kept in a folder that has to be writable."""
    name, enables = "cache folder", "builds: compiled engines"
    try:
        check_cache()
    except UserError as error:
        problem = error.problems[0]
        return Finding(name, True, False, "", "", enables, f"{problem.what}: {problem.remedy}")
    return Finding(name, True, True, "", "", enables, "")


def _program(program: _Program) -> Finding:
    named = os.environ.get(program.variable, "") if program.variable else ""
    path = shutil.which(named or program.name)

    def finding(works: bool, version: str, remedy: str) -> Finding:
        return Finding(
            program.name, program.needed, works, version, path or "", program.enables, remedy
        )

    if path is None:
        fault = f"{program.variable} names {named}, which is not there; " if named else ""
        return finding(False, "", fault + program.remedy)
    version, fault = _version(path)
    if fault:
        return finding(False, "", f"{fault}; {program.remedy}")
    if version and _tuple(version) < program.least:
        return finding(False, version, f"is too old; {program.remedy}")
    return finding(True, version, "")


def _version(path: str) -> tuple[str, str]:
    """Run a command for its version; return it ("" if it does not tell), and what is wrong."""
    if Path(path).name.startswith("tclsh"):
        command, said = [path], "puts [info patchlevel]\n"
    else:
        command, said = [path, "--version"], ""
    try:
        done = subprocess.run(
            command, input=said, capture_output=True, text=True, errors="replace",
            timeout=TIMEOUT, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return "", f"does not answer within {TIMEOUT} s"
    except OSError as error:
        return "", f"does not start ({error.strerror})"
    found = _NUMBER.search(done.stdout)
    if done.returncode != 0:
        return "", f"does not tell its version (exit status {done.returncode})"
    return (found[0] if found else ""), ""


def _zlib() -> Finding:
    """The header that packs waves of the RTL simulation, which the compiler must find."""
    name, enables = "zlib.h", "the RTL simulation: waves"
    remedy = "apt-get install zlib1g-dev"
    compiler = shutil.which(os.environ.get("CXX") or "g++")
    if compiler is None:
        return Finding(name, False, False, "", "", enables, f"{remedy} (and a C++ compiler)")
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "probe.cpp"
        source.write_text("#include <zlib.h>\n", encoding="utf-8")
        done = subprocess.run(
            [compiler, "-E", source], capture_output=True, timeout=TIMEOUT, check=False
        )
    works = done.returncode == 0
    return Finding(name, False, works, "", "", enables, "" if works else remedy)


def _xilinx(command: str, enables: str) -> Finding:
    tool = find_xilinx(command)
    if tool is None:
        remedy = "install AMD's Vitis, or set XILINX_ROOT to the folder where it is"
        return Finding(command, False, False, "", "", enables, remedy)
    settings = settings_of(tool)
    remedy = ""
    if not tool.on_path and settings is not None:
        remedy = f"source {settings} puts it on the PATH"
    return Finding(command, False, True, tool.version, str(tool.path), enables, remedy)


def _pynq() -> Finding:
    """The driver's other half; it belongs on the board, so that its absence here is no fault."""
    remedy = "nothing to do on a PC: it is part of the PYNQ image of the board"
    try:
        version = importlib.metadata.version("pynq")
    except importlib.metadata.PackageNotFoundError:
        return Finding("pynq", False, False, "", "", "runs on the board itself", remedy)
    return Finding("pynq", False, True, version, "", "runs on the board itself", "")


def _tuple(version: str) -> tuple[int, ...]:
    """``2.13.0+cpu`` as ``(2, 13, 0)``; () for text without a number."""
    found = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(int(part) for part in found[0].split(".")) if found else ()
