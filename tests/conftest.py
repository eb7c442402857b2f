"""What all tests share: the tiers, and telling plainly why one of them was skipped."""

from __future__ import annotations

import os
import shutil

import pytest

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
            if marker in item.keywords:
                item.add_marker(pytest.mark.skip(reason=reason))
