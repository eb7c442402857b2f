"""The work of a sweep in pieces, each of which any process can do: a training, or one point.

A piece never raises: its outcome says what went wrong, and the sweep goes on with the others.
"""

from __future__ import annotations

import errno
import tempfile
import time
import traceback
import warnings
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import numpy as np

from acsgen.flow.build import BuildRequest
from acsgen.flow.build.images import BuildImages
from acsgen.flow.build.network import (
    compare_networks,
    compile_network,
    quantize_network,
    read_network,
)
from acsgen.flow.build.pipeline import project_steps
from acsgen.flow.build.report import make_report
from acsgen.flow.build.stages import StageLog
from acsgen.flow.build.work import Work, make_plan
from acsgen.flow.sweep.figures import figures_of
from acsgen.report.file import rounded
from acsgen.support.errors import CheckFailed, UserError
from acsgen.support.fsutil import NO_ROOM, error_number, file_of, plain_os_error
from acsgen.support.progress import ignore_stages
from acsgen.train import train
from acsgen.train.recipe import Recipe

#: ``done``; ``refused``: the settings cannot be built; ``check``: a check failed on them;
#: ``failed``: the machine or acsgen failed, so that another try may succeed.
Status = Literal["done", "refused", "check", "failed"]


#: What the width of the weights does not change.
_STAYS = "a run of the same channels takes as many cycles and bytes as with 8"


@dataclass(frozen=True)
class Outcome:
    """What came of a piece of work.

    Attributes:
        status: see :data:`Status`.
        reason: in words, where it is not done.
        seconds: that it took.
        figures: of a point, by the name of the column.
        remarks: warnings, and what is to be known of the settings, in words.
        images: digest of the images that a point was measured on.
        content: the model file, of a training.
        trace: of a defect, for a report to the authors.
        full_disk: whether it found no room on a disk.
    """

    status: Status
    reason: str = ""
    seconds: float = 0.0
    figures: dict[str, Any] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    images: str = ""
    content: bytes = field(default=b"", repr=False)
    trace: str = field(default="", repr=False)
    full_disk: bool = False


@dataclass(frozen=True)
class Training:
    """A network to train.

    Attributes:
        recipe: all that determines it.
        device: to train on.
        command: recorded in the model file.
        folder: keeps the state of an interrupted training, which then goes on; None to keep none.
    """

    recipe: Recipe
    device: str
    command: str
    folder: Path | None = None

    @property
    def label(self) -> str:
        """What it is, for messages."""
        return f"train {self.recipe.name}"

    def run(self) -> Outcome:
        """Train the network; its model file is the outcome's content."""
        with tempfile.TemporaryDirectory() as scratch:
            folder = self.folder or Path(scratch)
            if (folder / f"{self.recipe.name}.state.pt").is_file():
                try:
                    return self._train(folder, resume=True)
                except UserError:  # a state that is damaged, or of another recipe
                    pass
            return self._train(folder, resume=False)

    def _train(self, folder: Path, resume: bool) -> Outcome:
        result = train(self.recipe, self.device, folder, resume, self.command)
        return Outcome("done", content=result.checkpoint.read_bytes())


@dataclass(frozen=True)
class Measurement:
    """A point to measure.

    Attributes:
        key: of the point.
        label: its values, for messages.
        request: the build.
        digest: of the model file.
        scratch: folder for files that are of no use afterwards; None for the system's.
    """

    key: str
    label: str
    request: BuildRequest
    digest: str
    scratch: Path | None = None

    def with_model(self, model: Path) -> Measurement:
        """Return the same measurement with its model file at another place."""
        return replace(self, request=replace(self.request, model=model))

    def run(self) -> Outcome:
        """Build the point as ``acsgen build`` does, and keep its figures alone."""
        with tempfile.TemporaryDirectory(dir=self.scratch) as scratch:
            plan = make_plan(replace(self.request, out=Path(scratch) / "build"))
            work = Work(plan, StageLog(keep=False))
            _quantized(work, self.digest)
            compile_network(work, ignore_stages)
            compare_networks(work, ignore_stages)
            work.folder = Path(scratch) / "project"
            work.folder.mkdir()
            for step in project_steps(plan):
                step.run(work, ignore_stages)
            report = rounded(make_report(work))
        said = (f"{report.narrow_weights}, stored in 8: {_STAYS}",) if report.narrow_weights else ()
        figures, images = figures_of(report), images_digest(work.images)
        return Outcome("done", figures=figures, remarks=said, images=images)


Job = Training | Measurement


@dataclass(frozen=True)
class _Network:
    """A quantized network.

    Attributes:
        key: all that it depends on.
        results: of the steps that made it, by the name of the attribute of
            :class:`acsgen.flow.build.work.Work`.
        remarks: warnings that it came with.
    """

    key: tuple[Any, ...]
    results: dict[str, Any]
    remarks: tuple[str, ...]


class _Last:
    """The network that a process quantized last: points that differ in thresholds, lanes, board or
    clock alone follow each other, and are not quantized again."""

    network: _Network | None = None


def _quantized(work: Work, digest: str) -> None:
    """Read and quantize the network of ``work``, unless the last point had the same one.

    Args:
        work: gets the results of these steps.
        digest: of the model file.
    """
    request = work.plan.request
    images = (request.dataset, request.data_root, request.images, request.seed)
    key = (digest, request.weight_bits, request.finer_averages, *images)
    last = _Last.network
    if last is None or last.key != key:
        _Last.network = None  # its memory is free before the next one takes as much
        begun = set(vars(work))
        with warnings.catch_warnings(record=True) as caught:
            _hear_warnings()
            read_network(work, ignore_stages)
            quantize_network(work, ignore_stages)
        results = {name: value for name, value in vars(work).items() if name not in begun}
        last = _Network(key, results, tuple(str(warning.message) for warning in caught))
        _Last.network = last
    for name, value in last.results.items():
        setattr(work, name, value)
    for remark in last.remarks:
        warnings.warn(remark, stacklevel=2)


def images_digest(images: BuildImages) -> str:
    """Return the SHA-256 of all images and labels that a build is made with."""
    found = sha256()
    for array in (images.calibration, images.test, images.labels):
        if array is not None:
            found.update(f"{array.dtype}{array.shape}".encode() + np.ascontiguousarray(array).data)
    return found.hexdigest()


def perform(job: Job) -> Outcome:
    """Do a piece of work, whatever comes of it."""
    started = time.monotonic()
    with warnings.catch_warnings(record=True) as caught:
        _hear_warnings()
        try:
            outcome = job.run()
        except Exception as error:
            outcome = _failure(error)
    heard = (str(warning.message) for warning in caught)
    remarks = tuple(dict.fromkeys((*outcome.remarks, *heard)))
    return replace(outcome, remarks=remarks, seconds=time.monotonic() - started)


def _hear_warnings() -> None:
    """Hear every warning that is for users, however often it was heard in this process."""
    warnings.simplefilter("ignore")
    warnings.simplefilter("always", UserWarning)


def _failure(error: Exception) -> Outcome:
    if isinstance(error, CheckFailed):
        return Outcome("check", str(error))
    cause, full = _machines_fault(error)
    if isinstance(error, UserError):
        status: Status = "failed" if cause or full else "refused"
        return Outcome(status, "; ".join(map(str, error.problems)), full_disk=full)
    if isinstance(error, MemoryError):
        return Outcome("failed", "out of memory")
    if isinstance(error, OSError):
        said = f"{file_of(error) or 'a file'}: {plain_os_error(error)}"
        return Outcome("failed", said, full_disk=full)
    said = f"a defect of acsgen, not of the input: {type(error).__name__}: {error}"
    return Outcome("failed", said, trace="".join(traceback.format_exception(error)))


#: Errors of a file system that may be gone another time.
_PASSING = (errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ESTALE)


def _machines_fault(error: BaseException) -> tuple[bool, bool]:
    """Whether a file system is to blame and not the settings, and whether it has no room."""
    passing = full = False
    chain: BaseException | None = error
    while chain is not None:
        if isinstance(chain, OSError):
            full |= error_number(chain) in NO_ROOM
            passing |= error_number(chain) in _PASSING
        elif isinstance(chain, UserError):
            # A compiler's own words, which no exception of this process stands behind.
            full |= any(
                plain_os_error(OSError(n, "")) in p.what for n in NO_ROOM for p in chain.problems
            )
        chain = chain.__cause__ or chain.__context__
    return passing, full
