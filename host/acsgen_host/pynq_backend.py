"""The engine on a board, through pynq 2.7 and later.

Only this module imports pynq.  Of pynq it uses the parts that all versions have: the overlay, plain
MMIO offsets, ``allocate``, and the interrupt where the design has one on an AXI interrupt
controller.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from pathlib import Path
from typing import Any

import numpy as np
import pynq

from . import isa
from .errors import BackendError, Problem

#: Vendor, library, name and version of the IP, as both engines are packaged.
VLNV = "xilinx.com:hls:acs_engine:1.0"

#: Seconds between two looks at the engine where there is no interrupt.
POLL_SECONDS = 50e-6

#: Longest wait for an interrupt before the registers are looked at nevertheless.
INTERRUPT_SECONDS = 0.5


class AcsEngineIP(pynq.DefaultIP):  # type: ignore[misc]
    """Makes ``overlay.acs_engine_0`` an object of this class, by the IP's name and version."""

    bindto = [VLNV]  # noqa: RUF012 (pynq's way)


class PynqBuffer:
    """A buffer of ``pynq.allocate``: contiguous, and behind the processors' caches."""

    def __init__(self, memory: Any) -> None:
        self._memory = memory
        self.words: np.ndarray = memory.view(np.ndarray)
        self.address = int(memory.device_address)

    def flush(self, start: int = 0, count: int = -1) -> None:
        """Write back the caches of ``count`` words from ``start``."""
        end = len(self.words) if count < 0 else start + count
        self._memory[start:end].flush()

    def invalidate(self) -> None:
        """Forget the caches' copy of the buffer."""
        self._memory.invalidate()

    def free(self) -> None:
        """Give the memory back."""
        # Newer versions of pynq free it when nobody refers to it any more.
        memory, self._memory, self.words = self._memory, None, np.zeros(0, np.uint64)
        memory.freebuffer()


class PynqBackend:
    """An engine in a loaded overlay."""

    name = "pynq"

    def __init__(self, overlay: Any, ip_name: str | None = None) -> None:
        """Take the engine of an overlay that is loaded: the one of this name, or the only one.

        Raises :class:`BackendError` if there is none, or more than one.
        """
        self._overlay = overlay
        self._ip_name = _find(overlay) if ip_name is None else ip_name
        self._bind()

    @classmethod
    def load(cls, bitstream: str | Path, ip_name: str | None = None) -> PynqBackend:
        """Load a bitstream; its ``.hwh`` lies beside it.

        Raises :class:`BackendError` if a file is missing or pynq finds no device.
        """
        path = Path(bitstream).resolve()
        missing = [p for p in (path, path.with_suffix(".hwh")) if not p.is_file()]
        if missing:
            remedy = "copy the .bit and the .hwh of one Vivado run, both with the same stem"
            raise BackendError([Problem(str(p), "is not there", remedy) for p in missing])
        try:
            return cls(pynq.Overlay(str(path)), ip_name)
        except (RuntimeError, OSError, ValueError) as error:
            raise BackendError(
                Problem(
                    str(path),
                    f"pynq cannot load it: {error}",
                    "on a board, be root in pynq's environment, with XILINX_XRT=/usr set",
                )
            ) from error

    def read(self, offset: int) -> int:
        """Return the 32-bit register at a byte offset."""
        return int(self._mmio.read(offset))

    def write(self, offset: int, value: int) -> None:
        """Write a 32-bit register."""
        self._mmio.write(offset, int(value))

    def allocate(self, words: int) -> PynqBuffer:
        """Return a buffer of so many 64-bit words."""
        try:
            return PynqBuffer(pynq.allocate((words,), np.uint64, target=self._ip.device))
        except (RuntimeError, OSError, MemoryError) as error:
            raise BackendError(
                Problem(
                    self.name,
                    f"no contiguous memory for {isa.WORD_BYTES * words} bytes: {error}",
                    "close other programs that hold buffers, or give Linux more CMA memory",
                )
            ) from error

    def wait(self, seconds: float, interrupt: bool) -> None:
        """Sleep until the interrupt, or for a moment."""
        if interrupt and self.has_interrupt and self._wait_for_interrupt(seconds):
            return
        time.sleep(min(seconds, POLL_SECONDS))

    def reset(self) -> bool:
        """Load the bitstream again: the engine has no reset of its own that Python reaches."""
        self._overlay.download()
        self._bind()
        return True

    def close(self) -> None:
        """Do nothing: the overlay stays loaded."""

    def _bind(self) -> None:
        # A new object: after a download pynq's interrupts of the old one are void.
        description = dict(_description(self._overlay, self._ip_name))
        description.setdefault("device", self._overlay.device)
        self._ip = AcsEngineIP(description)
        self._mmio = self._ip.mmio
        # None where Linux has no UIO device for it; absent where it is on no interrupt controller.
        self._interrupt = getattr(self._ip, "interrupt", None)
        self.has_interrupt = self._interrupt is not None

    def _wait_for_interrupt(self, seconds: float) -> bool:
        """Wait; False where a notebook or a thread leaves no event loop to wait in."""
        assert self._interrupt is not None
        try:
            loop = asyncio.get_event_loop()
        except RuntimeError:
            return False
        if loop.is_running() or loop.is_closed():
            return False
        waiting = asyncio.wait_for(self._interrupt.wait(), min(seconds, INTERRUPT_SECONDS))
        # The caller looks at the registers either way.
        with contextlib.suppress(asyncio.TimeoutError):
            loop.run_until_complete(waiting)
        return True


def _find(overlay: Any) -> str:
    kind = VLNV.rpartition(":")[0]
    names = [n for n, ip in overlay.ip_dict.items() if str(ip.get("type")).startswith(kind + ":")]
    if len(names) == 1:
        return str(names[0])
    found = "more than one engine: " + ", ".join(names) if names else "no " + kind
    raise BackendError(
        Problem("overlay", "has " + found, "name the engine's IP of the block design (ip_name)")
    )


def _description(overlay: Any, ip_name: str) -> Any:
    if ip_name not in overlay.ip_dict:
        known = ", ".join(overlay.ip_dict) or "nothing"
        raise BackendError(
            Problem("overlay", f"has no IP {ip_name}; it has {known}", "see the .hwh")
        )
    return overlay.ip_dict[ip_name]
