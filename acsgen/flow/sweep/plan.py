"""The plan of a sweep: its points, what is trained for them, and the commands that make each."""

from __future__ import annotations

import hashlib
import itertools
import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from acsgen.engines.registry import SimulationName
from acsgen.flow.build import BuildRequest
from acsgen.flow.build.choice import simulations_of
from acsgen.flow.build.origin import command_words
from acsgen.flow.sweep.axes import BUILD_AXES, OPTION, Space, parse_space
from acsgen.support.errors import Problem, UserError
from acsgen.train.recipe import Recipe, load_recipe
from acsgen.train.sweep import Variant, variants

_RECIPES = (".yaml", ".yml")
_MODELS = (".pt", ".pt2")

#: Folders in the sweep's own.
MODELS_FOLDER, BUILDS_FOLDER = "models", "builds"


@dataclass(frozen=True)
class SweepRequest:
    """A request for a sweep.

    Attributes:
        source: a model file, or a recipe.
        axes: ``KEY=V1,V2,...``, as written.
        out: folder for everything that the sweep writes.
        board: of the points without one of their own.
        images: test images that every point is simulated on.
        dataset: data set to calibrate and test with; the network's own if None.
        data_root: folder of data sets that are files.
        seed: of the choice of images.
        verify: the simulations to run; None for the C simulation.
        settings: ``key=value`` for the recipe.
        device: to train on.
    """

    source: Path
    axes: tuple[str, ...]
    out: Path
    board: str | None = None
    images: int = 20
    dataset: str | None = None
    data_root: Path | None = None
    seed: int = 0
    verify: SimulationName | Literal["both"] | None = None
    settings: tuple[str, ...] = ()
    device: str = "cpu"


@dataclass(frozen=True)
class Point:
    """One combination of values.

    Attributes:
        key: names its row and its files.
        values: of every axis by its key, as written.
        request: the build.
        variant: of the recipe that its network is trained by; None for a model file.
    """

    key: str
    values: dict[str, str]
    request: BuildRequest
    variant: Variant | None

    @property
    def label(self) -> str:
        """Its values in words."""
        return ", ".join(f"{key} {value}" for key, value in self.values.items())

    @property
    def build_command(self) -> str:
        """The command that builds this point, with the same figures in its report."""
        return shlex.join([*command_words(self.request), "--out", str(self.request.out)])


@dataclass(frozen=True)
class SweepPlan:
    """A request that can be tried.

    Attributes:
        request: the request itself.
        space: its axes.
        points: in the order of the rows: the last axis changes fastest.
        recipe: of the sweep, with the settings for all points; None for a model file.
    """

    request: SweepRequest
    space: Space
    points: tuple[Point, ...]
    recipe: Recipe | None

    @property
    def variants(self) -> tuple[Variant, ...]:
        """Everything that is to be trained."""
        found = {p.variant.recipe.name: p.variant for p in self.points if p.variant is not None}
        return tuple(found.values())

    def train_command(self, variant: Variant, threads: int) -> str:
        """The command that trains a variant to the same weights, bit for bit.

        On a CPU sums are split among the threads, so that their number belongs to the command.
        """
        words = ["acsgen", "train", str(self.request.source)]
        for setting in variant.settings:
            words += ["--set", setting]
        words += ["--out", str(self.request.out / MODELS_FOLDER)]
        if self.request.device != "cpu":
            words += ["--device", self.request.device]
        return f"OMP_NUM_THREADS={threads} {shlex.join(words)}"


def make_plan(request: SweepRequest) -> SweepPlan:
    """Check a request before anything is written.

    Raises:
        UserError: a source, axes or options that cannot be used; with every problem of the axes.
    """
    source = request.source
    of_recipe = source.suffix in _RECIPES
    if not of_recipe and source.suffix not in _MODELS:
        what = "is neither a model file nor a recipe"
        remedy = f"give a file that ends in {', '.join((*_MODELS, *_RECIPES))}"
        raise UserError(Problem(str(source), what, remedy))
    space = parse_space(request.axes, of_recipe)
    axes = [axis.key for axis in space.axes]
    if "board" in axes and request.board is not None:
        what = "is an axis too"
        raise UserError(Problem(f"--board {request.board}", what, "leave one of them out"))
    if "board" not in axes and request.board is None:
        remedy = f"add --board zedboard, or {OPTION} board=zedboard,pynq-z2"
        raise UserError(Problem("--board", "no board to build for", remedy))
    if not of_recipe and request.settings:
        raise UserError(Problem("--set", "changes a recipe, and this is a model file", "leave it"))
    if request.board is not None:
        BUILD_AXES["board"].read(request.board)
    simulations_of("both", request.verify)
    recipe = load_recipe(source, request.settings) if of_recipe else None
    trained: list[Variant | None] = [None]
    if of_recipe:
        trained = [*variants(source, request.settings, space.training, OPTION)]
    return SweepPlan(request, space, tuple(_points(request, space, recipe, trained)), recipe)


def _points(
    request: SweepRequest, space: Space, recipe: Recipe | None, trained: list[Variant | None]
) -> Iterator[Point]:
    base = BuildRequest(
        model=request.source,
        board=request.board or "",
        images=request.images,
        dataset=request.dataset,
        data_root=request.data_root,
        seed=request.seed,
        verify=request.verify,
    )
    if recipe is not None and base.data_root is None and recipe.data.root is not None:
        base = replace(base, data_root=Path(recipe.data.root))
    by_values = {() if v is None else v.values: v for v in trained}
    for values in itertools.product(*(axis.values for axis in space.axes)):
        given = dict(zip((axis.key for axis in space.axes), values, strict=True))
        variant = by_values[tuple(given[axis.key] for axis in space.training)]
        built = base
        for axis in space.building:
            kind = BUILD_AXES[axis.key]
            built = kind.set(built, kind.read(given[axis.key]))
        if variant is not None:
            name = f"{variant.recipe.name}.pt"
            built = replace(built, model=request.out / MODELS_FOLDER / name)
        key = digest(given)[:12]
        yield Point(key, given, replace(built, out=request.out / BUILDS_FOLDER / key), variant)


def digest(content: Any) -> str:
    """Return the SHA-256 of anything that JSON can hold."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
