"""Run-time settings of the papers' systems on the engines: thresholds, entropies and budgets.

``python -m benchmarks.settings MODEL...`` measures networks whose work can be set at run time, and
keeps its findings in ``settings.json``; without a name it measures all. An entry has

- *points*: thresholds of all gates at once across their usable range, and of networks with exits
  entropies and budgets too, each with the MACs and the cycles of the first test images;
- *drawn*: settings at random, as a user can make them, each with a random test image: that the
  engine equals the golden model, and how much of a budget was used at most.

Nothing is built again between settings: program and parameters are those of the row, but for the
words that a driver writes. An engine that differs in a bit, or overruns a budget, leaves no entry.
Every run is compared in each word of its results and in its counters. Layers are compared at all
points; of the settings at random on the RTL at one in some, and on the HLS engine, whose simulation
is quick, at all but those with a budget in cycles, which it has no clock for. At points the RTL
runs once for equal masks: cycles depend on nothing else.

``python -m benchmarks.settings_tables`` renders the file.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from acsgen_host.cycle_bounds import CycleBounds
from acsgen_host.exits import NEVER, entropy_threshold
from acsgen_host.thresholds import of_alpha
from numpy.typing import NDArray

from acsgen.compiler import compile_graph
from acsgen.compiler.exits import within_budget
from acsgen.compiler.predict import predict
from acsgen.cost.macs import count_macs
from acsgen.data import load_dataset
from acsgen.engines.base import Engine, EngineHung, EngineViolation, Implementation
from acsgen.flow.evaluate import CALIBRATION_IMAGES
from acsgen.frontend import front_end
from acsgen.ir.integer import IntGraph
from acsgen.ir.results import GoldenResult
from acsgen.program.engine_config import EngineConfig
from acsgen.program.program import Program
from acsgen.program.words import Words
from acsgen.quant.golden import GoldenModel
from acsgen.quant.quantize import quantize
from acsgen.quant.thresholds import thresholds_for
from acsgen.support.errors import CheckFailed
from acsgen.verify import verify_engine
from acsgen.verify.compare import Executed, HeaderWords, MaskBits, Verification
from acsgen.verify.cycle_budget import cycle_limits, engine_bounds, verify_budget
from acsgen.verify.vectors import Vectors
from benchmarks import papers, papers_tables

COMMAND = "python -m benchmarks.settings"
FILE = papers.FILE.with_name("settings.json")

#: Points of every knob that gets a range.
POINTS = 5
#: Entropies in nats of all exits at once.
ENTROPIES = (0.1, 0.2, 0.3, 0.5, 1.0)
#: Settings that are drawn for a network, and the seed of the draw.
DRAWN, SEED = 50, 0
#: One drawn setting in so many is compared in every layer on the RTL too.
_TRACED_EACH = 5

#: Thresholds int32 by the names of gates and of exits' decisions.
Thresholds = dict[str, NDArray[np.int32]]


@dataclass(frozen=True)
class Setting:
    """What a driver may set before a run.

    Attributes:
        thresholds: of gates and exits; those not named are as built.
        macs: the most multiply-accumulates of a run; None for no such budget.
        cycles: the most cycles of a run, likewise.
    """

    thresholds: Thresholds = field(default_factory=dict)
    macs: int | None = None
    cycles: int | None = None


class Network:
    """A network that is compiled once, and runs with any settings.

    Args:
        graph: the network.
        config: sizes of the engines.
        engines: a simulation of both implementations.
    """

    def __init__(
        self, graph: IntGraph, config: EngineConfig, engines: Mapping[Implementation, Engine]
    ) -> None:
        self.graph = graph
        self.program: Program = compile_graph(graph, config)
        self.engines = engines
        self._model = GoldenModel(graph)

    def golden(self, images: NDArray[np.uint8], setting: Setting) -> GoldenResult:
        """The results that every engine must have; of a budget in cycles nothing is known."""
        found = self._model.run(images, setting.thresholds, keep="all")
        return within_budget(self.program, found, setting.macs)

    def run(
        self,
        kind: Implementation,
        images: NDArray[np.uint8],
        golden: GoldenResult,
        setting: Setting,
        *,
        traced: bool,
    ) -> Verification:
        """Run images on one engine.

        Args:
            kind: which engine.
            images: uint8 ``[N, C, H, W]``.
            golden: their results.
            setting: one without a budget in cycles.
            traced: whether each image runs again for the comparison of every layer.

        Raises:
            CheckFailed: the engine differs from the golden model, or it overran the budget.
        """
        words = self.program.with_budget(setting.macs)
        vectors = Vectors(images, golden)
        found = self._compared(kind, vectors, words, setting, traced)
        self._require(kind, found)
        for header in found.headers:
            if setting.macs is not None and header["macs_executed"] > setting.macs:
                raise CheckFailed(
                    f"{kind} engine of {self.program.model}: {header['macs_executed']:,} MACs in "
                    f"a run that may take {setting.macs:,}"
                )
        return found

    def run_within(
        self,
        bounds: CycleBounds,
        images: NDArray[np.uint8],
        golden: GoldenResult,
        setting: Setting,
        *,
        traced: bool,
    ) -> Verification:
        """Run images on the RTL engine within a budget in cycles; see :meth:`run`."""
        assert setting.cycles is not None
        words = self.program.with_limits(cycles=cycle_limits(bounds, setting.cycles))
        found = verify_budget(
            self.program,
            self.engines["rtl"],
            Vectors(images, golden),
            setting.cycles,
            words,
            self.program.with_thresholds(setting.thresholds),
            lambda some, forced: self._compared("rtl", some, forced, setting, traced),
        )
        self._require("rtl", found)
        return found

    def _compared(
        self,
        kind: Implementation,
        vectors: Vectors,
        words: Words,
        setting: Setting,
        traced: bool,
    ) -> Verification:
        engine = self.engines[kind]

        def counters(masks: MaskBits, executed: Executed, trace: bool) -> HeaderWords:
            found = predict(
                self.program, masks, trace, skips_words=engine.skips_words, executed=executed
            )
            return {**asdict(found.counters), "instructions": len(found.instructions)}

        try:
            return verify_engine(
                self.program,
                engine,
                vectors.images,
                vectors.golden,
                counters,
                params=self.program.with_thresholds(setting.thresholds),
                words=words,
                traced_too=traced,
            )
        except (EngineHung, EngineViolation) as error:
            raise CheckFailed(f"{kind} engine of {self.program.model}: {error}") from error

    def _require(self, kind: Implementation, found: Verification) -> None:
        if found.first is not None:
            raise CheckFailed(f"{kind} engine of {self.program.model}: {found.first}")

    @property
    def most_macs(self) -> int:
        """The most multiply-accumulates of any run."""
        return self.program.least_budget + sum(e.macs_after for e in self.program.exits)

    def never(self) -> Thresholds:
        """Thresholds with which no entropy ends a run."""
        by_entropy = [exit for exit in self.program.exits if exit.decision]
        return {exit.decision: np.full(1, NEVER, np.int32) for exit in by_entropy}

    def sure_below(self, entropy: float) -> Thresholds:
        """Thresholds of all exits for an entropy in nats."""
        by_entropy = [exit for exit in self.program.exits if exit.decision]
        return {e.decision: entropy_threshold(entropy, e.acc_scale) for e in by_entropy}


def decisions(network: Network, golden: GoldenResult, image: int) -> bytes:
    """What the work for an image depends on: its masks, and which layers ran."""
    masks = [
        golden.masks[gate.name][image].tobytes() if golden.executed(gate.name, image) else b"-"
        for gate in network.program.gates
    ]
    ran = bytes(golden.executed(layer.name, image) for layer in network.graph)
    return b"/".join([*masks, ran])


def points_of(
    network: Network, usable: tuple[float, float] | None
) -> Iterator[tuple[str, float, Setting]]:
    """The points of a network: knob, value and setting.

    Args:
        network: the network.
        usable: range of the thresholds of its gates; None without gates.
    """
    if network.graph.gates and usable is not None:
        for alpha in np.linspace(*usable, POINTS).round(4).tolist():
            yield "alpha", alpha, Setting(thresholds_for(network.graph, alpha))
    if network.never():
        for nats in ENTROPIES:
            yield "entropy", nats, Setting(network.sure_below(nats))
    if network.program.exits:
        # With the most that a run may take, none ends at an exit: that is not a point.
        least, most = network.program.least_budget, network.most_macs
        for macs in np.linspace(least, most, POINTS + 1)[:-1].astype(int).tolist():
            yield "budget", macs, Setting(network.never(), macs=macs)


def measure_points(
    network: Network, images: NDArray[np.uint8], usable: tuple[float, float] | None
) -> dict[str, list[dict[str, float]]]:
    """MACs and cycles at every point, by knob: means over the images.

    Raises:
        CheckFailed: an engine differs from the golden model.
    """
    found: dict[str, list[dict[str, float]]] = {}
    clocked: dict[bytes, int] = {}
    for knob, value, setting in points_of(network, usable):
        golden = network.golden(images, setting)
        hls = network.run("hls", images, golden, setting, traced=True)
        cycles = []
        for number in range(len(images)):
            key = decisions(network, golden, number)
            if key not in clocked:
                one = np.array([number])
                part = golden.only(one)
                run = network.run("rtl", images[one], part, setting, traced=True)
                clocked[key] = run.headers[0]["cycles"]
            cycles.append(clocked[key])
        executed = count_macs(network.graph, golden.masks, len(images), golden.ran).executed
        point = {
            "value": value,
            "macs": float(executed.mean()),
            "cycles": float(np.mean(cycles)),
            "cycles_hls": float(np.mean([counted.total for counted in hls.loops])),
            "masks": len({decisions(network, golden, n) for n in range(len(images))}),
        }
        found.setdefault(knob, []).append(point)
    return found


def draw_setting(
    network: Network,
    rng: np.random.Generator,
    number: int,
    usable: tuple[float, float] | None,
    bounds: CycleBounds | None,
) -> Setting:
    """Draw what a user may set: a threshold for each gate and each exit, and a budget.

    Args:
        network: the network.
        rng: where to draw from.
        number: of the setting. Even ones keep to usable thresholds, odd ones do not; every fifth
            has a threshold for each channel. Of three, one has no budget, one has one in MACs, and
            one has one in cycles.
        usable: as in :func:`points_of`.
        bounds: what the RTL engine takes between exits; None without exits.
    """
    thresholds: Thresholds = {}
    low, high = (0.0, 1.0) if number % 2 or usable is None else usable
    for gate in network.program.gates:
        scale = np.array(gate.acc_scale)
        alphas = rng.uniform(low, high, gate.channels if number % 5 == 0 else 1)
        if number % 2 and rng.random() < 0.1:
            alphas = alphas.round()  # 0 and 1 open and close all channels
        each = np.broadcast_to(alphas, gate.channels)
        values = [of_alpha(float(a), s) for a, s in zip(each, scale, strict=True)]
        thresholds[gate.name] = np.array(values, np.int32)
    for exit in network.program.exits:
        if exit.decision:
            nats = float(np.exp(rng.uniform(np.log(0.02), np.log(2.0))))
            nats = float(rng.choice([0.0, nats, np.inf], p=[0.3, 0.65, 0.05]))
            thresholds[exit.decision] = entropy_threshold(nats, exit.acc_scale)
    if bounds is None or number % 3 == 0:
        return Setting(thresholds)
    if number % 3 == 1:
        least, most = network.program.least_budget, network.most_macs
        return Setting(thresholds, macs=int(rng.integers(least, most + 1)))
    most = bounds.first + sum(bounds.after)
    return Setting(thresholds, cycles=int(rng.integers(bounds.first, most + 1)))


def try_drawn(
    network: Network,
    images: NDArray[np.uint8],
    usable: tuple[float, float] | None,
    settings: int = DRAWN,
) -> dict[str, Any]:
    """Run with settings at random, each on one of the images, and say what was tried.

    Raises:
        CheckFailed: an engine differs from the golden model, or it overran a budget.
    """
    rng = np.random.default_rng(SEED)
    bounds = None
    if network.program.exits:
        bounds = engine_bounds(network.program, network.engines["rtl"])
    masks, answers, compared = set(), set(), 0
    used: dict[str, list[float]] = {"macs": [], "cycles": []}
    for number in range(settings):
        setting = draw_setting(network, rng, number, usable, bounds)
        image = images[rng.integers(len(images))][None]
        golden, traced = network.golden(image, setting), number % _TRACED_EACH == 0
        if setting.cycles is None:
            compared += network.run("hls", image, golden, setting, traced=True).compared
            found = network.run("rtl", image, golden, setting, traced=traced)
        else:
            assert bounds is not None
            found = network.run_within(bounds, image, golden, setting, traced=traced)
        compared += found.compared
        header = found.headers[0]
        answers.add(network.program.answer_at(header["fault_index"]))
        masks.add(decisions(network, golden, 0))
        if setting.macs is not None:
            used["macs"].append(header["macs_executed"] / setting.macs)
        if setting.cycles is not None:
            used["cycles"].append(header["cycles"] / setting.cycles)
    return {
        "settings": settings,
        "seed": SEED,
        "masks": len(masks),
        "answers": len(answers),
        "compared": compared,
        "budgets": {
            kind: {"settings": len(shares), "most_used": max(shares)}
            for kind, shares in used.items()
            if shares
        },
    }


def rows_with_knobs() -> list[str]:
    """The rows of the papers whose work can be set at run time."""
    entries = papers_tables.recorded()
    return [name for name, entry in entries.items() if "open" in entry["rtl"]]


def load_row(name: str) -> tuple[Network, tuple[float, float] | None]:
    """A shipped network, compiled, and the usable range of its gates' thresholds."""
    layers, _ = front_end(papers.model_file(name))
    calibration = load_dataset("digits32", "train", limit=CALIBRATION_IMAGES)
    config, rtl = papers.engine_of("rtl")
    engines: dict[Implementation, Engine] = {"rtl": rtl, "hls": papers.engine_of("hls")[1]}
    network = Network(quantize(layers, calibration.images), config, engines)
    thresholds = papers_tables.recorded()[name]["thresholds"]
    return network, None if thresholds is None else tuple(thresholds["usable"])


def measure_row(name: str) -> dict[str, Any]:
    """Return the entry of one row.

    Raises:
        CheckFailed: an engine differs from the golden model, or it overran a budget.
    """
    network, usable = load_row(name)
    images = load_dataset("digits32", "test").images
    return {
        "model_sha256": papers.digest(name),
        "images": papers.SIMULATED,
        "points": measure_points(network, images[: papers.SIMULATED], usable),
        "drawn": try_drawn(network, images, usable),
    }


if __name__ == "__main__":
    sys.exit(papers.measure_rows(rows_with_knobs(), measure_row, FILE, COMMAND))
