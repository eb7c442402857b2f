"""The engine is free of Verilator's warnings for every size of engine under test."""

from __future__ import annotations

import shutil

import pytest

from acsgen.rtlsim.compile import lint
from tests.differential.engines import CONFIGURATIONS

pytestmark = pytest.mark.rtl


@pytest.mark.parametrize("lane_groups", sorted(CONFIGURATIONS))
def test_lint(lane_groups: int) -> None:
    if shutil.which("verilator") is None:
        pytest.skip("verilator is not installed")
    assert lint(CONFIGURATIONS[lane_groups]) == ""
