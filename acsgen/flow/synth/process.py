"""Runs the tools of synthesis, which come as Python packages, in processes of their own."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from acsgen.flow.synth.netlist import SynthesisError
from acsgen.support.errors import Problem, UserError

#: Lines of a log that are shown where a tool failed.
_LINES = 30


def installed_version(package: str, where: str, title: str) -> str:
    """Return the version of a tool's package.

    Args:
        package: its name.
        where: what needs it, for the message.
        title: the tool in words.

    Raises:
        UserError: it is not installed.
    """
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        remedy = "pip install 'acsgen[synth]'"
        raise UserError(Problem(where, f"{title} is not installed", remedy)) from None


def run_python(
    code: str, arguments: Sequence[str], title: str, folder: Path | None, timeout: int
) -> str:
    """Run Python code that calls a tool; return what it prints.

    Args:
        code: to run.
        arguments: its ``sys.argv[1:]``.
        title: the tool in words.
        folder: to run in; None for the current one.
        timeout: seconds that it may take.

    Raises:
        SynthesisError: it failed, with the end of its log, or did not end in time.
    """
    try:
        finished = subprocess.run(
            [sys.executable, "-c", code, *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
            cwd=folder,
        )
    except subprocess.TimeoutExpired as error:
        raise SynthesisError(f"{title} did not end within {timeout} s") from error
    if finished.returncode != 0:
        lines = (finished.stdout + finished.stderr).splitlines()
        raise SynthesisError(f"{title} failed:\n" + "\n".join(lines[-_LINES:]))
    return finished.stdout
