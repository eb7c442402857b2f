"""Runs a tool: its output as it comes, a limit of time, and no process left behind."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType

from acsgen.support.errors import CheckFailed, Problem, UserError
from acsgen.support.fsutil import plain_os_error

#: Seconds that a tool has to end when it is told to.
_GRACE = 10.0

#: Longest line that is kept; the rest of it is dropped.
_MAX_LINE = 4000


def run_tool(
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    log: Path,
    limit: float,
    on_line: Callable[[str], None],
) -> int:
    """Run a command to its end; return its exit status.

    The command has a process group of its own, which is ended with it: at the limit of time, at an
    interruption of this process (SIGINT, SIGTERM, SIGHUP), and where it leaves others behind.

    Args:
        command: program and arguments.
        folder: to run in.
        environment: of the command.
        log: file for all that it prints.
        limit: seconds that it may take.
        on_line: called for each line.

    Raises:
        CheckFailed: the limit is reached.
        UserError: the program cannot be started.
    """
    lines: queue.Queue[str | None] = queue.Queue()
    with log.open("w", encoding="utf-8") as kept, _ended_by_signals():
        try:
            process = subprocess.Popen(
                list(command),
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                text=True,
                encoding="utf-8",
                errors="replace",
            )
        except OSError as error:
            raise UserError(
                Problem(command[0], f"cannot be started: {plain_os_error(error)}", "install it")
            ) from error
        reader = threading.Thread(target=_read, args=(process, lines), daemon=True)
        reader.start()
        try:
            deadline = time.monotonic() + limit
            for line in _until(lines, process, deadline):
                kept.write(f"{line}\n")
                kept.flush()
                on_line(line)
            return process.wait(timeout=max(0.1, deadline - time.monotonic()))
        except (TimeoutError, subprocess.TimeoutExpired) as error:
            raise CheckFailed(
                f"{Path(command[0]).name} was stopped after {limit / 60:.4g} minutes, the limit of "
                f"--timeout; its log is {log}"
            ) from error
        finally:
            _end(process)


def _read(process: subprocess.Popen[str], lines: queue.Queue[str | None]) -> None:
    """Pass on what a process prints, and None at its end."""
    assert process.stdout is not None
    with contextlib.suppress(ValueError, OSError):  # the pipe is closed when the process is ended
        for line in process.stdout:
            lines.put(line.rstrip("\n")[:_MAX_LINE])
    lines.put(None)


def _until(
    lines: queue.Queue[str | None], process: subprocess.Popen[str], deadline: float
) -> Iterator[str]:
    """Yield lines until the output ends; raise :class:`TimeoutError` at the deadline."""
    while True:
        if time.monotonic() > deadline:
            raise TimeoutError
        try:
            line = lines.get(timeout=0.2)
        except queue.Empty:
            # Children that the process left behind may hold its output open.
            if process.poll() is not None:
                return
            continue
        if line is None:
            return
        yield line


def _end(process: subprocess.Popen[str]) -> None:
    """End the process group: politely, then by force."""
    for number, grace in ((signal.SIGTERM, _GRACE), (signal.SIGKILL, 1.0)):
        try:
            os.killpg(process.pid, number)
        except (ProcessLookupError, PermissionError):
            break
        ends = time.monotonic() + grace
        while time.monotonic() < ends:
            process.poll()
            try:
                os.killpg(process.pid, 0)
            except (ProcessLookupError, PermissionError):
                break
            time.sleep(0.05)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=1.0)
    if process.stdout is not None:
        with contextlib.suppress(OSError):
            process.stdout.close()


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the run as Ctrl-C does, so that no tool goes on alone."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
