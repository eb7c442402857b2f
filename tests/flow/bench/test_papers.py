"""Figures of the papers' systems: of the files that are shipped, and rendered in the pages."""

from __future__ import annotations

from dataclasses import asdict, replace
from functools import partial

import numpy as np
import pytest

from acsgen.compiler import compile_graph
from acsgen.compiler.predict import predict
from acsgen.cost.macs import count_macs
from acsgen.data import load_dataset
from acsgen.engines.rtl import Memory
from acsgen.flow.bench import Case, GatedNetwork, open_engine, simulation_of
from acsgen.flow.evaluate import CALIBRATION_IMAGES
from acsgen.frontend import front_end
from acsgen.ir.integer import IntConv
from acsgen.program.board import load_board
from acsgen.program.engine_config import EngineConfig
from acsgen.quant.golden import GoldenModel
from acsgen.quant.quantize import quantize
from acsgen.support.errors import CheckFailed
from benchmarks import papers, papers_tables
from tests.nets.integer_graphs import resnet

ENTRIES = papers_tables.recorded()
#: Rows whose integers are computed again without --run-slow: one by channel, one by block.
QUICK = ("densenet22-iadi-digits32", "ofas1-resnet14-digits32")


@pytest.mark.unit
def test_every_row_is_measured() -> None:
    assert list(ENTRIES) == list(papers.ROWS)


@pytest.mark.unit
@pytest.mark.parametrize("name", ENTRIES)
def test_figures_are_those_of_the_shipped_files(name: str) -> None:
    remedy = f"measure it: {papers.COMMAND} {name}"
    assert ENTRIES[name]["model_sha256"] == papers.digest(name), remedy
    assert ENTRIES[name]["twin_sha256"] == papers.digest(papers.ROWS[name].twin), remedy


@pytest.mark.unit
def test_tables_and_figure_are_rendered_from_the_figures() -> None:
    command = "python -m benchmarks.papers_tables"
    for page in papers_tables.PAGES:
        text = page.read_text(encoding="utf-8")
        written = text.split(papers_tables.BEGIN)[1].split(papers_tables.END)[0].strip()
        assert written == papers_tables.table(), command
    assert papers_tables.FIGURE.read_text(encoding="utf-8") == papers_tables.svg(), command


@pytest.mark.unit
@pytest.mark.parametrize("name", ENTRIES)
def test_skipping_really_saves_cycles(name: str) -> None:
    """Of a skipped MAC's cycles at least 0.85 are saved, the gates' own work on neither side."""
    found = papers_tables.saved(ENTRIES[name])
    macs, cycles = found.skipping
    assert macs > 0.15
    assert cycles / macs >= 0.85


@pytest.mark.unit
def test_shares_by_hand() -> None:
    def entry(**cycles: float) -> dict[str, object]:
        macs = {"own": 60.0, "open": 110.0, "dense": 100.0}
        return {name: {"macs": macs[name], "cycles": value} for name, value in cycles.items()}

    rtl = entry(own=700.0, open=1200.0, dense=1000.0)
    hls = entry(own=900.0, open=1300.0, dense=1200.0)
    found = papers_tables.saved({"rtl": rtl, "hls": hls})
    shares = (0.4, 0.3, 0.25, 0.1, 0.2)
    assert tuple(asdict(found).values()) == pytest.approx(shares)
    assert found.skipping == pytest.approx((0.5, 0.5))
    assert found.ratio == pytest.approx(1.0)
    pruned = papers_tables.saved({"rtl": entry(own=700.0, dense=1000.0), "hls": hls})
    assert (pruned.gate_macs, pruned.gate_cycles) == (0.0, 0.0)
    assert pruned.skipping == pytest.approx((0.4, 0.3))


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=() if n in QUICK else pytest.mark.slow) for n in ENTRIES]
)
def test_the_integers_are_those_that_were_measured(name: str) -> None:
    """MACs and iterations of the lane array on the simulated images, computed again."""
    layers, _ = front_end(papers.model_file(name))
    calibration = load_dataset("digits32", "train", limit=CALIBRATION_IMAGES)
    integers = quantize(layers, calibration.images)
    images = load_dataset("digits32", "test", limit=papers.SIMULATED).images
    golden = GoldenModel(integers).run(images)
    own = ENTRIES[name]["rtl"]["own"]
    assert own["images"] == papers.SIMULATED
    executed = count_macs(integers, golden.masks, len(images), golden.ran).executed
    assert own["macs"] == executed.mean()
    program = compile_graph(integers, EngineConfig.for_board(load_board(papers.BOARD)))
    iterations = [
        predict(
            program,
            {gate.name: golden.masks[gate.name][index] for gate in program.gates},
            False,
            executed=partial(golden.executed, image=index),
        ).counters.array_iterations
        for index in range(len(images))
    ]
    assert own["array_iterations"] == np.mean(iterations)


def test_a_traced_run_names_the_first_layer_that_differs() -> None:
    graph, board = resnet(size=8), load_board("zedboard")
    config = EngineConfig.for_board(board)
    engine = open_engine(simulation_of("hls"), board, config, Memory.for_board(board))
    images = np.random.default_rng(0).integers(0, 256, (2, 3, 8, 8)).astype(np.uint8)
    network = GatedNetwork(graph, config, engine, images, traced=True)
    assert network.measure(Case("small", "own")).images == 2
    first = next(layer for layer in graph if isinstance(layer, IntConv))
    other = replace(first, bias=first.bias + 100_000)
    layers = tuple(other if layer is first else layer for layer in graph.layers)
    network.graph = replace(graph, layers=layers)
    with pytest.raises(CheckFailed, match=first.name):
        network.measure(Case("small", "own"))
