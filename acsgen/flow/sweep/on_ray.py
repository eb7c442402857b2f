"""The same work on the machines of a Ray cluster (https://docs.ray.io), which schedules it.

Every machine needs this acsgen and a C++ compiler. Model files travel with the work; data sets and
board files that are named by a path have to be at that path on every machine.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import socket
import tempfile
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from acsgen.flow.sweep.identity import code_digest
from acsgen.flow.sweep.jobs import Job, Measurement, Outcome, Training, perform
from acsgen.support.errors import Problem, UserError
from acsgen.support.fsutil import plain_os_error, write_whole

#: Times that a piece is tried again on another machine when the one that it runs on goes away.
_RETRIES = 2

#: Seconds that the cluster may take to accept a connection.
_PATIENCE = 15.0


class RayPool:
    """Machines of a Ray cluster.

    Args:
        address: of the cluster: ``HOST:PORT``, ``ray://HOST:PORT``, or ``auto`` for the one that
            this machine belongs to.
        pieces: how many pieces of work at once; None for as many as the cluster has processors.
        threads: of each, for torch.

    Raises:
        UserError: ray is not installed, or there is no cluster at the address.
    """

    here = False

    def __init__(self, address: str, pieces: int | None, threads: int) -> None:
        check_ray()
        _require_answer(address)
        # Its annotations leave out keywords that its documentation has.
        ray: Any = import_module("ray")
        self._ray = ray
        try:
            ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
        except Exception as error:  # ray raises exceptions of many types here
            reason = str(error).strip().splitlines() or [type(error).__name__]
            raise _no_cluster(address, reason[0]) from error
        cpus = int(ray.cluster_resources().get("CPU", 1))
        self.slots = pieces or max(1, cpus // threads)
        nodes = sum(1 for node in ray.nodes() if node["Alive"])
        self.title = f"{nodes} Ray nodes with {cpus} processors"
        self._perform = ray.remote(num_cpus=threads, max_retries=_RETRIES)(_perform_there)
        self._threads = threads
        self._running: dict[Any, Job] = {}
        self._models: dict[str, Any] = {}

    def submit(self, job: Job) -> None:
        """Start a piece of work."""
        content = None
        if isinstance(job, Measurement):
            # Each model is sent once; Ray copies it from machine to machine.
            if job.digest not in self._models:
                self._models[job.digest] = self._ray.put(job.request.model.read_bytes())
            content = self._models[job.digest]
            job_there: Job = replace(job, scratch=None)
        else:
            job_there = replace(job, folder=None)
        here = Path.cwd()
        reference = self._perform.remote(job_there, content, code_digest(), self._threads, here)
        self._running[reference] = job

    def wait(self) -> list[tuple[Job, Outcome]]:
        """Return work that is done, after waiting for the first of it."""
        ready, _ = self._ray.wait([*self._running], num_returns=1)
        done = []
        for reference in ready:
            job = self._running.pop(reference)
            try:
                # A full disk of one machine does not end the work of the others.
                done.append((job, replace(self._ray.get(reference), full_disk=False)))
            except Exception as error:  # the machine or its process went away
                reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
                done.append((job, Outcome("failed", f"Ray: {reason}")))
        return done

    def close(self) -> None:
        """End all work on the cluster, and leave it."""
        for reference in self._running:
            self._ray.cancel(reference, force=True)
        self._running.clear()
        self._ray.shutdown()


def _require_answer(address: str) -> None:
    """Refuse an address where nobody listens, for which Ray itself would wait many minutes.

    Raises:
        UserError: nobody does.
    """
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not colon or not port.isdecimal():
        return  # auto, or a name that Ray resolves
    try:
        socket.create_connection((host.strip("[]"), int(port)), _PATIENCE).close()
    except (OSError, OverflowError) as error:
        reason = plain_os_error(error) if isinstance(error, OSError) else "no such port"
        raise _no_cluster(address, reason) from error


def _no_cluster(address: str, reason: str) -> UserError:
    remedy = "start one with ray start --head, and give its address"
    return UserError(Problem(f"--ray {address}", f"no cluster answers: {reason}", remedy))


def check_ray() -> None:
    """Refuse to work on Ray without it.

    Raises:
        UserError: it is not installed.
    """
    if find_spec("ray") is None:
        raise UserError(Problem("--ray", "ray is not installed", "pip install 'acsgen[ray]'"))


def _perform_there(
    job: Job, content: bytes | None, code: str, threads: int, folder: Path
) -> Outcome:
    """Do a piece of work on a machine of the cluster, in the working directory of the sweep."""
    import torch

    if code_digest() != code:
        what = f"{socket.gethostname()} has another acsgen than the machine of the sweep"
        return Outcome("failed", f"{what}: install the same one on all")
    torch.set_num_threads(threads)
    # Relative paths mean the same as in the command, where the file system is shared.
    with contextlib.suppress(OSError):
        os.chdir(folder)
    if isinstance(job, Training) or content is None:
        return perform(job)
    return perform(job.with_model(_model_file(job.request.model.name, job.digest, content)))


def _model_file(name: str, digest: str, content: bytes) -> Path:
    """Return a file of this machine with the content of a model file, and its name."""
    folder = _folder() / digest
    folder.mkdir(exist_ok=True)
    path = folder / name
    if not path.exists():
        write_whole(path, content)
    return path


@functools.cache
def _folder() -> Path:
    """A folder of this process alone, which its end removes."""
    made = tempfile.TemporaryDirectory(prefix="acsgen-sweep-")
    _KEPT.append(made)
    return Path(made.name)


_KEPT: list[tempfile.TemporaryDirectory[str]] = []
