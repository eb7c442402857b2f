"""Compilers that a user may have: another one, one that is not there, one that does not work."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from acsgen.engines.base import CompileError
from acsgen.engines.csim.compile import build_library
from acsgen.support.errors import UserError

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
