"""Processes of this machine that do a sweep's work, one piece each at a time.

A process that dies (out of memory, killed, a crash in a library) takes its own piece with it and
nothing else: another process takes its place.  The processes end with the one that started them,
however that ends, and the compilers and simulators that they run end with them.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from acsgen.flow.sweep.jobs import Job, Outcome

# Processes are started afresh: a fork of a process in which torch's threads run would hang.
_PROCESSES = multiprocessing.get_context("spawn")


@dataclass
class _Worker:
    process: BaseProcess
    connection: Connection
    job: Job | None = None


class LocalPool:
    """Processes of this machine.

    Args:
        processes: how many at most.
        threads: of each, for torch.
    """

    here = True

    def __init__(self, processes: int, threads: int) -> None:
        self.slots = processes
        self.title = f"{processes} processes" if processes > 1 else "one process"
        self._threads = threads
        self._workers: list[_Worker] = []

    def submit(self, job: Job) -> None:
        """Start a piece of work; no more than :attr:`slots` at once."""
        self._workers = [w for w in self._workers if w.job is not None or w.process.is_alive()]
        worker = next((w for w in self._workers if w.job is None), None)
        if worker is None:
            worker = self._start()
            self._workers.append(worker)
        worker.job = job
        # A process that dies now is found by wait().
        with contextlib.suppress(OSError):
            worker.connection.send(job)

    def wait(self) -> list[tuple[Job, Outcome]]:
        """Return work that is done, after waiting for the first of it."""
        busy = [worker for worker in self._workers if worker.job is not None]
        ready = set(wait([thing for w in busy for thing in (w.connection, w.process.sentinel)]))
        done = []
        for worker in busy:
            job = worker.job
            assert job is not None
            if worker.connection in ready:
                try:
                    done.append((job, worker.connection.recv()))
                    worker.job = None
                    continue
                except (EOFError, OSError):
                    pass
            elif worker.process.sentinel not in ready:
                continue
            worker.process.join()
            self._workers.remove(worker)
            done.append((job, Outcome("failed", _end_of(worker.process.exitcode))))
        return done

    def close(self) -> None:
        """End all processes, whatever they do."""
        for worker in self._workers:
            _end(worker.process)
            worker.connection.close()
        self._workers.clear()

    def _start(self) -> _Worker:
        ours, theirs = _PROCESSES.Pipe()
        arguments = (theirs, self._threads)
        # Read by the process before it loads torch.
        process = _PROCESSES.Process(target=_work, args=arguments, daemon=True)
        process.start()
        theirs.close()
        return _Worker(process, ours)


def _end(process: BaseProcess) -> None:
    """Kill a process and those that it has started."""
    assert process.pid is not None
    with contextlib.suppress(OSError):  # it has ended, or has no group of its own yet
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.join()


def _end_of(code: int | None) -> str:
    """Say how a process ended."""
    if code is not None and code < 0:
        name = signal.Signals(-code).name if -code in [*signal.Signals] else f"signal {-code}"
        hint = ", as the system does when memory is short" if -code == signal.SIGKILL else ""
        return f"its process was ended by {name}{hint}"
    return f"its process ended by itself, with status {code}"


def _work(connection: Connection, threads: int) -> None:
    """Do the work that comes through ``connection``, until it closes."""
    # A group of its own: Ctrl-C at the terminal is for the process that decides what ends.
    os.setsid()
    threading.Thread(target=_end_with_parent, daemon=True).start()

    import torch

    from acsgen.flow.sweep.jobs import perform

    torch.set_num_threads(threads)
    while True:
        try:
            job = connection.recv()
        except EOFError:
            return
        connection.send(perform(job))


def _end_with_parent() -> None:
    """End this process and those it has started when the one that started it has ended."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os.killpg(os.getpid(), signal.SIGKILL)
