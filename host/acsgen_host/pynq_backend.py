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
from typing import Any, Hashable, Iterator

import numpy as np
import pynq
import pynq.pl_server

from . import isa
from .errors import BackendError, HostError, Problem
from .handoff import REMEDY, VLNV, HandoffEngine, check_handoff
from .programmable_logic import LoadedDesign, locked

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
    engine: Hashable
    has_interrupt: bool

    def __init__(self, overlay: Any, ip_name: str | None = None) -> None:
        """Take the engine of an overlay that is loaded: the one of this name, or the only one.

        Raises :class:`BackendError` if there is none, or more than one.
        """
        self._overlay = overlay
        self._ip_name = _find(overlay) if ip_name is None else ip_name
        self._design = LoadedDesign(overlay, _state_folder())
        self._bind()
        address = _description(overlay, self._ip_name)["phys_addr"]
        self.engine = ("pynq", overlay.device.tag, address)

    @classmethod
    def load(cls, bitstream: str | Path, ip_name: str | None = None) -> PynqBackend:
        """Load a bitstream; its ``.hwh`` lies beside it.

        The .hwh is compared with what the driver needs before the bitstream is loaded, and it is
        read anew: pynq 3 otherwise takes what it kept of the .hwh that came with the same .bit.

        Raises:
            BackendError: a file is missing, the .hwh is not the engine's, or pynq finds no device.
            EngineBusy: another process uses the engine and does not let go of it.
        """
        path = Path(bitstream).resolve()
        missing = [p for p in (path, path.with_suffix(".hwh")) if not p.is_file()]
        if missing:
            raise BackendError([Problem(str(p), "is not there", REMEDY) for p in missing])
        engines = check_handoff(path.with_suffix(".hwh"), ip_name)
        with _said_of(path, "cannot load it"), locked(pynq.Device.active_device.tag):
            _forget_metadata()
            overlay = pynq.Overlay(str(path), download=False)
            _compare(overlay, path, engines)
            overlay.download()
            return cls(overlay, ip_name)

    @contextlib.contextmanager
    def hold(self) -> Iterator[None]:
        """Keep other processes away, and require that the overlay's design is still loaded."""
        with locked(self._overlay.device.tag):
            if self._design.reloaded():
                self._bind()
            yield

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
        # Otherwise pynq loads the file that it put beside the kernel's firmware before, whose name
        # is that of every bitstream with the same stem.
        self._overlay.binfile_name = ""
        with _said_of(self._overlay.bitfile_name, "cannot load it again"):
            self._overlay.download()
            self._design.refresh()
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
        """Wait; False without an event loop to wait in, as in a notebook, or a valid interrupt."""
        assert self._interrupt is not None
        try:
            loop = asyncio.get_event_loop()
        except RuntimeError:
            return False
        if loop.is_running() or loop.is_closed():
            return False
        waiting = asyncio.wait_for(self._interrupt.wait(), min(seconds, INTERRUPT_SECONDS))
        # The caller looks at the registers either way.
        try:
            loop.run_until_complete(waiting)
        except asyncio.TimeoutError:
            pass
        except RuntimeError:
            # pynq makes its interrupts void when another overlay is loaded; the engine may be there
            # nevertheless, as the registers tell.
            return False
        return True


@contextlib.contextmanager
def _said_of(path: object, what: str) -> Iterator[None]:
    """Raise :class:`BackendError` where pynq fails, whose exceptions are of any kind.

    A .hwh of another Vivado gives KeyError or struct.error, for example, from deep inside.
    """
    try:
        yield
    except HostError:
        raise
    except Exception as error:
        kind = "" if isinstance(error, (RuntimeError, OSError)) else f"{type(error).__name__}: "
        remedy = (
            "on a board, be root in pynq's environment, with XILINX_XRT=/usr set, and give a .bit "
            "and .hwh that this pynq can read"
        )
        raise BackendError(Problem(str(path), f"pynq {what}: {kind}{error}", remedy)) from error


def _find(overlay: Any) -> str:
    names = [name for name, ip in overlay.ip_dict.items() if ip.get("type") == VLNV]
    if len(names) == 1:
        return str(names[0])
    found = "more than one engine: " + ", ".join(names) if names else "no " + VLNV
    raise BackendError(
        Problem("overlay", "has " + found, "name the engine's IP of the block design (ip_name)")
    )


def _state_folder() -> Path:
    """Where pynq 3 keeps what all processes know; other versions have no such files there."""
    return Path(pynq.pl_server.__file__).parent


def _forget_metadata() -> None:
    """Remove what pynq keeps of the last .hwh: it goes by the content of the .bit alone."""
    kept = _state_folder() / "_current_metadata.pkl"
    try:
        kept.unlink()
    except FileNotFoundError:
        pass
    except OSError as error:
        raise BackendError(
            Problem(
                str(kept),
                f"may be of another .hwh, and cannot be removed: {error.strerror}",
                "be root, with the card mounted for writing",
            )
        ) from error


def _compare(overlay: Any, path: Path, engines: list[HandoffEngine]) -> None:
    """Raise :class:`BackendError` unless pynq finds the engines where the .hwh has them."""
    addresses = {ip.get("phys_addr") for ip in overlay.ip_dict.values() if ip.get("type") == VLNV}
    for engine in engines:
        if engine.base not in addresses:
            found = ", ".join(f"{address:#x}" for address in sorted(addresses)) or "nowhere"
            raise BackendError(
                Problem(
                    str(path.with_suffix(".hwh")),
                    f"has {engine.name} at {engine.base:#x}, pynq has its engines at {found}",
                    "pynq reads another .hwh: restart the notebook or the board",
                )
            )


def _description(overlay: Any, ip_name: str) -> Any:
    if ip_name not in overlay.ip_dict:
        known = ", ".join(overlay.ip_dict) or "nothing"
        raise BackendError(
            Problem("overlay", f"has no IP {ip_name}; it has {known}", "see the .hwh")
        )
    return overlay.ip_dict[ip_name]
