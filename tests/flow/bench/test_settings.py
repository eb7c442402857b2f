"""Run-time settings of the papers' systems: small networks measured, shipped figures rendered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from acsgen_host.cycle_bounds import CycleBounds
from acsgen_host.thresholds import INT32_MAX, INT32_MIN

from acsgen.data import load_dataset
from acsgen.engines.base import Engine, EngineRun
from acsgen.engines.rtl import Memory
from acsgen.flow.bench import open_engine, simulation_of
from acsgen.ir.integer import IntConv, IntGraph
from acsgen.program.board import load_board
from acsgen.program.engine_config import EngineConfig
from acsgen.program.words import Words
from acsgen.quant.thresholds import thresholds_for
from acsgen.support.errors import CheckFailed
from benchmarks import papers, papers_tables, settings, settings_tables
from benchmarks.settings import Network, Setting
from tests.nets.exits import Branchy
from tests.nets.images import patches
from tests.nets.integer_graphs import resnet
from tests.nets.quantized import integer_network

ENTRIES = settings_tables.measured()
#: The row that is measured again with --run-slow.
AGAIN = "ofas2-resnet14-digits32"


class Unclocked:
    """The HLS engine under the name of the other, whose simulation has a clock: tests without
    Verilator try everything but the cycles."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.runs = engine, 0

    @property
    def skips_words(self) -> bool:
        return self.engine.skips_words

    def run(
        self, program: Words, params: Words, image: Words, result_words: int, trace: bool = False
    ) -> EngineRun:
        self.runs += 1
        return self.engine.run(program, params, image, result_words, trace)

    def close(self) -> None:
        self.engine.close()


@pytest.fixture(scope="module")
def config() -> EngineConfig:
    return EngineConfig.for_board(load_board("zedboard"))


@pytest.fixture(scope="module")
def csim(config: EngineConfig) -> Engine:
    board = load_board("zedboard")
    return open_engine(simulation_of("hls"), board, config, Memory.for_board(board))


@pytest.fixture
def network(config: EngineConfig, csim: Engine) -> Callable[[IntGraph], Network]:
    """Makes a network whose engines are both the quick simulation."""

    def made(graph: IntGraph) -> Network:
        return Network(graph, config, {"hls": csim, "rtl": Unclocked(csim)})

    return made


@pytest.fixture(scope="module")
def branchy(tmp_path_factory: pytest.TempPathFactory) -> IntGraph:
    return integer_network(Branchy(), (3, 12, 12), tmp_path_factory.mktemp("branchy"))


def test_points_of_a_gated_network(network: Callable[[IntGraph], Network]) -> None:
    """Fewer MACs at higher thresholds; equal masks run once."""
    small = network(resnet(size=8))
    images = patches(small.graph.input.shape, 2)
    found = settings.measure_points(small, images, (0.0, 1.0))
    assert list(found) == ["alpha"]
    values, macs = ([point[key] for point in found["alpha"]] for key in ("value", "macs"))
    assert values == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert macs == sorted(macs, reverse=True)
    assert macs[-1] < macs[0]
    assert found["alpha"][0]["masks"] == found["alpha"][-1]["masks"] == 1
    clocked = small.engines["rtl"]
    assert isinstance(clocked, Unclocked)
    # All channels open, and all closed, are one run and a traced one each, for both images.
    assert clocked.runs <= 2 + 2 + 3 * 4


def test_points_of_a_network_with_exits(
    network: Callable[[IntGraph], Network], branchy: IntGraph
) -> None:
    small = network(branchy)
    found = settings.measure_points(small, patches(branchy.input.shape, 2), (0.5, 0.5))
    assert list(found) == ["alpha", "entropy", "budget"]
    assert [point["value"] for point in found["entropy"]] == list(settings.ENTROPIES)
    budgets = found["budget"]
    assert budgets[0]["value"] == small.program.least_budget
    assert budgets[0]["macs"] < budgets[-1]["macs"] < small.most_macs
    assert all(point["macs"] <= point["value"] for point in budgets)


@pytest.mark.unit
def test_what_is_drawn_is_what_a_user_can_set(
    network: Callable[[IntGraph], Network], branchy: IntGraph
) -> None:
    small, rng = network(branchy), np.random.default_rng(1)
    bounds = CycleBounds(first=1000, after=(500, 700))
    drawn = [settings.draw_setting(small, rng, n, (0.2, 0.6), bounds) for n in range(120)]
    (gate,) = small.program.gates
    low, high = (thresholds_for(branchy, alpha)[gate.name] for alpha in (0.2, 0.6))
    kinds = set()
    for number, setting in enumerate(drawn):
        values = setting.thresholds[gate.name]
        assert values.dtype == np.int32
        if number % 2 == 0:
            assert np.all((low <= values) & (values <= high))
        assert (setting.macs is None) == (number % 3 != 1)
        assert (setting.cycles is None) == (number % 3 != 2)
        assert setting.macs is None or small.program.least_budget <= setting.macs <= small.most_macs
        assert setting.cycles is None or 1000 <= setting.cycles <= 2200
        kinds |= {int(value) for value in values} & {INT32_MIN, INT32_MAX}
        small.program.with_thresholds(setting.thresholds)
    assert kinds == {INT32_MIN, INT32_MAX}, "no gate was opened or closed for good"
    again = np.random.default_rng(1)
    same = settings.draw_setting(small, again, 0, (0.2, 0.6), bounds)
    assert np.array_equal(same.thresholds[gate.name], drawn[0].thresholds[gate.name])


def test_drawn_settings_of_a_gated_network(network: Callable[[IntGraph], Network]) -> None:
    small = network(resnet(size=8))
    found = settings.try_drawn(small, patches(small.graph.input.shape, 4), (0.2, 0.8), 6)
    assert found["settings"] == 6
    assert found["masks"] > 1
    assert found["answers"] == 1
    assert found["budgets"] == {}


@pytest.mark.rtl
def test_drawn_settings_of_a_network_with_exits(
    config: EngineConfig, csim: Engine, branchy: IntGraph
) -> None:
    board = load_board("zedboard")
    rtl = open_engine(simulation_of("rtl"), board, config, Memory.for_board(board))
    small = Network(branchy, config, {"hls": csim, "rtl": rtl})
    images = patches(branchy.input.shape, 4)
    found = settings.try_drawn(small, images, (0.2, 0.8), 12)
    assert found["answers"] > 1
    assert {kind: budget["settings"] for kind, budget in found["budgets"].items()} == {
        "macs": 4,
        "cycles": 4,
    }
    assert all(0.3 < budget["most_used"] <= 1 for budget in found["budgets"].values())
    # Every way may take as long as it was measured, so that a budget leaves its share unused.
    points = settings.measure_points(small, images[:2], (0.4, 0.6))
    assert points["budget"][0]["cycles"] < points["budget"][-1]["cycles"]


def test_an_engine_that_differs_leaves_no_figures(
    network: Callable[[IntGraph], Network], branchy: IntGraph
) -> None:
    """In a layer, in a mask by its threshold, and in a budget that it does not keep."""
    small = network(branchy)
    images = patches(branchy.input.shape, 1)
    setting = Setting(small.never())
    golden = small.golden(images, setting)
    assert not small.run("hls", images, golden, setting, traced=True).mismatches
    first = next(layer for layer in branchy if isinstance(layer, IntConv))
    moved = replace(first, bias=first.bias + 100_000)
    layers = tuple(moved if layer is first else layer for layer in branchy.layers)
    wrong = Network(replace(branchy, layers=layers), small.program.engine, small.engines)
    other = wrong.golden(images, setting)
    with pytest.raises(CheckFailed, match=f"hls engine of .*: image 0.*{first.name}"):
        small.run("hls", images, other, setting, traced=True)
    (gate,) = small.program.gates
    closed = Setting({**small.never(), gate.name: np.full(gate.channels, INT32_MAX, np.int32)})
    with pytest.raises(CheckFailed, match="image 0"):
        small.run("hls", images, golden, closed, traced=False)


@pytest.mark.unit
def test_every_row_with_a_knob_is_measured() -> None:
    assert list(ENTRIES) == settings.rows_with_knobs()


@pytest.mark.unit
@pytest.mark.parametrize("name", ENTRIES)
def test_figures_are_those_of_the_shipped_files(name: str) -> None:
    assert ENTRIES[name]["model_sha256"] == papers.digest(name), (
        f"measure it: {settings.COMMAND} {name}"
    )


@pytest.mark.unit
def test_table_and_figure_are_rendered_from_the_figures() -> None:
    command = "python -m benchmarks.settings_tables"
    text = settings_tables.PAGE.read_text(encoding="utf-8")
    written = text.split(settings_tables.BEGIN)[1].split(settings_tables.END)[0].strip()
    assert written == settings_tables.table(), command
    assert settings_tables.FIGURE.read_text(encoding="utf-8") == settings_tables.svg(), command


@pytest.mark.unit
@pytest.mark.parametrize("name", ENTRIES)
def test_skipping_saves_cycles_at_every_setting(name: str) -> None:
    """Of a skipped MAC's cycles at least 0.85 are saved, the gates' own work on neither side."""
    entry = ENTRIES[name]
    ratios = [
        point.ratio
        for found in settings_tables.points(entry, papers_tables.recorded()[name]).values()
        for point in found
    ]
    known = [ratio for ratio in ratios if ratio is not None]
    assert len(known) >= 2
    assert min(known) >= 0.85


@pytest.mark.unit
@pytest.mark.parametrize("name", ENTRIES)
def test_fifty_settings_were_tried_within_their_budgets(name: str) -> None:
    drawn = ENTRIES[name]["drawn"]
    assert drawn["settings"] == settings.DRAWN >= 50
    # Without gates a run differs in the exit that it takes: BranchyNet has three answers.
    assert drawn["masks"] > (5 if "alpha" in ENTRIES[name]["points"] else 2)
    assert all(budget["most_used"] <= 1 for budget in drawn["budgets"].values())
    exits = "entropy" in ENTRIES[name]["points"]
    assert set(drawn["budgets"]) == ({"macs", "cycles"} if exits else set())


@pytest.mark.unit
def test_the_point_of_the_papers_figures_has_the_same() -> None:
    """Points at the settings that the networks were trained with are runs of ``papers.json``."""
    compared = 0
    for name, entry in ENTRIES.items():
        own = papers_tables.recorded()[name]["rtl"]["own"]
        for knob, found in entry["points"].items():
            for point in found:
                if knob != "budget" and point["value"] == 0.5:
                    compared += 1
                    assert point["macs"] == own["macs"], name
                    assert point["cycles"] == own["cycles"], name
    assert compared > 5


@pytest.mark.unit
def test_shares_by_hand() -> None:
    figures = {"own": (60.0, 700.0), "open": (110.0, 1200.0), "dense": (100.0, 1000.0)}
    kept = {name: {"macs": macs, "cycles": cycles} for name, (macs, cycles) in figures.items()}
    at = [
        {"value": 0.1, "macs": 60.0, "cycles": 700.0, "cycles_hls": 800.0},
        {"value": 0.0, "macs": 109.0, "cycles": 1195.0, "cycles_hls": 1200.0},
    ]
    entry = {"points": {"alpha": at}}
    some, few = settings_tables.points(entry, {"rtl": kept, "hls": kept})["alpha"]
    assert (some.macs, some.cycles, some.cycles_hls) == pytest.approx((0.4, 0.3, 0.2))
    assert (some.skipped, some.skipped_cycles) == pytest.approx((0.5, 0.5))
    assert some.ratio == pytest.approx(1.0)
    assert some.ratio_hls == pytest.approx(0.8)
    assert few.skipped == pytest.approx(0.01)
    assert few.ratio is None


@pytest.mark.slow
@pytest.mark.rtl
def test_a_row_measured_again() -> None:
    """Every figure of the points, and some of the drawn settings."""
    network, usable = settings.load_row(AGAIN)
    images = load_dataset("digits32", "test").images
    points = settings.measure_points(network, images[: papers.SIMULATED], usable)
    assert points == ENTRIES[AGAIN]["points"]
    assert settings.try_drawn(network, images, usable, 10)["masks"] > 1
