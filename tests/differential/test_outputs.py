"""Several outputs, and programs that do not run every line: on both engines, word by word."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from acsgen.compiler import compile_graph
from acsgen.engines.base import Engine
from acsgen.engines.rtl import Memory
from acsgen.ir.integer import IntGraph
from acsgen.ir.results import GoldenResult
from acsgen.isa.generated import Opcode
from acsgen.program.program import Program
from acsgen.quant.golden import GoldenModel
from acsgen.verify.check import check_vectors
from acsgen.verify.vectors import Vectors, load_vectors, save_vectors
from tests.differential.engines import CONFIGURATIONS, Engines, WatchedRtl
from tests.nets.images import noise
from tests.nets.integer_graphs import GraphBuilder

#: An image runs without trace and with it.
RUNS = 2

#: Words of the output of five classes, all of which differ.
WORDS_OF_FIVE = 3

#: Engines of the tests, by the names of their tests.
KINDS = ["csim", pytest.param("rtl", marks=pytest.mark.rtl)]


@pytest.fixture(scope="module", params=KINDS)
def engine(request: pytest.FixtureRequest, engines: Engines) -> Engine:
    """One engine after the other; that in SystemVerilog watches its bus."""
    if request.param == "csim":
        return engines(4).csim
    rtl = engines(4, True).rtl
    assert rtl is not None
    return WatchedRtl(rtl, Memory())


def two_branches() -> IntGraph:
    """A gated network with an early classifier, and a later one with other classes."""
    b = GraphBuilder(3)
    x = b.conv(b.input(3, 12, 12), 8)
    x = b.conv(x, 8, mask=b.gate(b.gavg(x), 8))
    b.logits(b.gavg(x), 5)
    y = b.conv(x, 8, mask=b.gate(b.gavg(x), 8))
    b.logits(b.gavg(b.conv(y, 8)), 7)
    return b.graph("branches")


def up_to(program: Program, output: str) -> tuple[Program, set[str]]:
    """The program that ends with an output, as an exit there would, and the layers that it runs."""
    last = [line.layer for line in program.lines].index(output)
    end = next(line for line in program.lines if line.instruction.opcode is Opcode.END)
    kept = program.lines[: last + 1]
    return replace(program, lines=(*kept, end)), {line.layer for line in kept}


@pytest.fixture(scope="module")
def network() -> tuple[IntGraph, Program, np.ndarray, GoldenResult]:
    graph = two_branches()
    images = noise(graph.input.shape, 2)
    program = compile_graph(graph, CONFIGURATIONS[4])
    return graph, program, images, GoldenModel(graph).run(images)


def left(golden: GoldenResult, graph: IntGraph, ran: set[str], images: int) -> GoldenResult:
    """The golden results when only the layers ``ran`` run."""
    others = [layer.name for layer in graph if layer.name not in ran]
    return replace(golden, ran={name: np.zeros(images, bool) for name in others})


def test_every_output_is_compared(network, engine: Engine) -> None:
    graph, program, images, golden = network
    assert [output.classes for output in program.outputs] == [5, 7]
    assert golden.answers == [graph.outputs[1]] * 2
    found = check_vectors(program, engine, Vectors(images, golden), "engine")
    assert found.mismatches == 0, found.first
    first = graph.outputs[0]
    wrong = replace(golden, outputs={**golden.outputs, first: golden.outputs[first] + 1})
    found = check_vectors(program, engine, Vectors(images, wrong), "engine")
    assert found.mismatches == RUNS * len(images) * WORDS_OF_FIVE
    assert f"{first} (instruction" in found.first


def test_lines_that_do_not_run_are_known_everywhere(network, engine, tmp_path) -> None:
    graph, program, images, golden = network
    early, ran = up_to(program, graph.outputs[0])
    exited = left(golden, graph, ran, len(images))
    assert exited.answers == [graph.outputs[0]] * 2
    assert exited.logits.shape == (2, 5)
    save_vectors(tmp_path, early, Vectors(images, exited))
    loaded = load_vectors(tmp_path, early)
    assert loaded.golden.answers == exited.answers
    found = check_vectors(early, engine, loaded, "engine")
    assert found.mismatches == 0, found.first


def test_a_layer_that_runs_on_one_side_only_is_a_mismatch(network, engine) -> None:
    graph, program, images, golden = network
    early, ran = up_to(program, graph.outputs[0])
    found = check_vectors(early, engine, Vectors(images, golden), "engine")
    assert found.mismatches
    assert "ran on the golden model and not on the engine" in found.first
    exited = left(golden, graph, ran, len(images))
    found = check_vectors(program, engine, Vectors(images, exited), "engine")
    assert found.mismatches
    assert "ran on the engine and not on the golden model" in found.first
