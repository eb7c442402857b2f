"""The request for a build, the plan that follows from it, and the work in progress."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from acsgen.cost.lane_groups import LaneChoice, choose_lane_groups
from acsgen.cost.resources import ResourceEstimate, check_resources
from acsgen.engines.base import Engine, Implementation
from acsgen.engines.registry import Simulation, SimulationName
from acsgen.flow.build.choice import implementations_of, simulations_of
from acsgen.flow.build.images import BuildImages
from acsgen.flow.build.stages import StageLog
from acsgen.flow.evaluate import EvalResult
from acsgen.ir.integer import IntGraph
from acsgen.ir.layers import LayerGraph
from acsgen.ir.noise import LayerNoise
from acsgen.ir.ranges import WEIGHT_BITS
from acsgen.ir.refinement import Refinement
from acsgen.ir.rewrites import Rewrite
from acsgen.program.board import Board, LaneRequest, load_board
from acsgen.program.engine_config import EngineConfig
from acsgen.program.program import Program
from acsgen.report.data import CountedCycles
from acsgen.support.buildcache import check_cache
from acsgen.support.fsutil import check_writable
from acsgen.verify import Verification
from acsgen.verify.vectors import Vectors

#: Cycles of every instruction, of several runs.
Cycles = tuple[NDArray[np.int64], ...]


@dataclass(frozen=True)
class BuildRequest:
    """A request for one build.

    Attributes:
        model: acsgen checkpoint (``.pt``) or torch.export program (``.pt2``).
        board: name of a shipped board, or path of a board file.
        out: directory to write; ``build/MODEL-BOARD`` if None.
        images: test images to prove bit-exactness on.
        dataset: data set to calibrate and test with; the network's own if None.
        data_root: folder of data sets that are files.
        lane_groups: groups of 64 lanes; ``auto`` for as many as fit; None for the board's, which
            may be left open too.
        keep_stages: write every stage's result to ``stages/``.
        seed: of the choice of images.
        engine: the implementations to render.
        verify: the simulations to run; None for the C simulation, or for the RTL where there is no
            C++.
        require_agreement: share of images, in [0, 1], on which the float and the integer network
            have to predict the same; None for a warning where they are few.
        alpha: threshold of all gates, in [0, 1]; None as trained. The network is quantized as
            trained in any case, so that builds differ in the words of the thresholds alone.
        clock_mhz: of the engine; the board's if None.
        weight_bits: width that weights are quantized to; the engine stores 8 bits in any case.
        finer_averages: whether averages before classifiers may be stored several times.
    """

    model: Path
    board: str
    out: Path | None = None
    images: int = 20
    dataset: str | None = None
    data_root: Path | None = None
    lane_groups: LaneRequest = None
    keep_stages: bool = False
    seed: int = 0
    engine: Implementation | Literal["both"] = "both"
    verify: SimulationName | Literal["both"] | None = None
    require_agreement: float | None = None
    alpha: float | None = None
    clock_mhz: float | None = None
    weight_bits: int = WEIGHT_BITS
    finer_averages: bool = True


@dataclass(frozen=True)
class Plan:
    """A request that can be tried: everything about it was checked that needs no network.

    Attributes:
        request: the request itself.
        implementations: those to render.
        simulations: those to run.
        board: the board.
        lane_choice: how many lane groups the engine has, and why.
        engine: the engine to build for it.
        resources: an estimate of the part's resources that the engine takes.
        out: directory to write.
    """

    request: BuildRequest
    implementations: tuple[Implementation, ...]
    simulations: tuple[Simulation, ...]
    board: Board
    lane_choice: LaneChoice
    engine: EngineConfig
    resources: ResourceEstimate
    out: Path


def make_plan(request: BuildRequest) -> Plan:
    """Check a request before the slow work begins.

    Raises:
        UserError: a board, a directory or a choice of engines that cannot be used.
    """
    implementations = implementations_of(request.engine)
    simulations = simulations_of(request.engine, request.verify)
    board = load_board(request.board)
    if request.clock_mhz is not None:
        board = board.at_clock(request.clock_mhz)
    choice = choose_lane_groups(board, request.lane_groups, implementations)
    engine = EngineConfig.for_board(board, choice.lane_groups)
    resources = check_resources(engine, board, "hls" if "hls" in implementations else "rtl")
    out = request.out or Path("build") / f"{request.model.stem}-{board.name}"
    check_writable(out)
    check_cache()
    return Plan(request, implementations, simulations, board, choice, engine, resources, out)


@dataclass
class Work:
    """The results of a build's steps so far; each step reads earlier ones and adds its own.

    Attributes:
        plan: the plan of the build.
        log: keeps the stages' results, if they are asked for.
        layers: the network in floats.
        rewrites: the passes that the front end applied to it.
        images: to calibrate, to measure, to prove bit-exactness.
        integers: the integer network.
        refinement: whether it took two tries to make it.
        program: the compiled network.
        ungated: the same network without gates, compiled.
        measured: the float and the integer network compared.
        noise: that quantization adds to each layer.
        folder: the directory that becomes the build.
        vectors: the images that prove bit-exactness, with the golden results.
        engines: those simulated, by the name of the simulation.
        checks: outcome of every simulation, by its name.
        counted: the cycles that simulations counted, by the name of the simulation.
        by_instruction: cycles of every instruction in each image, and in the network without gates,
            by the name of the simulation.
        cycles: of every image, by the name of the simulation.
    """

    plan: Plan
    log: StageLog
    layers: LayerGraph = field(init=False)
    rewrites: tuple[Rewrite, ...] = field(init=False)
    images: BuildImages = field(init=False)
    integers: IntGraph = field(init=False)
    refinement: Refinement = field(init=False)
    program: Program = field(init=False)
    ungated: Program = field(init=False)
    measured: EvalResult = field(init=False)
    noise: tuple[LayerNoise, ...] = field(init=False)
    folder: Path = field(init=False)
    vectors: Vectors = field(init=False)
    engines: dict[str, Engine] = field(init=False, default_factory=dict)
    checks: dict[str, Verification] = field(init=False, default_factory=dict)
    counted: dict[str, CountedCycles] = field(init=False, default_factory=dict)
    by_instruction: dict[str, tuple[Cycles, Cycles]] = field(init=False, default_factory=dict)
    cycles: dict[str, NDArray[np.int64]] = field(init=False, default_factory=dict)
