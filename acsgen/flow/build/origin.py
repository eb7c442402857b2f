"""What it takes to make a build again: the model file, the command, and the versions."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
import shlex
from collections.abc import Iterator

import acsgen
from acsgen.flow.build.work import BuildRequest, Plan
from acsgen.isa.generated import LANES
from acsgen.program.board import board_names
from acsgen.report.data import Origin

#: Packages that have a say in a build's figures.
_PACKAGES = ("torch", "numpy", "hls4ml")


def origin_of(plan: Plan) -> Origin:
    """Return the origin of a build that follows ``plan``."""
    model = plan.request.model
    return Origin(
        file=model.name,
        sha256=hashlib.sha256(model.read_bytes()).hexdigest(),
        command=shlex.join(_words(plan.request)),
        versions=dict(_versions(plan)),
    )


def _words(request: BuildRequest) -> Iterator[str]:
    """Yield the command's words.  Paths go without their folders, which are of no use elsewhere."""
    board = request.board
    yield from ("acsgen", "build", request.model.name)
    yield from ("--board", board if board in board_names() else f"./{board.rsplit('/')[-1]}")
    yield from ("--images", str(request.images), "--seed", str(request.seed))
    if request.dataset is not None:
        kind, colon, path = request.dataset.partition(":")
        yield from ("--dataset", kind + colon + path.rsplit("/")[-1])
    if request.lane_groups is not None:
        yield from ("--lanes", str(LANES * request.lane_groups))
    yield from ("--engine", request.engine)
    if request.verify is not None:
        yield from ("--verify", request.verify)


def _versions(plan: Plan) -> Iterator[tuple[str, str]]:
    yield "acsgen", acsgen.__version__
    yield "Python", platform.python_version()
    for package in _PACKAGES:
        yield package, importlib.metadata.version(package)
    for simulation in plan.simulations:
        yield simulation.title, simulation.version()
