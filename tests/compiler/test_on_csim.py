"""Compiled programs on the C simulation give the golden words and the predicted counters."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
from acsgen_host.words import pack_image
from numpy.typing import NDArray

from acsgen.cost.cycles import predict
from acsgen.emit.hls import render_hls
from acsgen.engines.csim import CSimEngine, build_library
from acsgen.ir.integer import INT32_MAX, INT32_MIN, IntGraph
from acsgen.ir.results import GoldenResult
from acsgen.isa.generated import Status
from acsgen.program.board import load_board
from acsgen.program.program import Program
from acsgen.program.result import decode_result, describe_difference
from acsgen.quant.golden import GoldenModel
from tests.compiler.graphs import resnet


@pytest.fixture(scope="module")
def simulator(program: Program, tmp_path_factory: pytest.TempPathFactory) -> CSimEngine:
    folder = tmp_path_factory.mktemp("csim")
    render_hls(
        folder,
        model="test",
        board=load_board("zedboard"),
        engine=program.engine,
        instructions=program.instructions,
        params_words=len(program.params),
        image_words=program.image.words,
        result_words=program.result_words,
        traced_words=program.traced_words,
    )
    return CSimEngine(build_library(folder, folder / "engine.so"))


def images_for(graph: IntGraph, count: int, seed: int = 0) -> NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, *graph.input.shape)).astype(np.uint8)


def check_image(
    simulator: CSimEngine,
    program: Program,
    image: NDArray[np.uint8],
    golden: GoldenResult,
    index: int,
    params: NDArray[np.uint64] | None = None,
) -> None:
    params = program.params if params is None else params
    run = simulator.run(program.words, params, pack_image(image), program.traced_words, trace=True)
    assert run.status == Status.OK, f"{Status(run.status).name} at {run.fault_index}"
    found = decode_result(program, run.result, trace=True)
    for name, values in found.layers.items():
        assert not describe_difference(program, name, golden.values[name][index], values)
    for name, mask in found.masks.items():
        assert np.array_equal(mask, golden.masks[name][index]), name
    assert np.array_equal(found.logits, golden.logits[index])
    predicted = predict(program, found.masks, trace=True)
    counted = asdict(predicted.counters)
    assert {name: found.header[name] for name in counted} == counted
    assert found.header["instructions"] == len(program.lines)


def test_acs_network_image_after_image(simulator: CSimEngine, program: Program) -> None:
    graph = resnet()
    images = images_for(graph, 2)
    golden = GoldenModel(graph).run(images)
    masks = np.concatenate([m.ravel() for m in golden.masks.values()])
    assert 0.1 < masks.mean() < 0.9, "the test network must skip, and not everything"
    for index in (0, 1, 1, 0):
        check_image(simulator, program, images[index], golden, index)


@pytest.mark.parametrize("threshold", [INT32_MIN, INT32_MAX], ids=["open", "closed"])
def test_gates_forced(simulator: CSimEngine, program: Program, threshold: int) -> None:
    graph = resnet()
    image = images_for(graph, 1)
    thresholds = {g.name: np.full(g.channels, threshold, np.int32) for g in program.gates}
    golden = GoldenModel(graph).run(image, thresholds)
    check_image(simulator, program, image[0], golden, 0, program.with_thresholds(thresholds))


def test_an_untraced_run_needs_no_room_for_the_trace(
    simulator: CSimEngine, program: Program
) -> None:
    graph = resnet()
    image = images_for(graph, 1)
    run = simulator.run(
        program.words, program.params, pack_image(image[0]), program.result_words, trace=False
    )
    assert run.status == Status.OK
    found = decode_result(program, run.result)
    assert np.array_equal(found.logits, GoldenModel(graph).run(image).logits[0])
    counted = asdict(predict(program, found.masks).counters)
    assert {name: found.header[name] for name in counted} == counted
