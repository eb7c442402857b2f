"""Errors meant for people, shared by every stage.

Two kinds, matching the two exit statuses of the command line:

* :class:`UserError` (exit status 2): the input is bad.  It carries *all* problems found, each with
  the place, the reason and a remedy, so that a user fixes a model in one round instead of ten.
* :class:`CheckFailed` (exit status 1): the input was fine but a check (bit-exactness, a limit)
  failed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One fault: its place, its description, and a remedy."""

    where: str
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text} ({self.remedy})" if self.remedy else text


class UserError(Exception):
    """Bad input, with every problem found.  The command line prints it and exits with status 2."""

    def __init__(self, problems: Sequence[Problem | str] | Problem | str) -> None:
        if isinstance(problems, (Problem, str)):
            problems = [problems]
        self.problems: tuple[Problem, ...] = tuple(
            p if isinstance(p, Problem) else Problem("", p) for p in problems
        )
        super().__init__("\n".join(str(p) for p in self.problems))


class CheckFailed(Exception):
    """A check failed on good input.  The command line prints it and exits with status 1."""
