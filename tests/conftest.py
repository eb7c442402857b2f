"""For all tests: tiers, seeds, engines, the way they are dealt to processes, the report's end."""

from __future__ import annotations

import math
import os
import random
import shutil
import sys
import zlib
from collections import defaultdict
from functools import cache
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.differential.engines import Engines
    from tests.scheduling import CrashSafeScheduling

# Small tensors on few cores: torch's threads would mostly wait for each other and for the other
# test processes (a training test takes a third of the time with one). Read when torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--run-slow", action="store_true", help="run the tests that take minutes")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    skips = {}
    if not config.getoption("--run-slow"):
        skips["slow"] = "takes minutes: pytest --run-slow"
    if not (shutil.which("vitis-run") or shutil.which("vitis_hls")):
        skips["vitis"] = "Vitis HLS is not on the PATH"
    if not os.environ.get("ACSGEN_BOARD"):
        skips["board"] = "no board: set ACSGEN_BOARD to its address"
    for item in items:
        for marker, reason in skips.items():
            # Not item.keywords, which have the names of folders: a checkout may be called "board".
            if item.get_closest_marker(marker) is not None:
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[Any]) -> None:
    _seed(f"{fixturedef.baseid}::{fixturedef.argname}")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> None:
    name = pyfuncitem.nodeid
    if name.rfind("@") > name.rfind("]"):  # xdist's --dist loadgroup appends the group
        name = name[: name.rfind("@")]
    _seed(name)


def _seed(name: str) -> None:
    """Give a test or a fixture random numbers of its own, independent of those that ran before."""
    seed = zlib.crc32(name.encode())
    random.seed(seed)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(seed)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(seed)


@pytest.fixture
def no_layer_is_added(monkeypatch: pytest.MonkeyPatch) -> None:
    """Quantization may put a convolution before an average that hardly differs between images.

    It knows from calibration images, so training cannot count it; random weights ask for it.
    """
    monkeypatch.setattr("acsgen.quant.centre.LEAST_GAIN", math.inf)


@pytest.fixture(scope="session")
def engines(request: pytest.FixtureRequest) -> Engines:
    """Compiled engines, shared by all tests and all test processes."""
    from tests.differential.engines import engines_for  # acsgen is not in every environment

    folder = request.config.cache.mkdir("acsgen-engines")

    @cache
    def made(lane_groups: int, rtl: bool = False) -> Any:
        if rtl and shutil.which("verilator") is None:
            pytest.skip("verilator is not installed")
        return engines_for(lane_groups, folder, rtl)

    return made


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> CrashSafeScheduling | None:
    """Used for ``--dist loadgroup`` only, which the Makefile asks for."""
    if config.getoption("dist") != "loadgroup":
        return None
    from tests.scheduling import CrashSafeScheduling  # xdist is not in every environment

    return CrashSafeScheduling(config, log)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """How long each folder took, set-up included, added up over the processes."""
    seconds: dict[str, float] = defaultdict(float)
    tests: dict[str, set[str]] = defaultdict(set)
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                parts = PurePosixPath(report.nodeid.split("::")[0]).parts
                folder = "/".join(parts[: min(2, len(parts) - 1)])
                seconds[folder] += report.duration
                tests[folder].add(report.nodeid)
    if len(seconds) < 2:
        return
    terminalreporter.section("time by folder")
    for folder, total in sorted(seconds.items(), key=lambda item: -item[1]):
        terminalreporter.write_line(f"{total:8.1f} s  {len(tests[folder]):5d} tests  {folder}")
