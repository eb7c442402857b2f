"""Which design the programmable logic holds, as far as pynq tells, and whose turn it is.

Every process that uses this package locks one file while it loads a bitstream and while the engine
runs.  Programs that load bitstreams without it do not wait for that; those that use pynq leave a
trace, which is looked at before every run: the time stamp of pynq's device for this process, and
the state file that pynq 3 keeps for all.  A bitstream that is loaded past pynq is seen only by the
engine's own registers.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import tempfile
import time
from pathlib import Path
from typing import Any, Iterator

from .errors import BackendError, EngineBusy, EngineTaken, Problem
from .jsontext import load_json

#: Seconds to wait for another process.
LOCK_SECONDS = 60.0

#: Seconds between two looks at the lock.
LOOK_SECONDS = 1e-3

#: pynq 3.0 and 3.1 name the state file of the board's device like this.
STATE_NAMES = ("global_pl_state_.json", "global_pl_state.json")


@contextlib.contextmanager
def locked(tag: str, seconds: float = LOCK_SECONDS) -> Iterator[None]:
    """Keep the other processes that use this package from a device's programmable logic.

    The file is opened each time, so that a process that was forked is another one too, and unlocked
    before it is closed: a process that is forked meanwhile has a copy of the open file.

    Raises:
        EngineBusy: another process did not let go of it.
        BackendError: the file cannot be opened.
    """
    path = lock_path(tag)
    try:
        try:
            file = os.open(str(path), os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            file = os.open(str(path), os.O_RDWR | os.O_CLOEXEC | os.O_CREAT, 0o666)
    except OSError as error:
        raise BackendError(
            Problem(str(path), f"cannot be opened: {error.strerror}", "be root, or remove it")
        ) from error
    try:
        _lock(file, path, seconds)
        # Only for the message of whoever waits; a full disk is no reason not to run.
        with contextlib.suppress(OSError):
            os.ftruncate(file, 0)
            os.pwrite(file, str(os.getpid()).encode(), 0)
        try:
            yield
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)
    finally:
        os.close(file)


def lock_path(tag: str) -> Path:
    """Return the file that is locked for the device of this tag.

    Raises :class:`BackendError` where no folder can be written to.
    """
    system = Path("/run/lock")
    try:
        folder = system if os.access(str(system), os.W_OK) else Path(tempfile.gettempdir())
    except OSError as error:
        what = "cannot be written to, and no folder for temporary files either"
        remedy = "be root, or set TMPDIR to a folder that all programs on this board can write to"
        raise BackendError(Problem(str(system), what, remedy)) from error
    return folder / "acsgen-host-{}.lock".format(re.sub(r"\W", "_", tag))


class LoadedDesign:
    """The design that an overlay needs in the programmable logic."""

    def __init__(self, overlay: Any, state_folder: Path) -> None:
        """Take what is loaded now for the overlay's design, if pynq says that the overlay is.

        ``state_folder`` is where pynq keeps its state file.
        """
        self._device = overlay.device
        self._path = str(overlay.bitfile_name)
        self._digest = _digest(self._path)
        self._states = [state_folder / name for name in STATE_NAMES]
        self._seen: tuple[int, ...] | None = None
        # An overlay that was replaced before has no stamp, so that the first look is a close one.
        self._stamp: Any = object()
        if overlay.is_loaded():
            self.refresh()

    def refresh(self) -> None:
        """Note that this process has just loaded the overlay."""
        self._stamp = getattr(self._device, "timestamp", None)

    def reloaded(self) -> bool:
        """Return whether this process has loaded the design again since the last look.

        Raises :class:`EngineTaken` if another design was loaded, by this process or another one.
        """
        self._check_state()
        stamp = getattr(self._device, "timestamp", None)
        if stamp == self._stamp:
            return False
        path = str(getattr(self._device, "bitfile_name", ""))
        if _digest(path) != self._digest:
            raise self._taken(path, stamp, "this process")
        self._stamp = stamp
        return True

    def _check_state(self) -> None:
        """Look at the state file, where there is one and it has changed."""
        for path in self._states:
            try:
                found = path.stat()
                seen = (found.st_mtime_ns, found.st_ino, found.st_size)
                if seen == self._seen:
                    return
                state = load_json(path.read_text(encoding="utf-8"))
                other, name = str(state.get("bitfile_hash", "")), str(state.get("bitfile_name", ""))
            except (OSError, ValueError, AttributeError):
                # No file, or a process is about to write it: its lock is not ours.
                continue
            if other != self._digest if other else name and name != self._path:
                raise self._taken(name, state.get("timestamp"), "another process")
            self._seen = seen
            return

    def _taken(self, path: str, stamp: Any, by: str) -> EngineTaken:
        since = f" since {stamp}" if stamp else ""
        return EngineTaken(
            Problem(
                "programmable logic",
                f"{by} loaded another design, {path or 'of no name'}{since}, in the place of "
                f"{self._path}; the engine was not started",
                "let the other program end, and load the bitstream again with PynqBackend.load",
            )
        )


def _lock(file: int, path: Path, seconds: float) -> None:
    until = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            pass
        if time.monotonic() > until:
            holder = os.pread(file, 32, 0).decode(errors="replace") or "of unknown number"
            raise EngineBusy(
                Problem(
                    "engine",
                    f"process {holder} has held it for {seconds:g} s ({path})",
                    "wait for that process, or end it",
                )
            )
        time.sleep(LOOK_SECONDS)


def _digest(path: str) -> str:
    """Return the digest of a bitstream as pynq's state file has it; nothing for no file."""
    try:
        return hashlib.sha1(Path(path).read_bytes()).hexdigest()
    except OSError:
        return ""
