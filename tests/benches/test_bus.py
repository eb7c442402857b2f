"""Both tops of the engine behind a bus and a host that do anything they may."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from acsgen_host.words import pack_image
from numpy.typing import NDArray

from acsgen.compiler import compile_graph
from acsgen.emit.bundles import BUNDLE_NAMES
from acsgen.emit.rtl import render_rtl
from acsgen.emit.rtl_sources import PINS
from acsgen.engines.rtl import RtlEngine, cached_model
from acsgen.ir.integer import IntGraph
from acsgen.isa.generated import LinearMode, Opcode, ResultHeader
from acsgen.program.board import load_board
from acsgen.program.program import Program
from acsgen.quant.golden import GoldenModel
from acsgen.verify import verify_engine
from tests.differential.engines import SMALL
from tests.nets.integer_graphs import resnet

from .jobs import random_images
from .simulator import Top, run_bench
from .test_engine import predicted

pytestmark = [pytest.mark.rtl, pytest.mark.xdist_group("bench-bus")]

LIMIT = 300_000
SEEDS = 3

NAMES = {
    PINS: {
        "clock": "clk",
        "reset": "rst_n",
        "irq": "irq",
        "control": "s_axil",
        "masters": ["m_axi"],
    },
    "acs_engine_top": {
        "clock": "ap_clk",
        "reset": "ap_rst_n",
        "irq": "interrupt",
        "control": "s_axi_control",
        "masters": [f"m_axi_{bundle}" for bundle in BUNDLE_NAMES],
    },
}


def top_of(name: str, scratch: Path) -> Top:
    """Return the engine with its pins, or the top of the IP as a build has it."""
    if name == PINS:
        return Top.of_engine(SMALL)
    render_rtl(scratch / "ip", model="test", board=load_board("zedboard"), engine=SMALL)
    listed = (scratch / "ip" / "files.f").read_text().splitlines()
    *sources, source = (scratch / "ip" / line for line in listed if line.endswith((".sv", ".v")))
    return Top(source, tuple(sources))


def expected(
    graph: IntGraph, program: Program, images: NDArray[np.uint8]
) -> dict[str, NDArray[np.uint64]]:
    """Return result buffers by the fast path, which are checked, with cycle counters of zero."""
    fast = RtlEngine(cached_model(SMALL), max_cycles=LIMIT)
    golden = GoldenModel(graph).run(images, {})
    verification = verify_engine(program, fast, images, golden, partial(predicted, program))
    assert verification.mismatches == 0, verification.first
    found = {}
    for name, trace, size in (
        ("plain", False, program.result_words),
        ("traced", True, program.traced_words),
    ):
        results = [
            fast.run(program.words, program.params, pack_image(image), size, trace).result
            for image in images
        ]
        found[name] = np.stack(results)
    return {**found, "known": known(program)}


def known(program: Program) -> NDArray[np.uint64]:
    """Return the bits of a traced result that an image determines: the cells behind the end of a
    row hold their earlier content."""
    bits = np.zeros(program.traced_words, np.uint64)
    bits[: program.result_words] = ~np.uint64(0)
    bits[[ResultHeader.CYCLES, ResultHeader.STALL_CYCLES]] = 0
    for trace in program.traces:
        cells = bits[trace.address :][: trace.words].view(np.uint8)
        if trace.format is None:
            cells[: int(np.prod(trace.shape))] = 0xFF
        else:
            places = np.arange(len(cells))
            low, high = (trace.format.pixels((places >> n).astype(np.uint8)) for n in (0, 8))
            cells[low.astype(int) + 256 * high.astype(int)] = 0xFF
    return bits


def owners(program: Program) -> NDArray[np.int64]:
    """Return the instruction that reads each word of the parameters, -1 where several do."""
    starts: dict[int, int] = {}
    for index, op in enumerate(program.instructions):
        used = {
            Opcode.CONV: [op.weight_addr, *([op.table_addr] if op.has_table else [])],
            Opcode.LINEAR: [
                op.weight_addr,
                *([op.threshold_addr] if op.linear_mode == LinearMode.GATE else []),
            ],
        }.get(op.opcode, [])
        for start in used:
            starts[start] = -1 if start in starts else index
    found = np.full(len(program.params), -1, np.int64)
    for start in sorted(starts):
        found[start:] = starts[start]
    return found


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name == PINS else ()) for name in NAMES]
)
def test_any_bus_and_host(name: str, tmp_path: Path) -> None:
    if shutil.which("verilator") is None:
        pytest.skip("verilator is not installed")
    check_top(name, tmp_path, range(SEEDS))


TESTS = (
    *("good_runs", "errors", "resets", "resets_of_the_engine_alone", "dead_memory", "next_runs"),
    *("one_slave", "words_before_their_address", "words_before_a_reset"),
)


def check_top(
    name: str, tmp_path: Path, seeds: Iterable[int], tests: Sequence[str] = TESTS
) -> None:
    """Run the bench of a top with other random numbers for every seed."""
    graph = resnet(widths=(4, 8), size=8)
    program = compile_graph(graph, SMALL)
    images = random_images(graph, 2)
    job = {"top": NAMES[name], "seeds": list(seeds), "limit": LIMIT}
    np.savez(
        tmp_path / "job.npz",
        program=program.words,
        params=program.params,
        images=np.stack([pack_image(image) for image in images]),
        owners=owners(program),
        job=json.dumps(job),
        **expected(graph, program, images),
    )
    run_bench(
        top_of(name, tmp_path),
        "bench_bus",
        tmp_path,
        tests=tests,
        environment={"ACSGEN_JOB": str(tmp_path / "job.npz")},
    )
