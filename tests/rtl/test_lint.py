"""The engine is free of Verilator's warnings for every board, and for every size under test."""

from __future__ import annotations

import shutil

import pytest

from acsgen.boards import board_names, load_board
from acsgen.compiler import EngineConfig
from acsgen.rtlsim.compile import lint
from tests.differential.engines import CONFIGURATIONS

pytestmark = pytest.mark.rtl


NAMED = {name: EngineConfig.for_board(load_board(name)) for name in board_names()}
TESTED = {f"{groups} lane groups": config for groups, config in CONFIGURATIONS.items()}


@pytest.mark.parametrize("name", [*NAMED, *TESTED])
def test_lint(name: str) -> None:
    if shutil.which("verilator") is None:
        pytest.skip("verilator is not installed")
    assert lint({**NAMED, **TESTED}[name]) == ""
