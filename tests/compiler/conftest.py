"""Shared by the compiler's tests: an engine configuration and a program for it."""

from __future__ import annotations

import pytest

from acsgen.compiler import compile_graph
from acsgen.program.board import load_board
from acsgen.program.engine_config import EngineConfig
from acsgen.program.program import Program
from tests.nets.integer_graphs import resnet


@pytest.fixture(scope="session")
def engine() -> EngineConfig:
    return EngineConfig.for_board(load_board("zedboard"))


@pytest.fixture(scope="session")
def program(engine: EngineConfig) -> Program:
    return compile_graph(resnet(), engine)
