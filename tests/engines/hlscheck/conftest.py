"""The rendered engine as LLVM IR, compiled once for each process."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from acsgen.engines.hlscheck.llvm import compile_module
from acsgen.program.board import load_board
from acsgen.program.engine_config import EngineConfig
from tests.engines.csim.rendering import render_engine

TOOLS = ("clang++", "llvm-link", "opt")


@pytest.fixture(scope="session")
def _llvm() -> None:
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed: apt-get install clang llvm")


@pytest.fixture
def llvm(_llvm: None) -> None:
    """Skip, and say so, where clang and LLVM are not installed."""


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources of the ZedBoard's engine."""
    engine = EngineConfig.for_board(load_board("zedboard"))
    return render_engine(tmp_path_factory.mktemp("rendered"), engine)


@pytest.fixture(scope="session")
def module(_llvm: None, rendered: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """These sources as one module, in the types of synthesis."""
    target = tmp_path_factory.mktemp("module") / "module.ll"
    return compile_module(rendered, target, ("ACS_AP_TYPES",))
