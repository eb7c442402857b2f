"""A build's sources and scripts without its network, and the model of Vivado to run them on."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from acsgen.emit.rtl import render_rtl
from acsgen.emit.vivado import render_vivado
from acsgen.program.board import load_board
from acsgen.program.engine_config import EngineConfig
from acsgen.support.assets import asset
from tests.engines.csim.rendering import render_engine

from .tools import need_tclsh, write_vitis_hls, write_vivado


def write_sources(path: Path, board: str) -> None:
    """Write what a build for a board has of sources and scripts."""
    loaded = load_board(board)
    engine = EngineConfig.for_board(loaded)
    render_vivado(path / "vivado", model="net", board=loaded, engines=("hls", "rtl"))
    render_rtl(path / "rtl", model="net", board=loaded, engine=engine)
    render_engine(path / "hls", engine, board)
    # The scripts of Vitis HLS name them, and do not look into them unless they simulate.
    for name in ("program/program", "program/params", "vectors/images", "vectors/expected"):
        (path / name).parent.mkdir(exist_ok=True)
        (path / f"{name}.bin").touch()


class Project:
    """The folder of a build, as far as the tools read it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.bin = path.parent / "bin"
        write_vivado(self.bin)
        write_vitis_hls(self.bin)
        self.record = path.parent / "design.json"

    def run(self, command: list[str], folder: str, **variables: str) -> str:
        """Run a tool in a folder of the build; return what it printed, and fail if it failed."""
        done = self.attempt(command, folder, **variables)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def attempt(
        self, command: list[str], folder: str, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a tool in a folder of the build, which may fail."""
        environment = {
            **os.environ,
            "PATH": f"{self.bin}{os.pathsep}{os.environ['PATH']}",
            "FAKE_RECORD": str(self.record),
            "FAKE_FAULT": "",
            **variables,
        }
        return subprocess.run(
            command,
            cwd=self.path / folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def make_ip(self, engine: str) -> None:
        """Make the engine's IP, as the Makefile does."""
        if engine == "rtl":
            self.run([*VIVADO, "package_ip.tcl"], "rtl")
        else:
            report = self.path / "csynth.xml"
            report.write_text("<profile/>")
            steps = {"ACS_STEPS": "csynth export", "FAKE_CSYNTH": str(report)}
            self.run(["vitis_hls", "-f", "run_hls.tcl"], "hls", **steps)

    def design(self, engine: str, **variables: str) -> dict[str, Any]:
        """Make the design, and return the model's record of it."""
        self.run([*VIVADO, "bitstream.tcl"], "vivado", ACS_ENGINE=engine, **variables)
        content: dict[str, Any] = json.loads(self.record.read_text())
        return content


VIVADO = ("vivado", "-mode", "batch", "-source")


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function that gives the sources for a shipped board, written once."""

    @functools.cache
    def written(board: str) -> Path:
        path = tmp_path_factory.mktemp(board) / "build"
        write_sources(path, board)
        return path

    return written


@pytest.fixture
def project(tmp_path: Path, sources: Callable[[str], Path]) -> Callable[..., Project]:
    """Return a function that makes a project for a board, with changes to its file."""
    need_tclsh()

    def write(board: str, **changes: Any) -> Project:
        build = tmp_path / "build"
        if not changes:
            shutil.copytree(sources(board), build, dirs_exist_ok=True)
        else:
            content = yaml.safe_load(asset("hw", "boards", f"{board}.yaml").read_text())
            for key, value in changes.items():
                if isinstance(value, dict):
                    content[key] |= value
                else:
                    content[key] = value
            path = tmp_path / "board.yaml"
            path.write_text(yaml.safe_dump(content))
            write_sources(build, str(path))
        return Project(build)

    return write
