"""Runs a sweep: trains and measures what is missing, and writes the table as it grows."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from acsgen.flow.build.images import BuildImages, choose_images, images_of
from acsgen.flow.sweep.axes import OPTION
from acsgen.flow.sweep.cache import Cache
from acsgen.flow.sweep.identity import code_digest
from acsgen.flow.sweep.jobs import Job, Measurement, Outcome, Training, images_digest
from acsgen.flow.sweep.plan import Point, SweepPlan, digest
from acsgen.flow.sweep.state import Record, SweepFolder, held_folder
from acsgen.flow.sweep.table import Row, write_table
from acsgen.frontend import front_end
from acsgen.program.board import load_board
from acsgen.support.buildcache import check_cache
from acsgen.support.errors import Problem, UserError
from acsgen.support.fsutil import file_digest
from acsgen.support.printing import name_as_text
from acsgen.support.progress import OnStage, ignore_stages
from acsgen.train.start import has_gates
from acsgen.train.sweep import Variant


class Pool(Protocol):
    """Something that does pieces of work, several at once.

    Attributes:
        slots: how many at once.
        title: in words.
        here: whether this machine does it, so that what is refused once is refused for good;
            another machine may lack a compiler or a file.
    """

    slots: int
    title: str
    here: bool

    def submit(self, job: Job) -> None:
        """Start a piece of work; no more than :attr:`slots` at once."""

    def wait(self) -> list[tuple[Job, Outcome]]:
        """Return work that is done, after waiting for the first of it."""

    def close(self) -> None:
        """End all work."""


#: The stage in which the points are measured.
POINTS_STAGE = "measure the points"

#: A table of many rows is not written for every one of them.
_SECONDS_BETWEEN_TABLES = 1.0

#: Called with what has ended, in words, how many points are done, and of how many.
OnPoint = Callable[[str, int, int], None]


@dataclass(frozen=True)
class SweepResult:
    """A sweep at its end.

    Attributes:
        rows: of every point, in the order of the plan.
        measured: how many of them were measured now.
        cached: how many of them other sweeps had found.
        known: how many of them an earlier run of this sweep had.
        images: digest of the images that all rows are measured on.
    """

    rows: tuple[Row, ...]
    measured: int
    cached: int
    known: int
    images: str


def sweep(
    plan: SweepPlan,
    make_pool: Callable[[], Pool],
    *,
    threads: int = 1,
    cache: bool = True,
    on_stage: OnStage = ignore_stages,
    on_point: OnPoint = lambda what, done, total: None,
) -> SweepResult:
    """Measure every point of ``plan`` that is not measured yet.

    A point that cannot be built is a row with its reason; the sweep goes on.  Whatever ends this
    function early, the same call goes on with what is missing.

    Args:
        plan: of :func:`acsgen.flow.sweep.plan.make_plan`.
        make_pool: makes what does the work; called only if there is any.
        threads: that training has.
        cache: whether to take and keep outcomes in the user's cache folder.
        on_stage: told of what comes before the points.
        on_point: told of every point, and of every training, that has ended.

    Raises:
        UserError: a source, a data set or a folder that cannot be used, or no point can be built.
    """
    on_stage("read the images")
    images = images_digest(_images(plan))
    check_cache()
    with held_folder(plan.request.out) as folder:
        boards = _boards(plan)
        folder.begin(_identity(plan, images, boards))
        run = _Run(plan, folder, Cache(cache), threads, images, boards, on_point)
        run.take_known()
        if run.todo:
            on_stage("start the work")
            pool = make_pool()
            on_stage(f"{POINTS_STAGE}, {pool.title}", len(run.records), len(plan.points))
            try:
                run.work(pool)
            finally:
                pool.close()
                folder.end()
                # What is done is told, whatever ended the work; a full disk was told already.
                with contextlib.suppress(UserError):
                    run.write()
        run.write()
        folder.end()
        return run.result()


@dataclass
class _Run:
    """A sweep under way: what is done, and what is to do."""

    plan: SweepPlan
    folder: SweepFolder
    cache: Cache
    threads: int
    images: str
    boards: dict[str, Any]
    on_point: OnPoint
    records: dict[str, Record] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)
    todo: deque[Job] = field(default_factory=deque)
    measured: int = 0
    cached: int = 0
    known: int = 0
    written: float = 0.0
    refusals_last: bool = True
    _trains: dict[str, str] = field(default_factory=dict)

    def take_known(self) -> None:
        """Take what earlier runs and other sweeps have found, and list the rest to do."""
        kept = self.folder.records()
        self.records = {p.key: kept[p.key] for p in self.plan.points if p.key in kept}
        if self.plan.recipe is None:
            self._model_known("", file_digest(self.plan.request.source))
        for variant in self.plan.variants:
            name = variant.recipe.name
            if self.folder.has_model(name):
                self._model_known(name, file_digest(self.folder.model(name)))
                continue
            content = self.cache.model(self._training_key(variant))
            if content is not None:
                self._model_trained(name, content)
                continue
            command = self.plan.train_command(variant, self.threads)
            place = self.folder.training_folder(name)
            self.todo.append(Training(variant.recipe, self.plan.request.device, command, place))
        self.write()

    def work(self, pool: Pool) -> None:
        """Do what is to do, as much at once as the pool can."""
        running = 0
        self.refusals_last = pool.here
        while self.todo or running:
            while self.todo and running < pool.slots:
                pool.submit(self.todo.popleft())
                running += 1
            for job, outcome in pool.wait():
                running -= 1
                if isinstance(job, Training):
                    self._after_training(job, outcome)
                else:
                    self._after_point(job, outcome)
            if time.monotonic() > self.written + _SECONDS_BETWEEN_TABLES:
                self.write()

    def write(self) -> None:
        """Write the table as it is."""
        write_table(self.folder.path, self.plan, self._rows())
        self.written = time.monotonic()

    def result(self) -> SweepResult:
        """Return the rows.

        Raises:
            UserError: no point could be built, all for reasons in the input.
        """
        records = [self.records[point.key] for point in self.plan.points]
        if all(record.status == "refused" for record in records):
            # They are tried again when the input has changed.
            for record in records:
                self.folder.forget(record.key)
            reasons = dict.fromkeys(record.reason for record in records)
            raise UserError([Problem("no point can be built", reason) for reason in reasons])
        return SweepResult(tuple(self._rows()), self.measured, self.cached, self.known, self.images)

    def _rows(self) -> list[Row]:
        if not self._trains:
            self._trains = {
                variant.recipe.name: self.plan.train_command(variant, self.threads)
                for variant in self.plan.variants
            }
        rows = []
        for point in self.plan.points:
            record = self.records.get(point.key)
            rows.append(Row(point, record, self._trains.get(_name_of(point.variant), "")))
        return rows

    def _done(self, what: str) -> None:
        self.on_point(what, len(self.records), len(self.plan.points))

    def _points_of(self, name: str) -> list[Point]:
        return [p for p in self.plan.points if _name_of(p.variant) == name]

    def _model_known(self, name: str, model: str) -> None:
        """List the points of a network whose model file is there."""
        self.models[name] = model
        for point in self._points_of(name):
            record = self.records.get(point.key)
            if record is not None and record.model == model:
                self.known += 1
                continue
            self.records.pop(point.key, None)
            found = self.cache.row(self._point_key(point, model), point.key)
            if found is not None and found.images == self.images:
                self.folder.keep(found)
                self.records[point.key] = found
                self.cached += 1
                self._done(f"{point.label}: as in the cache")
                continue
            request, work = point.request, self.folder.work
            self.todo.append(Measurement(point.key, point.label, request, model, work))

    def _model_trained(self, name: str, content: bytes) -> None:
        self.folder.keep_model(name, content)
        self._model_known(name, file_digest(self.folder.model(name)))

    def _after_training(self, job: Training, outcome: Outcome) -> None:
        name = job.recipe.name
        _require_room(outcome, self.folder.path)
        if outcome.status == "done":
            (variant,) = (v for v in self.plan.variants if v.recipe.name == name)
            self.cache.keep_model(self._training_key(variant), outcome.content)
            self._done(f"{job.label}: {outcome.seconds:.1f} s")
            self._model_trained(name, outcome.content)
            return
        failed = replace(outcome, reason=f"training: {outcome.reason}")
        for point in self._points_of(name):
            self._note(point.key, failed, "")
        self._done(f"{job.label}: {failed.reason}")

    def _after_point(self, job: Measurement, outcome: Outcome) -> None:
        if outcome.status == "done" and outcome.images != self.images:
            what = "measured on other images than the rest: the data set is another one there"
            outcome = Outcome("failed", what)
        _require_room(outcome, self.folder.path)
        record = self._note(job.key, outcome, job.digest)
        self.measured += 1
        if record.status == "done":
            point = next(p for p in self.plan.points if p.key == job.key)
            self.cache.keep_row(self._point_key(point, job.digest), record)
        self._done(f"{job.label}: {Row.said(record)} ({outcome.seconds:.1f} s)")

    def _note(self, key: str, outcome: Outcome, model: str) -> Record:
        """Take an outcome; one that another try may better is not kept for good."""
        if outcome.trace:
            place = self.folder.keep_trace(key, outcome.trace)
            outcome = replace(outcome, reason=f"{outcome.reason} (see {place})")
        record = Record.of(key, outcome, model)
        final = record.status != "failed" and (record.status != "refused" or self.refusals_last)
        if final and model:
            self.folder.keep(record)
        self.records[key] = record
        return record

    def _point_key(self, point: Point, model: str) -> str:
        """Name everything that the figures of a point depend on."""
        request = point.request
        board = self.boards[request.board]
        settings = [request.lane_groups, request.clock_mhz, request.alpha, request.weight_bits]
        settings.append(request.finer_averages)
        how = [request.engine, request.verify, request.images, request.seed]
        return digest([code_digest(), self.images, model, board, settings, how])

    def _training_key(self, variant: Variant) -> str:
        """Name everything that a trained network depends on."""
        recipe = variant.recipe
        data = [recipe.data.name, recipe.data.test_name or ""]
        files = [name.removeprefix("npz:") for name in data if name.startswith("npz:")]
        files += [] if recipe.start is None else [recipe.start]
        contents = [file_digest(Path(file)) for file in files if Path(file).is_file()]
        how = [self.images, self.plan.request.device, self.threads]
        return digest([code_digest(), recipe.model_dump(mode="json"), contents, how])


def _require_room(outcome: Outcome, folder: Path) -> None:
    """Stop where the disk is full: every other point would fail for it as well.

    Raises:
        UserError: the piece of work found no room, on a disk of this machine.
    """
    if outcome.full_disk:
        remedy = "make room; then the same command goes on where it was"
        raise UserError(Problem(f"sweep in {folder}", outcome.reason, remedy))


def _name_of(variant: Variant | None) -> str:
    return "" if variant is None else variant.recipe.name


def _images(plan: SweepPlan) -> BuildImages:
    """The images that all points are measured on.

    Raises:
        UserError: the model file or the data set cannot be used, or no point has the gates whose
            threshold it sets.
    """
    request = plan.request
    if plan.recipe is None:
        layers, network = front_end(request.source)
        _require_gates(plan, bool(layers.gates), layers.name)
        dataset, root = request.dataset, request.data_root
        return choose_images(network, dataset, root, request.images, request.seed)
    recipes = [variant.recipe for variant in plan.variants]
    _require_gates(plan, any(has_gates(recipe) for recipe in recipes), plan.recipe.name)
    root = plan.points[0].request.data_root
    name = request.dataset or plan.recipe.data.name
    return images_of(name, None, root, request.images, request.seed)


def _require_gates(plan: SweepPlan, gated: bool, name: str) -> None:
    """Refuse a sweep of which every point sets a threshold that the network does not have.

    Where some points can be built, the others are rows with this reason.
    """
    if not gated and all(point.request.alpha is not None for point in plan.points):
        what = f"{name} has no gates, and no threshold"
        raise UserError(Problem(f"{OPTION} threshold", what, "leave this axis out"))


def _boards(plan: SweepPlan) -> dict[str, Any]:
    """The contents of the boards of a sweep, by the names in its requests."""
    names = sorted({point.request.board for point in plan.points})
    return {name: load_board(name).model_dump(mode="json") for name in names}


def _identity(plan: SweepPlan, images: str, boards: dict[str, Any]) -> dict[str, Any]:
    """What a sweep is: where it differs, rows of two runs are no rows of one table."""
    request = plan.request
    try:
        source = file_digest(request.source)
    except OSError as error:
        raise UserError(Problem(str(request.source), f"cannot be read: {error}")) from error
    return {
        "source": name_as_text(request.source.name),
        "source_sha256": source,
        "axes": {axis.key: list(axis.values) for axis in plan.space.axes},
        "boards": list(boards),
        "boards_sha256": digest(boards),
        "images": request.images,
        "images_sha256": images,
        "dataset": None if request.dataset is None else name_as_text(request.dataset),
        "seed": request.seed,
        "verify": request.verify,
        "settings": list(request.settings),
        "device": request.device,
        "code": code_digest(),
    }
