"""The whole engine on the cocotb benches, and the fast path against them."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from acsgen_host.words import pack_image
from numpy.typing import NDArray

from acsgen.compiler import compile_graph
from acsgen.compiler.predict import predict
from acsgen.data import load_dataset
from acsgen.engines.rtl import Memory, RtlEngine, cached_model
from acsgen.flow.evaluate import CALIBRATION_IMAGES
from acsgen.frontend import front_end
from acsgen.ir.integer import IntGraph
from acsgen.isa.generated import HEADER_WORDS, ResultHeader
from acsgen.program.board import load_board
from acsgen.program.engine_config import EngineConfig
from acsgen.program.program import Program
from acsgen.program.result import decode_result
from acsgen.quant.golden import GoldenModel
from acsgen.quant.quantize import quantize
from acsgen.support.assets import asset
from acsgen.verify import verify_engine
from acsgen.verify.compare import Executed, MaskBits
from tests.nets.integer_graphs import resnet

from .jobs import Replay, Run, random_images, read_results, write_job
from .simulator import Top, run_bench

pytestmark = [pytest.mark.rtl, pytest.mark.xdist_group("bench-engine")]

BOARD = load_board("zedboard")
CONFIG = EngineConfig.for_board(BOARD)
LIMIT = 400_000

#: From nearest to farthest, narrow, and with random gaps.
MEMORIES = [
    Memory.for_board(BOARD),
    Memory(latency=0),
    Memory(latency=200),
    Memory(latency=40, bandwidth=57),
    Memory(latency=9, bandwidth=200, seed=0xFFFF_FFFF),
]


@pytest.fixture(autouse=True)
def _needs_verilator() -> None:
    if shutil.which("verilator") is None:
        pytest.skip("verilator is not installed")


def small() -> tuple[IntGraph, Program]:
    graph = resnet(widths=(4, 8, 8), size=16)
    return graph, compile_graph(graph, CONFIG)


def predicted(program: Program, masks: MaskBits, executed: Executed, trace: bool) -> dict[str, int]:
    return asdict(predict(program, masks, trace, executed=executed, skips_words=True).counters)


def check_network(
    graph: IntGraph,
    program: Program,
    images: NDArray[np.uint8],
    scratch: Path,
    memories: list[Memory],
    traces: tuple[bool, ...] = (False, True),
    limit: int = LIMIT,
) -> None:
    """Run images on bench and fast path: both equal golden, and each other in every cycle."""
    runs = [
        Run(image, trace, memory)
        for memory in memories
        for image in range(len(images))
        for trace in traces
    ]
    environment = write_job(scratch / "job.npz", program, images, limit, runs=runs)
    run_bench(
        Top.of_engine(CONFIG),
        "bench_engine",
        scratch,
        tests=["runs"],
        environment=environment,
    )
    found = read_results(environment)
    assert len(found) == len(runs)
    fast = RtlEngine(cached_model(CONFIG), max_cycles=limit)
    for run, slow in zip(runs, found, strict=True):
        fast.memory = run.memory
        size = program.traced_words if run.trace else program.result_words
        image = pack_image(images[run.image])
        again = fast.run(program.words, program.params, image, size, run.trace)
        np.testing.assert_array_equal(slow.result, again.result, err_msg=str(run))
        # Only the fast path notes the end of every instruction; the others are counted by both.
        arrays = {"result": None, "ends": None}
        assert {**vars(slow), **arrays} == {**vars(again), **arrays}, run
        header = slow.result[:HEADER_WORDS].tolist()
        assert slow.bus.stray == 0
        assert slow.bus.read == header[ResultHeader.READ_WORDS]
        assert slow.bus.written == header[ResultHeader.WRITTEN_WORDS] + HEADER_WORDS
        # The engine's own counter ends where the header begins.
        answered = slow.cycles - header[ResultHeader.CYCLES]
        assert HEADER_WORDS < answered < 8 * (run.memory.latency + 64)
    golden = GoldenModel(graph).run(images, {})
    if traces == (False,):
        for run, slow in zip(runs, found, strict=True):
            decoded = decode_result(program, slow.result)
            for output, logits in golden.outputs.items():
                np.testing.assert_array_equal(decoded.outputs[output], logits[run.image])
            for name, mask in decoded.masks.items():
                np.testing.assert_array_equal(mask, golden.masks[name][run.image], err_msg=name)
        return
    per_memory = 2 * len(images)
    for first in range(0, len(found), per_memory):
        verification = verify_engine(
            program,
            Replay(found[first : first + per_memory]),
            images,
            golden,
            partial(predicted, program),
        )
        assert verification.mismatches == 0, verification.first


def test_every_cycle_is_that_of_the_fast_path(tmp_path: Path) -> None:
    graph, program = small()
    check_network(graph, program, random_images(graph, 1), tmp_path, MEMORIES)


def shipped(name: str, count: int) -> tuple[IntGraph, NDArray[np.uint8]]:
    layers, _ = front_end(asset("models", f"{name}.pt"))
    calibration = load_dataset("digits32", "train", limit=CALIBRATION_IMAGES)
    graph = quantize(layers, calibration.images)
    return graph, load_dataset("digits32", "test", limit=count).images


@pytest.mark.parametrize(
    "name",
    [
        "resnet8-acs-digits32",
        pytest.param("resnet38-acs-digits32", marks=pytest.mark.slow),
    ],
)
def test_shipped_network(name: str, tmp_path: Path) -> None:
    graph, images = shipped(name, 1)
    program = compile_graph(graph, CONFIG)
    check_network(graph, program, images, tmp_path, MEMORIES[:1], (False,), limit=5_000_000)


def test_whatever_the_host_and_the_bus_do(tmp_path: Path) -> None:
    """Error answers, resets, starts while busy, interrupts on and off, auto-restart."""
    graph, program = small()
    images = random_images(graph, 1)
    fast = RtlEngine(cached_model(CONFIG), max_cycles=LIMIT)
    whole = fast.run(program.words, program.params, pack_image(images[0]), program.result_words)
    rng = np.random.default_rng(0)
    beats = [1, 8, int(rng.integers(9, whole.bus.read)), whole.bus.read]
    job = {
        "faults": [{"fail_read": b, "response": 2 + i % 2} for i, b in enumerate(beats)]
        + [{"fail_write": b, "response": 2 + b % 2} for b in (1, 3)],
        "resets": [1, 77, int(rng.integers(100, whole.cycles))],
    }
    environment = write_job(tmp_path / "job.npz", program, images, LIMIT, **job)
    run_bench(
        Top.of_engine(CONFIG),
        "bench_engine",
        tmp_path,
        tests=[
            "faults",
            "resets",
            "start_while_busy",
            "without_interrupts",
            "auto_restart",
        ],
        environment=environment,
    )
