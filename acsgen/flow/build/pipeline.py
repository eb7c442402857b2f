"""The whole road, step by step: the tables of this module are its table of contents.

model file -> layer graph -> integer graph -> program -> HLS and RTL project -> simulation == golden
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from acsgen.flow.build.network import (
    compare_networks,
    compile_network,
    quantize_network,
    read_network,
)
from acsgen.flow.build.proof import compile_simulation, render_project, run_simulation, stage_of
from acsgen.flow.build.report import make_report
from acsgen.flow.build.stages import StageLog
from acsgen.flow.build.work import BuildRequest, Plan, Work, make_plan
from acsgen.report.data import Report
from acsgen.report.file import rounded, write_report
from acsgen.report.page import write_page
from acsgen.support.fsutil import staged_directory
from acsgen.support.progress import OnStage, ignore_stages


@dataclass(frozen=True)
class Step:
    """One step of a build: its name, which people read while it runs, and its function."""

    name: str
    run: Callable[[Work, OnStage], None]


#: From the model file to the program.
NETWORK_STEPS = (
    Step("read the network", read_network),
    Step("quantize", quantize_network),
    Step("compile", compile_network),
    Step("compare float and integer network", compare_networks),
)


def project_steps(plan: Plan) -> Iterator[Step]:
    """From the program to a proved project: these write into the build."""
    yield Step("render the project", render_project)
    for simulation in plan.simulations:
        yield Step(f"compile the {simulation.title}", partial(compile_simulation, simulation))
        yield Step(stage_of(simulation), partial(run_simulation, simulation))


@dataclass(frozen=True)
class BuildResult:
    """A finished build: its directory and its report."""

    out: Path
    report: Report


def build(request: BuildRequest, on_stage: OnStage = ignore_stages) -> BuildResult:
    """Build ``request``; nothing is left behind on failure.

    Raises:
        UserError: a model, board, data set, directory or choice of engines that cannot be used.
        CheckFailed: a simulation differs from the golden model; names the first difference.
    """
    plan = make_plan(request)
    work = Work(plan, StageLog(request.keep_stages))
    _take(NETWORK_STEPS, work, on_stage)
    with staged_directory(plan.out) as folder:
        work.folder = folder
        _take(project_steps(plan), work, on_stage)
        report = rounded(make_report(work))
        write_report(folder, report)
        write_page(folder)
        work.log.write(folder)
    return BuildResult(plan.out, report)


def _take(steps: Iterable[Step], work: Work, on_stage: OnStage) -> None:
    for step in steps:
        on_stage(step.name)
        step.run(work, on_stage)
