"""The driver and other processes: forks, pools, copies, and what a lock is worth then."""

from __future__ import annotations

import copy
import multiprocessing
import os
import pickle
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from acsgen_host import (
    Accelerator,
    BackendError,
    EngineBusy,
    EngineFault,
    EngineTimeout,
    HostError,
    InputError,
)
from acsgen_host.errors import Problem
from acsgen_host.programmable_logic import lock_path, locked

from .conftest import Prepared
from .test_simulate import folder as folder

pytestmark = pytest.mark.xdist_group("driver")


def in_fork(work: Callable[[], str], seconds: float = 20.0) -> str:
    """Return the text that a forked process makes; one that hangs is a failure."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writing, work().encode())
        except BaseException as error:
            os.write(writing, f"{type(error).__name__}: {error}".encode())
        os._exit(0)
    os.close(writing)
    watch = threading.Timer(seconds, os.kill, (child, signal.SIGKILL))
    watch.start()
    try:
        with os.fdopen(reading, "rb") as pipe:
            return pipe.read().decode()
    finally:
        watch.cancel()
        os.waitpid(child, 0)


def test_a_fork_does_not_use_the_memory_of_its_parent(folder: Path, prepared: Prepared) -> None:
    """Both would write their images into it, and get each other's results."""
    uses: list[Callable[[Accelerator], Any]] = [
        lambda a: a.run(prepared.images[0]),
        lambda a: a.infer([]),
        lambda a: a.set_strictness(0.6),
        lambda a: a.thresholds,
        lambda a: a.registers(),
        lambda a: a.selftest(1),
        lambda a: a.__enter__(),
    ]
    with Accelerator.simulate(folder) as accelerator:
        for use in uses:
            said = in_fork(lambda use=use: str(use(accelerator)))  # type: ignore[misc]
            assert said.startswith("BackendError: engine: this accelerator was made by process"), (
                said
            )
            assert str(os.getpid()) in said
        # Its end, and its close, take nothing from the parent.
        assert in_fork(lambda: str(accelerator.close())) == "None"
        prepared.check("trained", accelerator.run_many(prepared.images))


def test_a_fork_while_a_thread_runs_images(folder: Path, prepared: Prepared) -> None:
    """The locks that this thread holds are held for ever in the fork: neither may be waited for."""

    def own() -> str:
        with Accelerator.simulate(folder) as mine:
            prepared.check("trained", mine.run_many(prepared.images))
        return "right"

    with Accelerator.simulate(folder) as accelerator, accelerator._share.lock, accelerator._lock:
        done = []
        thread = threading.Thread(
            target=lambda: done.extend(
                in_fork(use) for use in (lambda: str(accelerator.run(prepared.images[0])), own)
            )
        )
        thread.start()
        thread.join()
    assert done[0].startswith("BackendError"), done
    assert done[1] == "right"


def test_a_fork_does_not_keep_the_engine_locked() -> None:
    """A process that is forked in the middle of a run has a copy of the open lock file."""
    tag = f"fork-{os.getpid()}"
    try:
        with locked(tag):
            child = os.fork()
            if child == 0:
                time.sleep(20)
                os._exit(0)
        with locked(tag, 0.5):
            pass
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        lock_path(tag).unlink()


def errors() -> list[HostError]:
    timed_out = EngineTimeout(1.5, {"control": 1, "program": 2**40})
    timed_out.image, timed_out.results = 3, (np.arange(2),)
    return [
        InputError([Problem("a", "b", "c"), Problem("", "d")]),
        EngineFault("BUS_ERROR", 4, "conv", "stopped", "look"),
        EngineBusy(Problem("engine", "runs")),
        timed_out,
    ]


@pytest.mark.parametrize("error", errors(), ids=lambda error: type(error).__name__)
def test_errors_go_from_process_to_process(error: HostError) -> None:
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(other) is type(error)
        assert str(other) == str(error)
        kept = {name: value for name, value in vars(error).items() if name != "results"}
        assert {name: vars(other)[name] for name in kept} == kept
        assert len(other.results) == len(error.results)


def _fail(kind: int) -> None:
    raise errors()[kind]


def test_a_pool_passes_errors_on() -> None:
    """One that cannot be read again would leave the pool waiting for ever."""
    with multiprocessing.get_context("fork").Pool(1) as pool:
        for index, error in enumerate(errors()):
            with pytest.raises(type(error)) as raised:
                pool.apply_async(_fail, (index,)).get(20)
            assert str(raised.value) == str(error)


def test_an_accelerator_is_not_copied(folder: Path, prepared: Prepared) -> None:
    """A copy would free the memory that the original goes on using."""
    with Accelerator.simulate(folder) as accelerator:
        for way in (copy.copy, copy.deepcopy, pickle.dumps):
            with pytest.raises(InputError, match="cannot be copied, or sent to another process"):
                way(accelerator)  # type: ignore[operator]
        result = pickle.loads(pickle.dumps(accelerator.infer(prepared.images)))
        prepared.check("trained", list(result))


def test_a_lock_without_a_folder_or_a_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def full(*_: Any) -> int:
        raise OSError(28, "No space left on device")

    def nowhere() -> str:
        raise FileNotFoundError(2, "No usable temporary directory found")

    tag = f"disk-{os.getpid()}"
    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", full)
        with locked(tag):
            pass
    lock_path(tag).unlink()
    monkeypatch.setattr(os, "access", lambda *_: False)
    monkeypatch.setattr("tempfile.gettempdir", nowhere)
    with pytest.raises(BackendError, match="set TMPDIR"), locked(tag):
        pass
