"""The whole road, stage by stage: this module reads as its table of contents.

model file -> layer graph -> integer graph -> program -> HLS and RTL project -> simulation == golden
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from acsgen_host.words import pack_image

from acsgen.compiler import compile_graph
from acsgen.cost.macs import count_macs
from acsgen.cost.resources import check_resources
from acsgen.engines.base import Engine, Implementation
from acsgen.engines.registry import Simulation, SimulationName
from acsgen.engines.rtl import Memory
from acsgen.flow.build.choice import implementations_of, simulations_of
from acsgen.flow.build.images import choose_images
from acsgen.flow.build.project import write_project
from acsgen.flow.build.report import make_report, rtl_cycles
from acsgen.flow.build.stages import StageLog
from acsgen.flow.evaluate import measure
from acsgen.frontend import front_end
from acsgen.ir.ungate import without_gates
from acsgen.program.board import load_board
from acsgen.program.engine_config import EngineConfig
from acsgen.program.program import Program
from acsgen.quant.golden import GoldenModel
from acsgen.quant.quantize import quantize
from acsgen.report.data import Report
from acsgen.report.file import write_report
from acsgen.support.fsutil import check_writable, staged_directory
from acsgen.support.progress import OnStage, ignore_stages
from acsgen.verify import Verification
from acsgen.verify.check import check_vectors, require_exact
from acsgen.verify.vectors import Vectors


@dataclass(frozen=True)
class BuildRequest:
    """What to build.

    Attributes:
        model: acsgen checkpoint (``.pt``) or torch.export program (``.pt2``).
        board: name of a shipped board, or path of a board file.
        out: directory to write; ``build/MODEL-BOARD`` if None.
        images: test images to prove bit-exactness on.
        dataset: data set to calibrate and test with; the network's own if None.
        data_root: folder of data sets that are files.
        lane_groups: groups of 64 lanes; the board's if None.
        keep_stages: write every stage's result to ``stages/``.
        seed: of the choice of images.
        engine: what to render.
        verify: what to simulate; None for the C simulation, or the RTL where that is all there is.
    """

    model: Path
    board: str
    out: Path | None = None
    images: int = 20
    dataset: str | None = None
    data_root: Path | None = None
    lane_groups: int | None = None
    keep_stages: bool = False
    seed: int = 0
    engine: Implementation | Literal["both"] = "both"
    verify: SimulationName | Literal["both"] | None = None


@dataclass(frozen=True)
class BuildResult:
    """What was built: the directory and its report."""

    out: Path
    report: Report


def build(request: BuildRequest, on_stage: OnStage = ignore_stages) -> BuildResult:
    """Build ``request``; nothing is left behind on failure.

    Raises:
        UserError: a model, board, data set, directory or choice of engines that cannot be used.
        CheckFailed: a simulation differs from the golden model; names the first difference.
    """
    engines = implementations_of(request.engine)
    simulations = simulations_of(request.engine, request.verify)
    board = load_board(request.board)
    engine = EngineConfig.for_board(board, request.lane_groups)
    resources = check_resources(engine, board)
    out = request.out or Path("build") / f"{request.model.stem}-{board.name}"
    check_writable(out)
    log = StageLog(request.keep_stages)

    on_stage("read the network")
    layers, source = front_end(request.model)
    images = choose_images(source, request.dataset, request.data_root, request.images, request.seed)
    log.layers(layers)

    on_stage("quantize")
    integers = quantize(layers, images.calibration)
    log.integers(integers)

    on_stage("compile")
    program = compile_graph(integers, engine)
    ungated = compile_graph(without_gates(integers), engine)
    log.program(program)

    measured = measure(layers, integers, images.test, images.labels, on_stage=on_stage)

    with staged_directory(out) as folder:
        on_stage("render the project")
        checked = images.test[: request.images]
        vectors = Vectors(checked, GoldenModel(integers).run(checked))
        write_project(folder, program, board, vectors, images.source, engines)

        checks: dict[str, Verification] = {}
        measured_cycles = None
        memory = Memory.for_board(board)
        for simulation in simulations:
            on_stage(f"compile the {simulation.title}")
            running = simulation.open(_compiled(simulation, folder, engine), memory, waves=None)
            check = checks[simulation.name] = _verify(
                simulation, program, running, vectors, on_stage
            )
            if simulation.clocked:
                dense = running.run(
                    ungated.words, ungated.params, pack_image(checked[0]), ungated.result_words
                )
                macs = count_macs(integers, vectors.golden.masks, len(checked)).executed
                measured_cycles = rtl_cycles(check, dense, macs, memory)
            running.close()
        report = make_report(
            program=program,
            ungated=ungated,
            board=board,
            images=images.source,
            engines=engines,
            measured=measured,
            resources=resources,
            checks=checks,
            measured_cycles=measured_cycles,
        )
        write_report(folder, report)
        log.write(folder)
    return BuildResult(out, report)


def _compiled(simulation: Simulation, folder: Path, engine: EngineConfig) -> Path:
    """Compile a simulation, and leave it in the build if it is of use elsewhere."""
    library = simulation.compile(folder / simulation.implementation, engine, waves=False)
    if simulation.kept_as is None:
        return library
    kept = folder / simulation.kept_as
    kept.parent.mkdir()
    shutil.copyfile(library, kept)
    return kept


def _verify(
    simulation: Simulation, program: Program, engine: Engine, vectors: Vectors, on_stage: OnStage
) -> Verification:
    title, images = simulation.title, len(vectors.images)
    stage = f"check bit-exactness, {title}"
    on_stage(stage, 0, images)
    verification = check_vectors(
        program, engine, vectors, title, lambda done: on_stage(stage, done, images)
    )
    require_exact(verification, title)
    return verification
