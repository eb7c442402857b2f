"""The commands' common way of talking to people: errors, exit statuses, progress and numbers.

Exit statuses: 0 done, 1 a check failed on good input, 2 bad input or an unusable disk,
130 interrupted, 70 a defect of acsgen (the only case that shows a traceback).
"""

from __future__ import annotations

import functools
import inspect
import io
import os
import shutil
import sys
import textwrap
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Annotated, ParamSpec, TextIO, TypeVar

import typer
from rich.console import Console
from rich.text import Text

from acsgen.support.errors import CheckFailed, Problem, UserError
from acsgen.support.fsutil import first_of_copy, plain_os_error
from acsgen.support.printing import printable

P = ParamSpec("P")
R = TypeVar("R")

EXIT_CHECK_FAILED = 1
EXIT_USER_ERROR = 2
EXIT_DEFECT = 70
EXIT_INTERRUPTED = 130


if os.environ.get("COLUMNS", "").strip("0") == "":
    # 0 columns means that the width is not known, as in shutil.get_terminal_size; rich prints
    # nothing then.
    os.environ.pop("COLUMNS", None)


class _Output(Console):
    """Standard output; a command whose reader goes away (``| head``) goes on without it."""

    def on_broken_pipe(self) -> None:
        """Send what is still printed nowhere, and say so once."""
        self.quiet = True
        drop_output()


def escape_unknown_characters() -> None:
    """Print a character that the terminal's encoding lacks as its code, as in a folder's name."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def drop_output() -> None:
    """Stop writing to standard output, whose reader went away."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
    err.print("acsgen: standard output was closed; going on without it", soft_wrap=True)


#: Without markup, because names of files and layers may have brackets, as in ``layer[bold]``.
out = _Output(highlight=False, markup=False)
err = Console(stderr=True, highlight=False, markup=False)

_CHECK_DISK = "check the path and the space on its disk"
_SCREEN_LINES = 20
_SCREEN_COLUMNS = 100
_FIRST_WORD_AFTER = 15.0
_OK = "ok"


def guarded(command: Callable[P, R]) -> Callable[P, R]:
    """Wrap a command so that every exception ends in one message and the right exit status."""

    @functools.wraps(command)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        before = out.quiet
        out.quiet = bool(kwargs.pop("quiet", before))
        try:
            with warnings.catch_warnings():
                warnings.showwarning = _print_warning
                _require_current_folder()
                return command(*args, **kwargs)
        except typer.Exit:
            raise
        except UserError as error:
            print_problems(error.problems)
            raise typer.Exit(EXIT_USER_ERROR) from error
        except CheckFailed as error:
            _print_error("check failed", printable(str(error), keep_lines=True))
            raise typer.Exit(EXIT_CHECK_FAILED) from error
        except (KeyboardInterrupt, typer.Abort) as error:
            _print_error("interrupted", "stopped at your request")
            raise typer.Exit(EXIT_INTERRUPTED) from error
        except BrokenPipeError as error:
            drop_output()
            raise typer.Exit(EXIT_CHECK_FAILED) from error
        except OSError as error:
            print_problems((_os_problem(error),))
            raise typer.Exit(EXIT_USER_ERROR) from error
        except Exception as error:
            err.print(Text(printable(traceback.format_exc(), keep_lines=True)), soft_wrap=True)
            _print_error(
                "defect",
                "this is a mistake in acsgen, not in your input. Please report it with the lines "
                "above and the output of `acsgen info`.",
            )
            raise typer.Exit(EXIT_DEFECT) from error
        finally:
            out.quiet = before

    return _with_quiet(command, wrapper)


def _require_current_folder() -> None:
    """Raise :class:`UserError` where the folder that the shell is in was removed.

    Libraries that are loaded later end the process there, with messages of their own.
    """
    try:
        Path.cwd()
    except FileNotFoundError:
        what = "the folder that this command runs in is not there any more"
        raise UserError(Problem("", what, "change to another folder")) from None


def _with_quiet(command: Callable[P, R], wrapper: Callable[P, R]) -> Callable[P, R]:
    """Give the command line of ``wrapper`` the option ``--quiet`` besides those of ``command``."""
    option = Annotated[
        bool, typer.Option("--quiet", "-q", help="Print warnings and errors only, and --json -.")
    ]
    signature = inspect.signature(command, eval_str=True)
    quiet = inspect.Parameter(
        "quiet", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=option
    )
    parameters = [*signature.parameters.values(), quiet]
    wrapper.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    wrapper.__annotations__ = {p.name: p.annotation for p in parameters}
    return wrapper


def _print_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Show a warning; where in the code it was issued helps nobody here."""
    err.print(Text(f"warning: {printable(str(message))}", style="yellow"), soft_wrap=True)


def require_same(baseline: Path, differences: Sequence[str]) -> None:
    """Say that all figures are those of the file ``baseline``.

    Raises:
        CheckFailed: there are differences, which are printed.
    """
    for line in differences:
        err.print(f"  {line}", soft_wrap=True)
    if differences:
        raise CheckFailed(f"{len(differences)} differences from {baseline}")
    out.print("all figures as in the baseline")


def print_problems(problems: tuple[Problem, ...]) -> None:
    """Print all problems of a :class:`UserError` on one screen of stderr.

    Problems that differ only in their place share one paragraph; those that do not fit on a screen
    are counted.  With ``ACSGEN_ALL_PROBLEMS`` set, nothing is left out.
    """
    paragraphs = _paragraphs(problems)
    total = sum(count for _, count in paragraphs)
    if total > 1:
        _print_error("error", f"{total} problems")
    lines_left = _SCREEN_LINES
    for index, (lines, _) in enumerate(paragraphs):
        hidden = sum(count for _, count in paragraphs[index:])
        if index and len(lines) > lines_left and not _all_problems_wanted():
            err.print(
                f"  ... and {hidden} more; to see them all, set ACSGEN_ALL_PROBLEMS=1",
                soft_wrap=True,
            )
            return
        if total == 1:
            _print_error("error", lines[0].strip())
            lines = lines[1:]
        for line in lines:
            err.print(Text(line), soft_wrap=True)
        lines_left -= len(lines)


def _all_problems_wanted() -> bool:
    return bool(os.environ.get("ACSGEN_ALL_PROBLEMS"))


def _paragraphs(problems: tuple[Problem, ...]) -> list[tuple[list[str], int]]:
    """Return wrapped lines for each group of like problems, with how many it stands for."""
    places: dict[tuple[str, str], list[str]] = {}
    for problem in problems:
        places.setdefault((problem.what, problem.remedy), []).append(problem.where)
    paragraphs = []
    for (what, remedy), where in places.items():
        place = ", ".join(w for w in where if w)
        if len(where) > 1 and len(place) > 3 * _SCREEN_COLUMNS and not _all_problems_wanted():
            place = f"{place[: 3 * _SCREEN_COLUMNS].rsplit(', ', 1)[0]}, ... ({len(where)} places)"
        lines = _wrap(f"{place}: {what}" if place else what, "  ", "    ")
        if remedy:
            first, *more = remedy.splitlines()
            lines += _wrap(first, "    -> ", "       ")
            # Further lines are code, to be copied as they are.
            lines += [f"           {printable(line)}" for line in more]
        paragraphs.append((lines, len(where)))
    return paragraphs


def _wrap(text: str, first: str, rest: str) -> list[str]:
    """Break text into lines, never inside a word: paths stay whole, to be copied."""
    width = max(40, min(err.width, _SCREEN_COLUMNS))
    return textwrap.wrap(
        printable(text),
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _print_error(label: str, text: str) -> None:
    message = Text(f"acsgen: {label}: ", style="bold red")
    message.append(text, style="default not bold")
    err.print(message, soft_wrap=True)


def _os_problem(error: OSError) -> Problem:
    if isinstance(error, shutil.Error):
        return Problem(first_of_copy(error)[1], plain_os_error(error), _CHECK_DISK)
    where = " -> ".join(str(name) for name in (error.filename, error.filename2) if name)
    return Problem(where, plain_os_error(error), _CHECK_DISK)


class StageDisplay:
    """Shows the stages of a long command as they pass, each with the time it took.

    On a terminal the running stage has a spinner; elsewhere (a log, a pipe) each finished stage is
    one plain line.  Long commands call the instance as ``on_stage``: with the stage's name when it
    starts, and again with ``done`` and ``total`` as it advances.
    """

    def __init__(self) -> None:
        self._stage = ""
        self._started = 0.0
        self._status = out.status("") if out.is_terminal else None
        self._ended = threading.Event()
        self._ticker = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> StageDisplay:
        if self._status:
            self._status.start()
        self._ticker.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        if self._status:
            self._status.stop()
        self._finish(_OK if error is None else "failed")

    def __call__(self, stage: str, done: int = 0, total: int = 0) -> None:
        """Note that ``stage`` runs, with ``done`` of ``total`` steps behind it."""
        if stage != self._stage:
            self._finish(_OK)
            self._stage, self._started = stage, time.monotonic()
        if self._status:
            self._status.update(f"{stage} {done}/{total}" if total else stage)

    def advance(self, done: int, total: int) -> None:
        """Note that the stage that runs has ``done`` of ``total`` steps behind it."""
        self(self._stage, done, total)

    def _tick(self) -> None:
        """Tell now and then that a long stage still runs."""
        told = _FIRST_WORD_AFTER
        stage = ""
        while not self._ended.wait(1.0):
            if self._stage != stage:
                stage, told = self._stage, _FIRST_WORD_AFTER
            seconds = time.monotonic() - self._started
            if stage and seconds >= told:
                told *= 2
                if self._status:
                    self._status.update(f"{stage} ({seconds:.0f} s)")
                else:
                    out.print(
                        f"  {stage} runs for {seconds:.0f} s ...", style="dim", soft_wrap=True
                    )

    def _finish(self, word: str) -> None:
        if self._stage:
            seconds = time.monotonic() - self._started
            style = "green" if word == _OK else "red"
            line = Text.assemble(f"  {self._stage:<46}", (f"{word:<6}", style))
            line.append(f" {seconds:6.1f} s", style="dim")
            out.print(line, soft_wrap=True)
            self._stage = ""
