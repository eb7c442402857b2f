"""Output for people: one screen, the right exit status, no control characters, no traceback."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest
import typer

from acsgen.cli.console import StageDisplay, err, guarded, out, print_problems
from acsgen.cli.tables import figures_table, print_table
from acsgen.support.errors import CheckFailed, Problem, UserError
from acsgen.support.numbers import count, share

pytestmark = pytest.mark.unit


def status_of(error: BaseException) -> int:
    @guarded
    def command() -> NoReturn:
        raise error

    with pytest.raises(typer.Exit) as caught:
        command()
    return caught.value.exit_code


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (UserError(Problem("here", "is wrong", "mend it")), 2, "here: is wrong"),
        (CheckFailed("3 mismatches"), 1, "check failed: 3 mismatches"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (OSError(errno.ENOSPC, "x", "/a/b"), 2, "/a/b: no space left on the disk"),
        (OSError(errno.EROFS, "x", "/a/b"), 2, "/a/b: the file system is read-only"),
        (PermissionError(errno.EACCES, "x", "/a"), 2, "/a: permission denied"),
        (typer.Exit(7), 7, ""),
    ],
)
def test_what_is_raised_becomes_a_status_and_a_message(
    error: BaseException, status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert status_of(error) == status
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.out == ""
    assert "Traceback" not in captured.err


@pytest.mark.parametrize("text", ["pip install 'acsgen[figures]'", "layer [red]x[/]", "a[0]"])
def test_brackets_are_text(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Of names and of extras; a library for terminals takes them for colours."""
    out.print(text, soft_wrap=True)
    err.print(text, soft_wrap=True)
    print_table(figures_table("", (text,)))
    with StageDisplay() as display:
        display(text)
    captured = capsys.readouterr()
    assert captured.err == f"{text}\n"
    assert captured.out.count(text) == 3


def test_only_a_defect_shows_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(ZeroDivisionError("oops")) == 70
    said = capsys.readouterr().err
    assert "Traceback" in said
    assert "ZeroDivisionError: oops" in said
    assert "Please report it" in said


def test_every_problem_has_its_place_reason_and_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    print_problems((Problem("a.b", "is bad", "do this"), Problem("", "is worse")))
    said = capsys.readouterr().err
    assert "2 problems" in said
    assert "a.b: is bad" in said
    assert "-> do this" in said
    assert "  is worse" in said


def many(count: int, what: Callable[[int], str]) -> tuple[Problem, ...]:
    return tuple(Problem(f"layer{i}.conv", what(i), "use another") for i in range(count))


def test_a_long_list_is_folded_to_a_screen_with_its_count(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    problems = many(300, lambda i: f"kernel {i} is not supported")
    print_problems(problems)
    said = capsys.readouterr().err.splitlines()
    assert len(said) <= 24
    shown = sum("is not supported" in line for line in said)
    assert shown > 5
    assert f"and {300 - shown} more" in said[-1]
    monkeypatch.setenv("ACSGEN_ALL_PROBLEMS", "1")
    print_problems(problems)
    assert capsys.readouterr().err.count("is not supported") == 300


def test_like_problems_share_a_paragraph(capsys: pytest.CaptureFixture[str]) -> None:
    print_problems(many(3, lambda i: "7x7 kernels are not supported"))
    said = " ".join(capsys.readouterr().err.split())
    assert "layer0.conv, layer1.conv, layer2.conv: 7x7 kernels are not supported" in said
    assert said.count("use another") == 1
    print_problems(many(500, lambda i: "7x7 kernels are not supported"))
    folded = capsys.readouterr().err
    assert len(folded.splitlines()) <= 24
    assert "(500 places)" in " ".join(folded.split())


def test_one_huge_problem_is_still_shown(capsys: pytest.CaptureFixture[str]) -> None:
    print_problems((Problem("x", "word " * 1000),))
    assert "word" in capsys.readouterr().err


def test_control_characters_never_reach_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    print_problems((Problem("evil\x1b[2Jname\n\r", "a\x07 [red]b[/red]\x9b"),))
    said = capsys.readouterr().err
    assert not set("\x1b\x07\x9b\r") & set(said)
    assert "[red]b[/red]" in said


def test_paths_are_not_broken(capsys: pytest.CaptureFixture[str]) -> None:
    path = "/" + "/".join(["some-long-folder-name"] * 8) + "/model.pt"
    print_problems((Problem(path, "no such file"),))
    assert path in capsys.readouterr().err


def test_stages_are_plain_lines_off_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with StageDisplay() as display:
        display("load")
        display("check", 1, 2)
        display("check", 2, 2)
    said = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in said] == [["load", "ok"], ["check", "ok"]]


def test_the_stage_that_failed_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        with StageDisplay() as display:
            display("quantize")
            raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011
        fail()
    assert capsys.readouterr().out.split()[:2] == ["quantize", "failed"]


def test_numbers_for_people() -> None:
    assert count(1234567.4) == "1,234,567"
    assert share(1, 3) == "33.3 %"
    assert share(0, 0) == "-"


def test_characters_that_the_terminal_lacks() -> None:
    """A name of a file was a traceback at the end of a build, where the locale is C."""
    code = (
        "from acsgen.cli.console import escape_unknown_characters, out\n"
        "escape_unknown_characters()\n"
        "out.print('written to b/\\u00f6ut')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONIOENCODING": "ascii", "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "written to b/\\xf6ut\n"


def test_one_long_path_is_shown_whole(capsys: pytest.CaptureFixture[str]) -> None:
    print_problems((Problem("/tmp/" + 400 * "x", "the name is too long", "choose another"),))
    said = capsys.readouterr().err
    assert "places" not in said
    assert 400 * "x" in said


def test_a_folder_that_was_removed_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    here.rmdir()
    assert status_of(ZeroDivisionError()) == 2
    assert "the folder that this command runs in is not there any more" in capsys.readouterr().err
