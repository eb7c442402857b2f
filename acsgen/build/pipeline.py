"""The whole road, stage by stage: this module reads as its table of contents.

model file -> layer graph -> integer graph -> program -> HLS project -> C simulation == golden model
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acsgen.boards import load_board
from acsgen.build.images import choose_images
from acsgen.build.project import write_project
from acsgen.build.report import make_report, write_report
from acsgen.build.stages import StageLog
from acsgen.compiler import EngineConfig, Program, compile_graph
from acsgen.cost.cycles import predict
from acsgen.cost.resources import check_resources
from acsgen.csim import CSimEngine, build_library
from acsgen.errors import CheckFailed
from acsgen.evaluate import OnStage, ignore_stages, measure
from acsgen.frontend import front_end
from acsgen.fsutil import check_writable, staged_directory
from acsgen.ir.results import GoldenResult
from acsgen.ir.ungate import without_gates
from acsgen.quant.golden import GoldenModel
from acsgen.quant.quantize import quantize
from acsgen.verify import Verification, verify_engine


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
    """

    model: Path
    board: str
    out: Path | None = None
    images: int = 8
    dataset: str | None = None
    data_root: Path | None = None
    lane_groups: int | None = None
    keep_stages: bool = False
    seed: int = 0


@dataclass(frozen=True)
class BuildResult:
    """What was built: the directory, and what its report.json says."""

    out: Path
    report: dict[str, Any]


def build(request: BuildRequest, on_stage: OnStage = ignore_stages) -> BuildResult:
    """Build ``request``; nothing is left behind on failure.

    Raises:
        UserError: a model, board, data set or directory that cannot be used.
        CheckFailed: the C simulation differs from the golden model; names the first difference.
    """
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
        on_stage("render the HLS project")
        checked = images.test[: request.images]
        golden = GoldenModel(integers).run(checked)
        write_project(folder, program, board, checked, golden)

        on_stage("compile the C simulation")
        library = build_library(folder / "hls", folder / "csim" / "libacs.so")

        verification = _verify(program, CSimEngine(library), checked, golden, on_stage)
        report = make_report(
            program=program,
            ungated=ungated,
            board=board,
            images=images.source,
            measured=measured,
            resources=resources,
            verification=verification,
        )
        write_report(folder, report)
        log.write(folder)
    return BuildResult(out, report)


def _verify(
    program: Program,
    engine: CSimEngine,
    images: NDArray[np.uint8],
    golden: GoldenResult,
    on_stage: OnStage,
) -> Verification:
    def counters(masks: dict[str, NDArray[np.uint8]], trace: bool) -> dict[str, int]:
        return asdict(predict(program, masks, trace=trace).counters)

    stage = "check bit-exactness"
    on_stage(stage, 0, len(images))
    verification = verify_engine(
        program,
        engine,
        images,
        golden,
        counters,
        on_image=lambda done: on_stage(stage, done, len(images)),
    )
    if verification.mismatches:
        raise CheckFailed(
            f"C simulation differs from the golden model in {verification.mismatches} of "
            f"{verification.compared} values. First: {verification.first}"
        )
    return verification
