"""The engine is free of Verilator's warnings for three boards, and for every size under test."""

from __future__ import annotations

import shutil

import pytest

from acsgen.engines.rtl.compile import lint
from acsgen.program.board import load_board
from acsgen.program.engine_config import EngineConfig
from tests.differential.engines import CONFIGURATIONS

pytestmark = pytest.mark.rtl


NAMED = {
    name: EngineConfig.for_board(load_board(name)) for name in ("zedboard", "ultra96v2", "kv260")
}
TESTED = {f"{groups} lane groups": config for groups, config in CONFIGURATIONS.items()}


@pytest.mark.parametrize("name", [*NAMED, *TESTED])
def test_lint(name: str) -> None:
    if shutil.which("verilator") is None:
        pytest.skip("verilator is not installed")
    assert lint({**NAMED, **TESTED}[name]) == ""
