"""Commands that cannot run here, held to what would read them: parsers, the Makefile, files."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import re
import shlex
import subprocess
from typing import Any

import pytest
from acsgen_host import __main__ as host
from acsgen_host.power import command as power
from typer.main import get_command

from acsgen.cli import app
from tests.docs.pages import ROOT

#: Commands of the system, which have nothing of ours in them.
SYSTEM = {"cd", "dd", "scp", "source", "export", "sed"}

_PLACEHOLDERS = {"PERCENT": "50", "MINUTES": "5", "N": "3", "MHZ": "90"}


def check(line: str, whole: bool = True) -> None:
    """Fail where the line is not a command that would be understood.

    With ``whole`` false it may lack arguments, as inside of a sentence.
    """
    words = shlex.split(re.sub(r" > \S+$", "", line), comments=True)
    while words and (words[0] == "sudo" or re.fullmatch(r"[A-Z_]+=.*", words[0])):
        words = words[1:]
    if not words or words in (["-i"], ["."]) or words[0] in SYSTEM:
        return
    name, rest = words[0], [_PLACEHOLDERS.get(word, word) for word in words[1:]]
    if name == "acsgen":
        _acsgen(rest, line, whole)
    elif name in ("python", "python3"):
        _python(rest, line)
    elif name == "make":
        done = subprocess.run(
            ["make", "-n", *rest], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{line}: {done.stderr}"
    elif name == "pytest":
        missing = [w for w in rest if not w.startswith("-") and not (ROOT / w).exists()]
        assert not missing, line
    elif name in ("pip", "pipx"):
        _pip(rest, line)
    elif name == "sh":
        script = next((ROOT / "templates").rglob(f"{rest[0]}*"))
        assert all(option in script.read_text() for option in rest[1:]), line
    else:
        assert name == ".venv/bin/pre-commit", f"{line}: no parser knows {name}"


def _acsgen(words: list[str], line: str, whole: bool) -> None:
    group: Any = get_command(app)
    assert words[0] in group.commands, f"{line}: there is no command {words[0]}"
    try:
        group.commands[words[0]].make_context(words[0], words[1:])
    except Exception as error:  # the class is private to typer
        if whole or "Missing" not in str(error):
            pytest.fail(f"{line}: {error}")


def _python(words: list[str], line: str) -> None:
    if words[0] == "-c":
        compile(words[1], "a page", "exec")
    elif words[:2] == ["-m", "acsgen_host"]:
        rest = words[2:]
        parser = host._parser()
        if rest[:1] == ["measure-power"]:
            parser, rest = power._parser(), rest[1:]
        with contextlib.redirect_stderr(io.StringIO()):
            try:
                parser.parse_args(rest)
            except SystemExit as error:
                if error.code:
                    pytest.fail(line)
    elif words[0] == "-m":
        assert importlib.util.find_spec(words[1]) is not None, line
    else:
        assert (ROOT / words[0]).is_file(), line


def _pip(words: list[str], line: str) -> None:
    extras = (ROOT / "pyproject.toml").read_text().partition("[project.optional-dependencies]")[2]
    known = set(re.findall(r"^(\w+) = \[", extras.partition("[project.scripts]")[0], re.M))
    for extra in re.findall(r"acsgen\[([\w,]+)\]", line):
        assert set(extra.split(",")) <= known, line
    assert words[0] in ("install", "wheel"), line
