"""Modules that have a contract of their own, against models that know only the contract."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from .simulator import Top, run_bench

pytestmark = [pytest.mark.rtl, pytest.mark.xdist_group("bench-units")]


@pytest.mark.parametrize(
    "module", ["bench_ports", "bench_registers", "bench_arithmetic", "bench_feed"]
)
def test_units(module: str, tmp_path: Path) -> None:
    if shutil.which("verilator") is None:
        pytest.skip("verilator is not installed")
    run_bench(Top.of_bench("units_bench"), module, tmp_path)
