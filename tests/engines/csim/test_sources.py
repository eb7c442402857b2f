"""The rendered sources, beyond what compiling them for the C simulation already demands."""

from __future__ import annotations

import subprocess
from pathlib import Path

from acsgen.engines.csim.compile import TESTBENCH, compiler
from acsgen.support.assets import asset

from .conftest import SMALL
from .rendering import render_engine

WARNINGS = ("-Wall", "-Wextra", "-Wshadow", "-Werror", "-Wno-unknown-pragmas", "-Wno-unused-label")


def test_free_of_warnings_in_cpp17(tmp_path: Path) -> None:
    """Vitis HLS compiles C++14; the users' own test benches may be newer."""
    sources = render_engine(tmp_path, SMALL)
    units = [str(p) for p in sources.glob("*.cpp") if p.name != TESTBENCH]
    command = [compiler(), "-std=c++17", "-fsyntax-only", *WARNINGS, f"-I{sources}"]
    command += [f"-I{asset('sim', 'csim')}", *units]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr[:3000]
