"""Progress of long work, for the functions that do it and the command line that shows it."""

from __future__ import annotations

from typing import Protocol


class OnStage(Protocol):
    """A function that long work calls to tell its progress."""

    def __call__(self, stage: str, done: int = 0, total: int = 0) -> None:
        """``stage`` starts, or has ``done`` of ``total`` steps behind it."""


def ignore_stages(stage: str, done: int = 0, total: int = 0) -> None:
    """Tell nobody: the default of :class:`OnStage` arguments."""
