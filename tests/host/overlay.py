"""The driver's pynq back end on a simulated board; only in an environment that has pynq."""

from __future__ import annotations

import contextlib
from pathlib import Path

from acsgen_host.pynq_backend import VLNV, PynqBackend
from acsgen_host.simulation.board import SimulatedBoard

from .fake_pynq import FakeDevice, write_overlay


def pynq_backend(
    stack: contextlib.ExitStack, board: SimulatedBoard, folder: Path, interrupt: bool
) -> PynqBackend:
    """Load an overlay on a board that stays pynq's active device until ``stack`` unwinds."""
    stack.enter_context(FakeDevice(board, interrupt).active())
    return PynqBackend.load(write_overlay(folder, VLNV, interrupt))
