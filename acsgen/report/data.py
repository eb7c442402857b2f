"""The report of a build as data: the network, its cost, and how each figure is known.

Every figure is either exact (MACs, bytes, counters), counted by a simulation, estimated, or, below
``bitstream``, measured by Vivado on the routed design; ``source`` says which.  Nothing here is a
measurement on a board.  Field by field this is ``report.json``; :mod:`acsgen.report.file` reads and
writes it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

from acsgen.cost.lane_groups import LaneChoice
from acsgen.cost.resources import ResourceEstimate
from acsgen.engines.rtl import Memory
from acsgen.ir.mask_statistics import MaskStatistics
from acsgen.ir.noise import LayerNoise
from acsgen.ir.ranges import WEIGHT_BITS
from acsgen.ir.refinement import Refinement
from acsgen.ir.rewrites import Rewrite
from acsgen.program.engine_config import EngineConfig
from acsgen.program.memory_map import BufferPlace
from acsgen.program.program import MemoryUse
from acsgen.report.vivado import PlacedResources


@dataclass(frozen=True)
class BitExactness:
    """Outcome of one simulation.

    Attributes:
        images: how many were run.
        runs_per_image: how often each of them.
        values: values compared with the golden model's.
        mismatches: those that differed.
    """

    images: int
    runs_per_image: int
    values: int
    mismatches: int


@dataclass(frozen=True)
class MacFigures:
    """Multiply-accumulates of an image.

    Attributes:
        dense: nothing skipped, no gating work.
        mean: executed, gating work included, mean over the images.
        std: their standard deviation.
        gates: gating work alone, mean.
    """

    dense: int
    mean: float
    std: float
    gates: float


@dataclass(frozen=True)
class CountedCycles:
    """Clock cycles of an image on one engine, as its simulation counted them.

    Attributes:
        images: how many were run.
        dense: of the network without gates.
        mean: of the network, mean over the images.
        std: their standard deviation.
        stalls: cycles in which the engine waited for memory, mean.
        macs: multiply-accumulates executed on these images, mean, gating work included.
        memory: the simulated memory.
        source: how they are known.
        loops: those of every loop of the C++ by its label, mean over the images; empty for the RTL.
    """

    images: int
    dense: int
    mean: float
    std: float
    stalls: float
    macs: float
    memory: Memory
    source: str
    loops: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class PredictedCycles:
    """Clock cycles of an image by the cost model, which runs nothing: an estimate.

    Attributes:
        dense: of the network without gates.
        mean: of the network, mean over the same images as :class:`Accuracy`.
        std: their standard deviation.
        source: how they are known.
    """

    dense: int
    mean: float
    std: float
    source: str


@dataclass(frozen=True)
class Cycles:
    """Clock cycles of an image by the engines that were simulated; None for one that was not.

    Attributes:
        hls: of the C++.
        rtl: of the SystemVerilog.
        predicted: by the cost model; None in a report from before it was noted.
    """

    hls: CountedCycles | None = None
    rtl: CountedCycles | None = None
    predicted: PredictedCycles | None = None


@dataclass(frozen=True)
class BytesMoved:
    """Bytes between the engine and memory for an image.

    Attributes:
        dense: both directions, of the network without gates.
        read: mean over the images.
        written: likewise, result header included.
    """

    dense: int
    read: float
    written: float


@dataclass(frozen=True)
class Accuracy:
    """The float network and the integer network over the same images.  Shares are in [0, 1].

    Attributes:
        floating: accuracy of the network in floats (``float`` in JSON); None without labels.
        int8: accuracy of the integer network; None without labels.
        images: how many.
        prediction_agreement: share of images with the same prediction.
        gate_agreement: share of equal gate bits; None without gates.
    """

    floating: Annotated[float | None, Field(alias="float")]
    int8: float | None
    images: int
    prediction_agreement: float
    gate_agreement: float | None


@dataclass(frozen=True)
class OutputFigures:
    """One of the network's outputs, over the same images as :class:`Accuracy`.

    Attributes:
        layer: its name.
        classes: how many it tells apart.
        floating: accuracy of the network in floats (``float`` in JSON); None without labels.
        int8: accuracy of the integer network; None without labels.
        prediction_agreement: share of images with the same prediction.
    """

    layer: str
    classes: int
    floating: Annotated[float | None, Field(alias="float")]
    int8: float | None
    prediction_agreement: float


@dataclass(frozen=True)
class LayerFigures:
    """One layer's share of an image, mean over the images.

    Cycles are those of ``cycles``, over the images of the simulation, if there was one.

    Attributes:
        layer: its name; ``END`` for the instruction that ends a program.
        cycles: clock cycles of the HLS engine.
        macs: multiply-accumulates executed.
        macs_skipped: those left out.
        bytes_read: from memory.
        cycles_dense: likewise in the network without gates; None for a layer of a gate.
        cycles_rtl: clock cycles of the RTL engine, from the end of the layer before.
        cycles_rtl_dense: likewise in the network without gates; None for a layer of a gate.
        macs_simulated: multiply-accumulates executed, over the images of the simulation.
        bytes_simulated: read from memory and written to it, over the images of the simulation.
        for_gates: whether it works for a gate alone.
    """

    layer: str
    cycles: float | None
    macs: float
    macs_skipped: float
    bytes_read: float
    cycles_dense: int | None
    cycles_rtl: float | None = None
    cycles_rtl_dense: int | None = None
    macs_simulated: float = 0.0
    bytes_simulated: float = 0.0
    for_gates: bool = False


@dataclass(frozen=True)
class GateFigures:
    """One gate's masks, over the same images as :class:`Accuracy`.  Shares are in [0, 1].

    Attributes:
        gate: name of its layer.
        open: mean share of open channels.
        agreement: share of bits that are those of the float network's masks.
        by_channel: share of the images for which each channel is open.
    """

    gate: str
    open: float
    agreement: float
    by_channel: tuple[float, ...] = field(repr=False)


@dataclass(frozen=True)
class ImageFigures:
    """One of the images that prove bit-exactness.

    Attributes:
        label: its class; None without labels.
        prediction: class that the integer network predicts.
        macs: multiply-accumulates executed, gating work included.
        open: share of open gate bits; None without gates.
        cycles_hls: clock cycles of the HLS engine; None where it was not simulated.
        cycles_rtl: clock cycles of the RTL engine; None where it was not simulated.
    """

    label: int | None
    prediction: int
    macs: int
    open: float | None
    cycles_hls: int | None
    cycles_rtl: int | None


@dataclass(frozen=True)
class EnergyFigures:
    """What a model says of an image's energy, by term, without anything measured.

    Attributes:
        kind: ``model``.
        unit: of the energies: ``MAC`` for the energy of one multiply-accumulate.
        costs: of one count of each term, in that unit.
        counts: of each term, mean over the same images as :class:`Accuracy`.
        counts_dense: of each term, of the network without gates.
        meaning: of each term, in words.
        assumptions: in words.
        counts_simulated: of each term, mean over the images of the simulation, by the engine's own
            counters; None in a report from before it was noted.
    """

    kind: str
    unit: str
    costs: dict[str, float]
    counts: dict[str, float]
    counts_dense: dict[str, float]
    meaning: dict[str, str]
    assumptions: tuple[str, ...]
    counts_simulated: dict[str, float] | None = None

    def total(self, counts: dict[str, float]) -> float:
        """Return the energy of so many counts of each term, in :attr:`unit`."""
        return sum(cost * counts[term] for term, cost in self.costs.items())


@dataclass(frozen=True)
class Origin:
    """What it takes to make the same build again.

    Attributes:
        file: name of the model file.
        sha256: digest of the model file.
        command: the command, with the model file's name and without its folder.
        versions: of Python, of the packages that computed, and of the tools that simulated.
    """

    file: str
    sha256: str
    command: str
    versions: dict[str, str]


@dataclass(frozen=True)
class LoopSynthesis:
    """A labelled loop of the C++, claimed and synthesized, in clock cycles.

    Attributes:
        label: of the loop, which the report of Vitis HLS has, too.
        module: the module of the report that it is in; "" if the report does not have it.
        claimed_interval: from the start of an iteration to that of the next, as the sources claim.
        claimed_depth: from the start of an iteration to its end; 0 for a loop without a pipeline.
        interval: as synthesized; None for a loop without a pipeline.
        depth: likewise.
    """

    label: str
    module: str
    claimed_interval: int
    claimed_depth: int
    interval: int | None
    depth: int | None


@dataclass(frozen=True)
class Synthesis:
    """What Vitis HLS reports of the C++ engine, before Vivado places it.

    Attributes:
        vitis_hls: version of the tool.
        clock_ns: period that was asked.
        estimated_ns: longest path, which the tool estimates.
        resources: that the tool estimates: ``bram18``, ``dsp``, ``ff``, ``lut``, ``uram``.
        loops: every loop with a claim.
        claims: how many claims there are, about loops, resources and the clock.
        broken: those that the report does not bear out, in words.
    """

    vitis_hls: str
    clock_ns: float
    estimated_ns: float
    resources: dict[str, int]
    loops: tuple[LoopSynthesis, ...]
    claims: int
    broken: tuple[str, ...]


@dataclass(frozen=True)
class BitstreamFigures:
    """A bitstream, as the tools that made it measured it.

    Attributes:
        stem: name of the ``.bit`` and the ``.hwh``, with the start of their hash.
        vivado: version of the tool.
        clock_mhz: that the design is constrained to.
        board_mhz: that the board makes of the design's divisors.
        wns_ns: worst slack of setup.
        whs_ns: worst slack of hold.
        resources: of the whole block design, placed and routed.
        source: how they are known.
        critical_warnings: of Vivado, each once.
        synthesis: by Vitis HLS; None for the RTL.
    """

    stem: str
    vivado: str
    clock_mhz: float
    board_mhz: float
    wns_ns: float
    whs_ns: float
    resources: PlacedResources
    source: str
    critical_warnings: tuple[str, ...]
    synthesis: Synthesis | None


@dataclass(frozen=True)
class ClockEvidence:
    """How the clock is known that times are told for, and what estimates there are.

    The estimate is of the whole RTL engine, with one lane group, on a chip of another family: it is
    not that of Vivado, and not of the board's part. Of the HLS engine there is none.

    Attributes:
        basis: ``assumed``: the board's file or ``--clock`` names the clock, and no tool confirmed
            it before the build ended; what Vivado found is below ``bitstream``.
        estimate_mhz: the engine's clock by the estimate; None where none is recorded.
        estimate_part: that the estimate is for.
        estimate_tools: that made it, with their versions.
        estimate_worth: what the estimate is worth, in words.
    """

    basis: str
    estimate_mhz: float | None = None
    estimate_part: str | None = None
    estimate_tools: str | None = None
    estimate_worth: str | None = None


@dataclass(frozen=True)
class Report:
    """The report of one build.

    Attributes:
        model: name of the network.
        board: name of the board.
        acsgen: version that built it.
        spec_hash: version of the instruction set, in hexadecimal.
        dataset: where the images are from.
        engines: the implementations that were rendered.
        bit_exact: outcome of every simulation that was run, by its name.
        macs: multiply-accumulates.
        cycles: by each engine that was simulated.
        bytes: moved to and from memory.
        accuracy: of the float and the integer network, by their answer.
        outputs: all results that leave the network, in the order of their computation; the last is
            the answer.
        masks: activity of the gates; None without gates.
        resources: of the board's part.
        engine: its sizes.
        clock_mhz: the clock that times are told for.
        memory: on-chip memory that the program needs.
        layers: in order of execution.
        noise: of quantization, by layer, in order of execution.
        gates: in order of execution.
        images: those that prove bit-exactness, in the order of ``vectors/golden.npz``.
        buffers: the places of results in on-chip memory, in the order of their first use.
        energy: of an image, by the model.
        origin: what it takes to make the same build again.
        rewrites: passes that made supported layers of the network's own, in their order.
        refinement: agreement on the calibration images, and whether the network was quantized a
            second time for it.
        bitstream: that ``acsgen bitstream`` made last, by its engine: ``hls``, ``rtl``.
        weight_bits: width that weights were quantized to; the engine stores 8 bits in any case.
        lane_choice: how many lane groups the engine has, and why; None in a report from before it
            was noted.
        clock: how the clock is known; None in a report from before it was noted.
    """

    model: str
    board: str
    acsgen: str
    spec_hash: str
    dataset: str
    engines: tuple[str, ...]
    bit_exact: dict[str, BitExactness]
    macs: MacFigures
    cycles: Cycles
    bytes: BytesMoved
    accuracy: Accuracy
    outputs: tuple[OutputFigures, ...]
    masks: MaskStatistics | None
    resources: ResourceEstimate
    engine: EngineConfig
    clock_mhz: float
    memory: MemoryUse
    layers: tuple[LayerFigures, ...] = field(repr=False)
    noise: tuple[LayerNoise, ...] = field(repr=False)
    gates: tuple[GateFigures, ...] = field(repr=False)
    images: tuple[ImageFigures, ...] = field(repr=False)
    buffers: tuple[BufferPlace, ...] = field(repr=False)
    energy: EnergyFigures
    origin: Origin
    rewrites: tuple[Rewrite, ...] = ()
    refinement: Refinement | None = None
    bitstream: dict[str, BitstreamFigures] = field(default_factory=dict)
    weight_bits: int = WEIGHT_BITS
    lane_choice: LaneChoice | None = None
    clock: ClockEvidence | None = None

    @property
    def narrow_weights(self) -> str:
        """In words, that weights have fewer bits than the engine stores; else empty."""
        return "" if self.weight_bits == WEIGHT_BITS else f"weights of {self.weight_bits} bits"
