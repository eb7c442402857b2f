"""Finds the command-line tools that the simulations need, or says how to install them."""

from __future__ import annotations

import os
import shutil
import subprocess

from acsgen.support.errors import Problem, UserError


def find_tool(name: str, variable: str, purpose: str, remedy: str) -> str:
    """Return the path of a tool: the one that an environment variable names, else on the PATH.

    Args:
        name: the usual command.
        variable: environment variable that names another one.
        purpose: the part of acsgen that needs it, for the message.
        remedy: how to install it.

    Raises :class:`UserError` where there is none.
    """
    named = os.environ.get(variable)
    found = shutil.which(named or name)
    if found is None:
        what = f"{named}, which {variable} names, is not there" if named else f"{name} is not there"
        raise UserError(Problem(purpose, what, other_tool(variable, remedy)))
    return found


def other_tool(variable: str, remedy: str) -> str:
    """Return what to do about a tool that is no good: it may be the user who named it."""
    return f"unset {variable}, or name another" if os.environ.get(variable) else remedy


def tool_version(command: str) -> str:
    """Return the first line of ``command --version``, or "unknown" where it has none."""
    try:
        finished = subprocess.run(
            [command, "--version"], capture_output=True, text=True, check=False, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return (finished.stdout.strip().splitlines() or ["unknown"])[0]
