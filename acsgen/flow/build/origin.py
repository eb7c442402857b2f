"""What it takes to make a build again: the model file, the command, and the versions."""

from __future__ import annotations

import importlib.metadata
import platform
import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import acsgen
from acsgen.flow.build.work import BuildRequest, Plan
from acsgen.ir.ranges import WEIGHT_BITS
from acsgen.isa.generated import LANES
from acsgen.program.board import board_names
from acsgen.report.data import Origin
from acsgen.support.fsutil import file_digest
from acsgen.support.printing import name_as_text

#: Packages that have a say in a build's figures.
_PACKAGES = ("torch", "numpy", "hls4ml")


def origin_of(plan: Plan) -> Origin:
    """Return the origin of a build that follows ``plan``."""
    model = plan.request.model
    return Origin(
        file=name_as_text(model.name),
        sha256=file_digest(model),
        command=name_as_text(shlex.join(command_words(_without_folders(plan.request)))),
        versions=dict(_versions(plan)),
    )


def command_words(request: BuildRequest) -> Iterator[str]:
    """Yield the words of the command that makes the build of ``request``, without ``--out``.

    Options that change no figure are left out.
    """
    yield from ("acsgen", "build", str(request.model))
    yield from ("--board", request.board)
    yield from ("--images", str(request.images), "--seed", str(request.seed))
    groups = request.lane_groups
    optional = {
        "--dataset": request.dataset,
        "--data": request.data_root,
        "--lanes": LANES * groups if isinstance(groups, int) else groups,
        "--clock": _plain(request.clock_mhz),
        "--alpha": _plain(request.alpha),
        "--weight-bits": None if request.weight_bits == WEIGHT_BITS else request.weight_bits,
        "--engine": request.engine,
        "--verify": request.verify,
    }
    for option, value in optional.items():
        if value is not None:
            yield from (option, str(value))
    if not request.finer_averages:
        yield "--no-finer-averages"


def _plain(value: float | None) -> str | None:
    return None if value is None else repr(value).removesuffix(".0")


def _without_folders(request: BuildRequest) -> BuildRequest:
    """Return a request whose paths have no folders, which are of no use elsewhere."""
    board, dataset = request.board, request.dataset
    if dataset is not None:
        kind, colon, path = dataset.partition(":")
        dataset = kind + colon + path.rsplit("/")[-1]
    return replace(
        request,
        model=Path(request.model.name),
        board=board if board in board_names() else f"./{board.rsplit('/')[-1]}",
        dataset=dataset,
        data_root=None,
    )


def _versions(plan: Plan) -> Iterator[tuple[str, str]]:
    yield "acsgen", acsgen.__version__
    yield "Python", platform.python_version()
    for package in _PACKAGES:
        yield package, importlib.metadata.version(package)
    for simulation in plan.simulations:
        yield simulation.title, simulation.version()
