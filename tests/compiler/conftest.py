"""Shared by the compiler's tests: an engine configuration and a program for it."""

from __future__ import annotations

import pytest

from acsgen.boards import load_board
from acsgen.compiler import EngineConfig, Program, compile_graph
from tests.compiler.graphs import resnet


@pytest.fixture(scope="session")
def engine() -> EngineConfig:
    return EngineConfig.for_board(load_board("zedboard"))


@pytest.fixture(scope="session")
def program(engine: EngineConfig) -> Program:
    return compile_graph(resnet(), engine)
