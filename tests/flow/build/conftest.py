"""Builds of the shipped networks, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from acsgen.flow.build import BuildRequest, BuildResult, build
from acsgen.support.assets import asset


@pytest.fixture(scope="session")
def resnet8_build(tmp_path_factory: pytest.TempPathFactory) -> BuildResult:
    return build_shipped("resnet8-acs-digits32", 200, tmp_path_factory.mktemp("resnet8"))


@pytest.fixture(scope="session")
def resnet38_build(tmp_path_factory: pytest.TempPathFactory) -> BuildResult:
    return build_shipped("resnet38-acs-digits32", 20, tmp_path_factory.mktemp("resnet38"))


def build_shipped(name: str, images: int, folder: Path) -> BuildResult:
    request = BuildRequest(
        model=asset("models", f"{name}.pt"),
        board="zedboard",
        out=folder / "out",
        images=images,
        keep_stages=True,
    )
    return build(request)
