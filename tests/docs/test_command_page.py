"""The page of the command line is that of the parsers."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys

import pytest
from typer.main import get_command

from acsgen.cli import app
from tests.docs.pages import ROOT

pytestmark = pytest.mark.unit

PAGE = ROOT / "docs" / "reference" / "commands.md"
SCRIPT = ROOT / "scripts" / "command_pages.py"


def test_it_is_current() -> None:
    specification = importlib.util.spec_from_file_location("command_pages", SCRIPT)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    assert PAGE.read_text(encoding="utf-8") == module.page(), "run make spec"


def test_it_has_every_command_and_option() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for name, command in get_command(app).commands.items():  # type: ignore[attr-defined]
        section = text.partition(f"## acsgen {name}\n")[2].partition("\n## ")[0]
        for parameter in command.params:
            for option in parameter.opts:
                named = option if option.startswith("-") else option.upper()
                assert f"`{named}`" in section, (name, option)
            assert parameter.help.split(".")[0].split("-")[0] in section.replace("`", "")


def test_it_does_not_depend_on_the_terminal() -> None:
    code = f"import runpy; print(runpy.run_path({str(SCRIPT)!r})['page']())"
    for columns in ("40", "300"):
        environment = {**os.environ, "COLUMNS": columns, "FORCE_COLOR": "1"}
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.rstrip() == PAGE.read_text(encoding="utf-8").rstrip()
