"""Compiles rendered HLS sources into a shared library."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from acsgen.engines.base import CompileError
from acsgen.support.assets import asset
from acsgen.support.buildcache import cached_file
from acsgen.support.errors import Problem, UserError
from acsgen.support.fsutil import refuse_full_disk
from acsgen.support.tools import find_tool, other_tool

#: Those of the type headers (system headers) are not ours.
WARNINGS = (
    "-Wall",
    "-Wextra",
    "-Wno-unknown-pragmas",
    "-Wno-unused-label",
    "-Wno-maybe-uninitialized",
)
#: The generated code must be free of warnings with the compiler of the tests.  A user's compiler
#: may be newer or another, and know warnings that nobody has seen.
STRICT = ("-Werror",)
FLAGS = ("-std=c++14", "-O3", "-fPIC", "-DACS_COUNT")

#: How the compiler is found, and what to do where there is none.
VARIABLE, PURPOSE, REMEDY = "CXX", "C simulation", "apt-get install g++"

#: The flag that compiles the types of synthesis (``ap_int.h``) in place of native integers.
SYNTHESIS_TYPES = "-DACS_AP_TYPES"

TESTBENCH = "acs_testbench.cpp"

#: Sources of the simulator around the engine: its C interface, and its clock.
SIMULATOR = ("acs_csim.cpp", "acs_counting.cpp")

#: Lines that say nothing to a C++ compiler: the directives of Vitis HLS, and comments.
_UNREAD = re.compile(r"^\s*(#pragma HLS\b|//).*$", re.M)
_CONSTANT = re.compile(r"^constexpr int (\w+) = \d+;$", re.M)


def ap_types_directory() -> Path:
    """Return the folder of ``ap_int.h`` inside the installed hls4ml, without importing hls4ml."""
    spec = importlib.util.find_spec("hls4ml")
    for root in spec.submodule_search_locations or [] if spec else []:
        folder = Path(root) / "templates" / "vivado" / "ap_types"
        if (folder / "ap_int.h").is_file():
            return folder
    raise UserError(
        Problem(
            "C simulation",
            "the integer type headers (ap_int.h) of hls4ml are not installed",
            "pip install hls4ml",
        )
    )


def compiler() -> str:
    """Return the path of the C++ compiler: ``$CXX``, else g++."""
    return find_tool("g++", variable=VARIABLE, purpose=PURPOSE, remedy=REMEDY)


def _require_working(cxx: str, words: dict[str, str]) -> None:
    """Raise :class:`UserError` for a compiler that compiles not even an empty program."""
    command = [cxx, *FLAGS, "-fsyntax-only", "-x", "c++", "-"]
    source = "#include <cstdint>\n#include <vector>\nint main() {}\n"
    done = subprocess.run(
        command, input=source, capture_output=True, text=True, check=False, env=words
    )
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[0]
        what = f"{cxx} does not compile an empty program: {said}"
        raise UserError(Problem(PURPOSE, what, other_tool(VARIABLE, REMEDY)))


def build_library(
    sources: Path,
    library: Path,
    extra_flags: tuple[str, ...] = (),
    extra_units: tuple[Path, ...] = (),
) -> Path:
    """Compile every ``*.cpp`` of the folder ``sources`` but the test bench into ``library``.

    ``extra_units`` are compiled along with them.

    Raises :class:`CompileError` with the compiler's first messages, and :class:`UserError` where
    the compiler or the type headers are missing.
    """
    units = [path for path in sorted(sources.glob("*.cpp")) if path.name != TESTBENCH]
    units += [*(asset("sim", "csim", name) for name in SIMULATOR), *extra_units]
    cxx = compiler()
    includes = ["-I", str(sources), "-I", str(asset("sim", "csim"))]
    if SYNTHESIS_TYPES in extra_flags:
        # Copies of ap_int are taken for uses of the bits beyond their width.
        includes += ["-isystem", str(ap_types_directory()), "-Wno-uninitialized"]
    with tempfile.TemporaryDirectory(prefix="acsgen-csim-") as scratch:

        def compile_unit(unit: Path) -> Path:
            target = Path(scratch) / f"{unit.stem}.o"
            _run(
                Path(scratch),
                [
                    cxx,
                    *FLAGS,
                    *WARNINGS,
                    *extra_flags,
                    *includes,
                    "-c",
                    str(unit),
                    "-o",
                    str(target),
                ],
            )
            return target

        with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
            objects = list(pool.map(compile_unit, units))
        _run(library.parent, [cxx, "-shared", *extra_flags, *map(str, objects), "-o", str(library)])
    return library


def _run(folder: Path, command: list[str]) -> None:
    """Run a command that writes into ``folder``."""
    words = {**os.environ, "LC_ALL": "C"}  # the messages that refuse_full_disk knows
    finished = subprocess.run(command, capture_output=True, text=True, check=False, env=words)
    if finished.returncode != 0:
        refuse_full_disk(finished.stderr, folder)
        _require_working(command[0], words)
        message = "\n".join(finished.stderr.splitlines()[:20])
        raise CompileError(f"{' '.join(command[:1] + command[-4:])}\n{message}")


def cached_library(sources: Path, folder: Path | None = None) -> Path:
    """Return the library of the folder ``sources``, compiled on first use and kept.

    Networks on one engine share it: their sources differ in what only Vitis HLS reads.

    Args:
        sources: folder of rendered sources.
        folder: where to keep it, if not in the user's cache folder.

    Raises the exceptions of :func:`build_library`.
    """
    return cached_file(
        "csim.so",
        [
            compiler(),
            " ".join((*FLAGS, *WARNINGS)),
            *_compiled_text(sources),
            *sorted(asset("sim", "csim").iterdir()),
        ],
        lambda library: build_library(sources, library),
        folder,
    )


def _compiled_text(sources: Path) -> list[str]:
    """Return the names and the texts that the library is compiled from.

    Lines that the compiler does not read are empty in them, so that all others keep their numbers;
    so are integers that nothing names once the directives are gone: their trip counts.
    """
    texts = {
        path.name: _UNREAD.sub("", path.read_text(encoding="utf-8"))
        for path in sorted(sources.iterdir())
        if path.suffix in (".cpp", ".hpp") and path.name != TESTBENCH
    }
    named = Counter(re.findall(r"\w+", "\n".join(texts.values())))

    def kept(constant: re.Match[str]) -> str:
        return constant[0] if named[constant[1]] > 1 else ""

    return [part for name, text in texts.items() for part in (name, _CONSTANT.sub(kept, text))]
