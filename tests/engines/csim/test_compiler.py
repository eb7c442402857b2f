"""Compilers that a user may have: another one, one that is not there, one that does not work."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from acsgen.compiler import compile_graph
from acsgen.emit.hls import render_hls_of
from acsgen.engines.base import CompileError
from acsgen.engines.csim import compile
from acsgen.engines.csim.compile import TESTBENCH, build_library, cached_library, compiler
from acsgen.program.board import load_board
from acsgen.support.assets import asset
from acsgen.support.errors import UserError
from tests.differential.engines import CONFIGURATIONS
from tests.nets.integer_graphs import resnet

from .conftest import SMALL
from .rendering import render_engine


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    return render_engine(tmp_path / "hls", SMALL)


def test_a_compiler_with_other_warnings_compiles(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It warns of everything that it reads, and that is no reason to give up."""
    cxx = tmp_path / "warner"
    warn = "-include warn.hpp"
    (tmp_path / "warn.hpp").write_text("#warning a warning that nobody has seen\n")
    cxx.write_text(f'#!/bin/sh\nexec g++ -I{tmp_path} {warn} "$@"\n')
    cxx.chmod(0o755)
    monkeypatch.setenv("CXX", str(cxx))
    assert build_library(sources, tmp_path / "engine.so", ("-O0",)).is_file()
    with pytest.raises(CompileError, match="a warning that nobody has seen"):
        build_library(sources, tmp_path / "strict.so", ("-O0", "-Werror"))


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("no-such-compiler", "no-such-compiler, which CXX names, is not there"),
        (shutil.which("false") or "false", "does not compile an empty program: exit status 1"),
    ],
)
def test_a_compiler_that_is_no_good_is_the_users_to_change(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str, said: str
) -> None:
    monkeypatch.setenv("CXX", named)
    with pytest.raises(UserError, match=said) as caught:
        build_library(sources, tmp_path / "engine.so")
    assert caught.value.problems[0].remedy == "unset CXX, or name another"


def test_without_a_compiler_one_is_to_be_installed(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match=r"g\+\+ is not there \(apt-get install g\+\+\)"):
        build_library(sources, tmp_path / "engine.so")


def rendered(folder: Path, widths: tuple[int, ...], lanes: int) -> Path:
    """The sources of a network's build."""
    program = compile_graph(resnet(widths=widths), CONFIGURATIONS[lanes])
    render_hls_of(program, folder, load_board("zedboard"))
    return folder


def test_networks_on_one_engine_share_its_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is compiled anew only where a line changed that the compiler reads."""
    compiled: list[Path] = []

    def compile_nothing(sources: Path, library: Path) -> Path:
        compiled.append(sources)
        library.write_bytes(b"")
        return library

    monkeypatch.setattr(compile, "build_library", compile_nothing)
    one = rendered(tmp_path / "one", (4, 8), 4)
    other = rendered(tmp_path / "other", (8, 16, 24), 4)
    fewer = rendered(tmp_path / "fewer", (4, 8), 3)
    texts = [(folder / "acs_config.hpp").read_text() for folder in (one, other, fewer)]
    assert len(set(texts)) == 3
    cache = tmp_path / "cache"
    assert cached_library(one, cache) == cached_library(other, cache)
    assert cached_library(fewer, cache) != cached_library(one, cache)
    assert compiled == [one, fewer]

    # A trip count that some code names is one of its lines.
    config = other / "acs_config.hpp"
    config.write_text(texts[1].replace("\n}  // namespace", "\nint trip = TRIP_CHANNELS;\n}  //"))
    named = cached_library(other, cache)
    config.write_text(config.read_text().replace("TRIP_CHANNELS = ", "TRIP_CHANNELS = 1"))
    assert cached_library(other, cache) != named
    assert compiled == [one, fewer, other, other]


def test_two_networks_on_one_engine_are_the_same_to_the_compiler(tmp_path: Path) -> None:
    """Judged by its preprocessor, of every unit; the constants of directives are named nowhere."""

    def read(folder: Path, unit: Path) -> list[str]:
        includes = ["-I", folder, "-I", asset("sim", "csim")]
        command = [compiler(), "-std=c++14", "-E", "-P", "-DACS_COUNT", *includes, unit]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        lines = done.stdout.splitlines()
        return [line for line in lines if "#pragma HLS" not in line and "TRIP_" not in line]

    one = rendered(tmp_path / "one", (4, 8), 4)
    other = rendered(tmp_path / "other", (8, 16, 24), 4)
    units = sorted(path.name for path in one.glob("*.cpp") if path.name != TESTBENCH)
    assert len(units) > 4
    for unit in units:
        lines = read(one, one / unit)
        assert lines == read(other, other / unit)
        assert len(lines) > 1000
    used = re.compile(r"^(?!#pragma HLS|constexpr int TRIP_\w+ = \d+;).*TRIP_", re.M)
    for path in (*one.glob("*.cpp"), *one.glob("*.hpp")):
        assert not used.search(re.sub(r"^\s*(//.*)?", "", path.read_text(), flags=re.M)), path
