"""Compares acsgen with hls4ml on a network without its gates: what each computes, and how fast."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from acsgen_host.words import pack_image
from numpy.typing import NDArray

import acsgen
from acsgen.compiler import compile_graph
from acsgen.compiler.predict import predict
from acsgen.cost.cycles import program_cycles
from acsgen.cost.lane_groups import engine_for
from acsgen.cost.resources import check_resources
from acsgen.emit.hls import render_hls_of
from acsgen.engines.base import Engine
from acsgen.engines.registry import SIMULATIONS
from acsgen.engines.rtl import Memory
from acsgen.flow.build.images import choose_images
from acsgen.flow.build.report import HLS_SOURCE, PREDICTED_SOURCE
from acsgen.flow.compare.by_hls4ml import PRECISION, Hls4mlModel, Refused, convert, version
from acsgen.flow.compare.twin import TorchTwin, normalized, require_twin
from acsgen.frontend import front_end, run_layers
from acsgen.ir.ungate import without_gates
from acsgen.program.board import Board, load_board
from acsgen.program.engine_config import EngineConfig
from acsgen.program.program import Program
from acsgen.program.result import decode_result
from acsgen.quant.golden import GoldenModel
from acsgen.quant.quantize import quantize
from acsgen.support.buildcache import check_cache
from acsgen.support.errors import CheckFailed
from acsgen.support.fsutil import check_folder
from acsgen.support.progress import OnStage, ignore_stages


@dataclass(frozen=True)
class CompareRequest:
    """A request for a comparison.

    Attributes:
        model: a model file.
        board: whose engine acsgen's C++ is.
        images: test images that both run.
        pairs: how often both run them, in turn, for the ratio of their times.
        dataset: data set to calibrate and test with; the network's own if None.
        data_root: folder of data sets that are files.
        seed: of the choice of images.
        io: of hls4ml: ``io_stream`` or ``io_parallel``.
        precision: of hls4ml: the default type of values.
        project: folder where hls4ml's project stays; None if it is of no use.
    """

    model: Path
    board: str
    images: int = 20
    pairs: int = 5
    dataset: str | None = None
    data_root: Path | None = None
    seed: int = 0
    io: str = "io_stream"
    precision: str = PRECISION
    project: Path | None = None


@dataclass(frozen=True)
class ToolFigures:
    """One tool on the twin.

    Attributes:
        tool: its name and version.
        refused: what it says where it cannot; empty otherwise.
        accuracy: in [0, 1]; None without labels or where it refused.
        agreement: share of images with the prediction of the twin in floats.
        reports: figures that the tool itself reports, by name.
        sources: where each of them is from, by name.
    """

    tool: str
    refused: str = ""
    accuracy: float | None = None
    agreement: float | None = None
    reports: dict[str, Any] | None = None
    sources: dict[str, str] | None = None


@dataclass(frozen=True)
class SpeedRatio:
    """Time of hls4ml's C simulation over that of acsgen's, for the same images.

    Both run in turn in one process, so that what else the machine does falls on both.

    Attributes:
        pairs: how many.
        median: of the ratios.
        least: of them.
        most: of them.
    """

    pairs: int
    median: float
    least: float
    most: float


@dataclass(frozen=True)
class Comparison:
    """The comparison.

    Attributes:
        model: name of the network.
        board: name of the board.
        dataset: where the images are from.
        images: how many.
        gated_accuracy: of the network with its gates, in floats; None without labels.
        twin_accuracy: of the twin in floats; None without labels.
        acsgen: acsgen's figures.
        hls4ml: hls4ml's figures.
        speed: None where hls4ml refused.
    """

    model: str
    board: str
    dataset: str
    images: int
    gated_accuracy: float | None
    twin_accuracy: float | None
    acsgen: ToolFigures
    hls4ml: ToolFigures
    speed: SpeedRatio | None


def compare(request: CompareRequest, on_stage: OnStage = ignore_stages) -> Comparison:
    """Build the ungated twin of a network with both tools, and compare them.

    Raises:
        UserError: a model file, board, data set or folder that cannot be used.
        CheckFailed: acsgen's C++ differs from its golden model, or the twin from open gates.
    """
    board = load_board(request.board)
    config = engine_for(board, forms=("hls",))
    resources = check_resources(config, board)
    check_cache()
    if request.project is not None:
        check_folder(request.project)
    on_stage("read the network")
    layers, network = front_end(request.model)
    images = choose_images(
        network, request.dataset, request.data_root, request.images, request.seed
    )
    twin = without_gates(layers)
    require_twin(layers, twin, images.test)
    pixels = images.test[: request.images]
    labels = None if images.labels is None else images.labels[: request.images]
    answer = layers.outputs[-1]
    batch = torch.from_numpy(np.array(pixels))
    floats = run_layers(twin, batch)[answer].numpy().argmax(axis=1)
    gated = run_layers(layers, batch)[answer].numpy().argmax(axis=1)

    with ExitStack() as stack:
        scratch = Path(stack.enter_context(TemporaryDirectory()))
        on_stage("quantize and compile with acsgen")
        integers = quantize(twin, images.calibration)
        program = compile_graph(integers, config)
        engine = _engine(scratch / "hls", program, board, config)
        stack.callback(engine.close)
        on_stage("run acsgen's C simulation")
        ours = _predictions(program, engine, pixels)
        golden = GoldenModel(integers).run(np.array(pixels)).outputs[program.outputs[-1].name]
        _require_golden(ours, golden)
        cycles = _cycles(program, engine, pixels[0])
        reports: dict[str, Any] = {
            "cycles": cycles,
            "cycles_predicted": program_cycles(
                [line.instruction for line in program.lines],
                predict(program).instructions,
                config.post_lanes,
            ),
            "dsp": resources.dsp,
            "bram36": resources.bram36,
            "lut": resources.lut,
            "ff": resources.ff,
            "bits": 8,
        }
        sources = {
            "cycles": f"acsgen: {HLS_SOURCE}",
            "cycles_predicted": f"acsgen: {PREDICTED_SOURCE}",
            **dict.fromkeys(("dsp", "bram36", "lut", "ff"), f"acsgen: {resources.source}"),
            "bits": "acsgen: quantizer",
        }
        by_acsgen = ToolFigures(
            f"acsgen {acsgen.__version__}",
            accuracy=_accuracy(ours.argmax(axis=1), labels),
            agreement=float(np.mean(ours.argmax(axis=1) == floats)),
            reports=reports,
            sources=sources,
        )

        name, speed = f"hls4ml {version()}", None
        try:
            on_stage("convert and compile with hls4ml")
            theirs = convert(
                TorchTwin(twin),
                pixels.shape[1:],
                request.project or scratch / "hls4ml",
                io=request.io,
                precision=request.precision,
            )
            on_stage("run hls4ml's C simulation")
            inputs = normalized(twin, pixels)
            found = theirs.predict(inputs).argmax(axis=1)
            by_hls4ml = ToolFigures(
                name,
                accuracy=_accuracy(found, labels),
                agreement=float(np.mean(found == floats)),
                reports=theirs.reports,
                sources=dict.fromkeys(theirs.reports, "hls4ml: its model and configuration"),
            )
            on_stage("time both in turn")
            speed = _speed(
                theirs, inputs, lambda: _predictions(program, engine, pixels), request.pairs
            )
        except Refused as refusal:
            by_hls4ml = ToolFigures(name, refused=str(refusal))
    return Comparison(
        layers.name,
        board.name,
        images.source,
        len(pixels),
        _accuracy(gated, labels),
        _accuracy(floats, labels),
        by_acsgen,
        by_hls4ml,
        speed,
    )


def _engine(folder: Path, program: Program, board: Board, config: EngineConfig) -> Engine:
    """Return the C simulation of the program's engine."""
    render_hls_of(program, folder, board)
    simulation = SIMULATIONS["csim"]
    library = simulation.compile(folder, config, waves=False)
    return simulation.open(library, Memory.for_board(board), waves=None)


def _predictions(program: Program, engine: Engine, pixels: NDArray[np.uint8]) -> NDArray[np.int32]:
    """The answers' logits of images, int32 ``[N, classes]``, by the engine."""
    answer = program.outputs[-1].name
    found = []
    for image in pixels:
        run = engine.run(program.words, program.params, pack_image(image), program.result_words)
        found.append(decode_result(program, run.result).outputs[answer])
    return np.array(found, np.int32)


def _cycles(program: Program, engine: Engine, image: NDArray[np.uint8]) -> int | None:
    """Cycles of an image; without gates all images take the same."""
    run = engine.run(program.words, program.params, pack_image(image), program.result_words)
    return None if run.loops is None else run.loops.total


def _require_golden(found: NDArray[np.int32], golden: NDArray[np.integer]) -> None:
    wrong = int(np.sum(found != golden))
    if wrong:
        raise CheckFailed(f"acsgen's C simulation differs from its golden model in {wrong} logits")


def _accuracy(predictions: NDArray[Any], labels: NDArray[np.int64] | None) -> float | None:
    return None if labels is None else float(np.mean(predictions == labels))


def _speed(
    theirs: Hls4mlModel, inputs: NDArray[np.float32], ours: Callable[[], object], pairs: int
) -> SpeedRatio:
    """Time both in turn: hls4ml, acsgen, hls4ml, acsgen, ..."""
    ratios = []
    for _ in range(pairs):
        started = time.perf_counter()
        theirs.predict(inputs)
        between = time.perf_counter()
        ours()
        ratios.append((between - started) / (time.perf_counter() - between))
    return SpeedRatio(pairs, float(np.median(ratios)), min(ratios), max(ratios))
