"""Processes that do a sweep's work: one that dies takes its own piece with it, and nothing else."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from acsgen.flow.sweep.jobs import Outcome, perform
from acsgen.flow.sweep.local import LocalPool
from acsgen.support.errors import CheckFailed, UserError
from tests.flow.sweep.conftest import environment


@dataclass(frozen=True)
class Piece:
    """A piece of work that does what its name says."""

    what: str
    file: Path | None = None

    def run(self) -> Outcome:
        match self.what:
            case "die":
                os.kill(os.getpid(), signal.SIGKILL)
            case "exit":
                os._exit(3)
            case "refuse":
                raise UserError("no")
            case "check":
                raise CheckFailed("differs")
            case "defect":
                raise ZeroDivisionError("by zero")
            case "full":
                raise UserError("cannot be written") from OSError(28, "No space left on device")
            case "full copy":
                entry = ("a", "to/b", "[Errno 28] No space left on device: 'to/b'")
                raise shutil.Error([entry])
            case "compiler":
                assert self.file is not None
                # As a compiler: a process of the process, which notes that it lives.
                note = ["sh", "-c", 'echo $$ > "$1"; exec sleep 600', "sh", str(self.file)]
                subprocess.run(note, check=False)
        return Outcome("done", figures={"process": os.getpid()})


@pytest.fixture
def pool() -> Iterator[LocalPool]:
    pool = LocalPool(2, 1)
    yield pool
    pool.close()


def outcomes(pool: LocalPool, *names: str) -> dict[str, Outcome]:
    todo: list[Any] = [Piece(name) for name in names]
    found: dict[str, Outcome] = {}
    running = 0
    while todo or running:
        while todo and running < pool.slots:
            pool.submit(todo.pop(0))
            running += 1
        for piece, outcome in pool.wait():
            found[piece.what] = outcome  # type: ignore[union-attr]
            running -= 1
    return found


def test_a_process_that_dies_takes_its_own_piece_alone(pool: LocalPool) -> None:
    found = outcomes(pool, "work", "die", "more", "exit", "again")
    assert {name: outcome.status for name, outcome in found.items()} == {
        "work": "done",
        "die": "failed",
        "more": "done",
        "exit": "failed",
        "again": "done",
    }
    assert "ended by SIGKILL, as the system does when memory is short" in found["die"].reason
    assert "status 3" in found["exit"].reason
    assert os.getpid() not in {o.figures.get("process") for o in found.values()}


@pytest.mark.unit
@pytest.mark.parametrize(
    ("what", "status", "reason"),
    [
        ("work", "done", ""),
        ("refuse", "refused", "no"),
        ("check", "check", "differs"),
        ("defect", "failed", "a defect of acsgen, not of the input: ZeroDivisionError: by zero"),
        ("full", "failed", "cannot be written"),
        ("full copy", "failed", "to/b: no space left on the disk"),
    ],
)
def test_every_end_is_an_outcome(what: str, status: str, reason: str) -> None:
    outcome = perform(Piece(what))  # type: ignore[arg-type]
    assert (outcome.status, outcome.reason) == (status, reason)
    assert outcome.full_disk == what.startswith("full")
    assert ("Traceback" in outcome.trace) == (what == "defect")


@pytest.mark.parametrize("how", ["close", "kill"])
def test_all_ends_with_the_process_that_began_it(tmp_path: Path, how: str) -> None:
    """Its processes, and the compilers that they run, when the pool is closed or all is killed."""
    script = f"""
import sys, time
from pathlib import Path
from acsgen.flow.sweep.local import LocalPool
from tests.flow.sweep.test_local import Piece
if __name__ == "__main__":
    pool = LocalPool(1, 1)
    pool.submit(Piece("compiler", Path(sys.argv[1])))
    while not Path(sys.argv[1]).exists() or not Path(sys.argv[1]).read_text():
        time.sleep(0.1)
    if {how == "close"}:
        pool.close()
    print("ready", flush=True)
    time.sleep(600)
"""
    file, program = tmp_path / "pid", tmp_path / "program.py"
    program.write_text(script)
    parent = subprocess.Popen(
        [sys.executable, str(program), str(file)], stdout=subprocess.PIPE, env=environment()
    )
    assert parent.stdout is not None
    assert parent.stdout.readline() == b"ready\n"
    compiler = int(file.read_text())
    if how == "kill":
        assert alive(compiler)
        parent.kill()
    deadline = time.monotonic() + 20
    while alive(compiler) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not alive(compiler)
    parent.kill()
    parent.wait()


def alive(process: int) -> bool:
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
