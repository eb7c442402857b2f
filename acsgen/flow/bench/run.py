"""Runs the cases on a simulation; an answer that is not bit-exact is worth no cycle count."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from acsgen_host.exits import NEVER
from numpy.typing import NDArray

from acsgen.compiler import compile_graph
from acsgen.compiler.predict import predict
from acsgen.cost.macs import count_macs
from acsgen.data import load_dataset
from acsgen.engines.base import Engine
from acsgen.engines.rtl import Memory
from acsgen.flow.bench.cases import NATURAL_IMAGES, NETWORKS, REFERENCES, Case
from acsgen.flow.bench.masks import draw_masks
from acsgen.flow.evaluate import CALIBRATION_IMAGES
from acsgen.frontend import front_end
from acsgen.ir.integer import IntEntropy, IntGraph
from acsgen.ir.ungate import without_gates
from acsgen.isa.generated import HEADER_WORDS, LANES, WORD_BYTES
from acsgen.program.board import Board
from acsgen.program.engine_config import EngineConfig
from acsgen.program.program import Program
from acsgen.quant.golden import GoldenModel
from acsgen.quant.quantize import quantize
from acsgen.quant.thresholds import force_masks
from acsgen.support.assets import asset
from acsgen.support.errors import CheckFailed
from acsgen.support.progress import OnStage, ignore_stages
from acsgen.verify import verify_engine
from acsgen.verify.compare import Executed, HeaderWords, MaskBits

#: Seed of drawn masks; another one gives other masks with as many MACs.
SEED = 0

_DATASET = "digits32"


@dataclass(frozen=True)
class Figures:
    """The figures of a case: means over its images.

    Attributes:
        images: how many.
        cycles: from start to END, by the engine's own counter; of the HLS engine, those that its
            C simulation counts of all loops.
        stall_cycles: cycles in which the array, or any loop of the HLS engine, waited for memory.
        array_iterations: inner iterations of the lane array.
        macs: executed, gating work included (:mod:`acsgen.cost.macs`).
        bytes_read: from memory.
        bytes_written: to memory, result header included.
    """

    images: int
    cycles: float
    stall_cycles: float
    array_iterations: float
    macs: float
    bytes_read: float
    bytes_written: float


@dataclass(frozen=True)
class BenchResult:
    """Figures by case name, and the conditions of their measurement.

    ``references`` holds every network's figures by network and :data:`REFERENCES`: savings are
    relative to them, so that they are measured even when not asked for.
    """

    board: str
    engine: EngineConfig
    memory: Memory
    figures: dict[str, Figures]
    references: dict[tuple[str, str], Figures]

    @property
    def key(self) -> str:
        """The name of these figures in the baseline."""
        return f"{self.board}, {self.engine.lane_groups * LANES} lanes"

    def setting(self) -> dict[str, Any]:
        """Return the engine and memory as the baseline holds them."""
        return {"engine": asdict(self.engine), "memory": asdict(self.memory)}

    def saved(self, case: Case, reference: str) -> tuple[float, float]:
        """Return the shares of a reference's MACs and cycles that a case saves.

        The ``dense`` network has no gates, so that the gates' own work counts as a loss.  The
        ``open`` network has them too, so that only skipped work counts.
        """
        found, base = self.figures[case.name], self.references[case.network, reference]
        return 1 - found.macs / base.macs, 1 - found.cycles / base.cycles

    def utilisation(self, case: Case) -> float:
        """Return the executed MACs as a share of those that the lanes can do in all cycles."""
        found = self.figures[case.name]
        return found.macs / (found.cycles * self.engine.lane_groups * LANES)


def run_bench(
    cases: Sequence[Case],
    board: Board,
    engine: EngineConfig,
    simulated: Engine,
    memory: Memory,
    on_stage: OnStage = ignore_stages,
) -> BenchResult:
    """Measure ``cases`` on ``simulated``, an engine compiled from ``engine`` behind ``memory``.

    Raises:
        CheckFailed: its logits, masks or counters differ from the golden model's.
    """
    figures: dict[str, Figures] = {}
    references: dict[tuple[str, str], Figures] = {}
    for network in dict.fromkeys(case.network for case in cases):
        on_stage(f"quantize {network}")
        graph, images = load_network(network)
        bench = GatedNetwork(graph, engine, simulated, images)
        for reference in REFERENCES:
            on_stage(f"run {network}/{reference}")
            references[network, reference] = bench.measure(Case(network, reference))
        for case in cases:
            if case.network != network:
                continue
            found = references.get((network, case.masks))
            if found is None:
                on_stage(f"run {case.name}")
                found = bench.measure(case)
            figures[case.name] = found
    return BenchResult(board.name, engine, memory, figures, references)


def load_network(network: str) -> tuple[IntGraph, NDArray[np.uint8]]:
    """Return a shipped network in integers and its images, uint8 ``[N, C, H, W]``.

    Args:
        network: as the cases name it, for example ``resnet8``.
    """
    layers, _ = front_end(asset("models", f"{NETWORKS[network]}.pt"))
    calibration = load_dataset(_DATASET, "train", limit=CALIBRATION_IMAGES)
    test = load_dataset(_DATASET, "test", limit=NATURAL_IMAGES[network])
    return quantize(layers, calibration.images), test.images


class GatedNetwork:
    """A network with and without gates, compiled.

    Args:
        graph: the network.
        engine: the sizes of ``simulated``.
        simulated: what it runs on.
        images: for its own masks, uint8 ``[N, C, H, W]``; other masks do not depend on the image,
            and take the first one.
        traced: run the images with their own masks a second time, and compare every layer.
    """

    def __init__(
        self,
        graph: IntGraph,
        engine: EngineConfig,
        simulated: Engine,
        images: NDArray[np.uint8],
        traced: bool = False,
    ) -> None:
        self.traced = traced
        self.graph = graph
        self.ungated = without_gates(graph)
        self.program = compile_graph(graph, engine)
        self.ungated_program = compile_graph(self.ungated, engine)
        self.simulated = simulated
        self.images = images

    def measure(self, case: Case) -> Figures:
        """Run the network, or the one without gates, with the masks of ``case``.

        Raises:
            CheckFailed: the simulation differs from the golden model in a word that it compares.
        """
        one = self.images[:1]
        if case.masks == "dense":
            return self._run(self.ungated, self.ungated_program, one, {})
        if case.masks == "own":
            return self._run(self.graph, self.program, self.images, {}, self.traced)
        if case.saved_percent is None:
            masks = {gate.name: np.ones(gate.shape[0], bool) for gate in self.graph.gates}
        else:
            dense = count_macs(self.ungated, {}, 1).dense
            masks = draw_masks(self.graph, dense * (1 - case.saved_percent / 100), SEED).masks
        thresholds = force_masks(self.graph, masks)
        deciders = [layer.name for layer in self.graph if isinstance(layer, IntEntropy)]
        thresholds |= {name: np.full(1, NEVER, np.int32) for name in deciders}
        return self._run(self.graph, self.program, one, thresholds)

    def _run(
        self,
        graph: IntGraph,
        program: Program,
        images: NDArray[np.uint8],
        thresholds: dict[str, NDArray[np.int32]],
        traced: bool = False,
    ) -> Figures:
        golden = GoldenModel(graph).run(images, thresholds, keep="all" if traced else "outputs")

        def predicted(masks: MaskBits, executed: Executed, trace: bool) -> HeaderWords:
            skips_words = self.simulated.skips_words
            report = predict(program, masks, trace, skips_words=skips_words, executed=executed)
            return asdict(report.counters)

        checked = verify_engine(
            program,
            self.simulated,
            images,
            golden,
            predicted,
            params=program.with_thresholds(thresholds),
            traced_too=traced,
        )
        if checked.first is not None:
            raise CheckFailed(f"simulation of {program.model}: {checked.first}")
        headers, loops = checked.headers, checked.loops

        def mean(values: Iterable[int]) -> float:
            return sum(values) / len(headers)

        return Figures(
            images=len(headers),
            cycles=mean([c.total for c in loops] or [h["cycles"] for h in headers]),
            stall_cycles=mean([c.waits for c in loops] or [h["stall_cycles"] for h in headers]),
            array_iterations=mean(h["array_iterations"] for h in headers),
            macs=float(count_macs(graph, golden.masks, len(images), golden.ran).executed.mean()),
            bytes_read=mean(h["read_words"] * WORD_BYTES for h in headers),
            bytes_written=mean((h["written_words"] + HEADER_WORDS) * WORD_BYTES for h in headers),
        )
