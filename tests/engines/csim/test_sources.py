"""The rendered sources, beyond the demands of compiling them for the C simulation."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from acsgen.engines.csim.compile import TESTBENCH, compiler
from acsgen.support.assets import asset

from .conftest import SMALL
from .rendering import render_engine

CONFIG = "acs_config.hpp"

WARNINGS = ("-Wall", "-Wextra", "-Wshadow", "-Werror", "-Wno-unknown-pragmas", "-Wno-unused-label")


def test_free_of_warnings_in_cpp17(tmp_path: Path) -> None:
    """Vitis HLS compiles C++14; the users' own test benches may be newer."""
    sources = render_engine(tmp_path, SMALL)
    units = [str(p) for p in sources.glob("*.cpp") if p.name != TESTBENCH]
    command = [compiler(), "-std=c++17", "-fsyntax-only", *WARNINGS, f"-I{sources}"]
    command += [f"-I{asset('sim', 'csim')}", *units]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr[:3000]


def test_every_size_of_the_engine_is_used(tmp_path: Path) -> None:
    """A rendered number that has no reader could be wrong without a sign of it."""
    sources = render_engine(tmp_path, SMALL)
    config = (sources / CONFIG).read_text()
    readers = [p.read_text() for p in sources.glob("*.[ch]pp") if p.name != CONFIG]
    words = set(re.findall(r"\w+", "".join(re.sub(r"//.*", "", text) for text in readers)))
    constants = set(re.findall(r"^constexpr \w+ (\w+) =", config, flags=re.MULTILINE))
    assert {"LANE_GROUPS", "CONFIGURATION", "TRIP_CHANNELS"} < constants
    assert constants <= words, f"not used: {', '.join(sorted(constants - words))}"
