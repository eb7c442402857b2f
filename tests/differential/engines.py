"""Engines for the tests: each configuration is rendered and compiled once, then kept.

The engine depends on the program only in its trip counts and buffer depths, which steer Vitis and
not the behaviour; so one library runs every program that fits its memories.
"""

from __future__ import annotations

import fcntl
import hashlib
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from acsgen.compiler import compile_graph
from acsgen.compiler.predict import predict
from acsgen.emit.hls import render_hls_of
from acsgen.engines.base import EngineRun
from acsgen.engines.csim import CSimEngine, build_library
from acsgen.engines.csim.compile import FLAGS, STRICT
from acsgen.engines.rtl import Memory, RtlEngine, cached_model
from acsgen.ir.integer import (
    INT32_MAX,
    INT32_MIN,
    IntEntropy,
    IntExit,
    IntGate,
    IntGraph,
    IntInput,
    IntLogits,
)
from acsgen.isa.generated import HEADER_WORDS, ResultHeader, Status
from acsgen.program.board import load_board
from acsgen.program.engine_config import EngineConfig
from acsgen.program.exits import ends_at_exit
from acsgen.program.program import Program
from acsgen.program.words import Words
from acsgen.quant.golden import GoldenModel
from acsgen.quant.thresholds import Thresholds, force_masks
from acsgen.support.assets import asset
from acsgen.verify import verify_engine
from acsgen.verify.compare import Executed, MaskBits
from tests.nets.images import patches
from tests.nets.integer_graphs import GraphBuilder

#: No valid case takes longer.
MAX_CYCLES = 5_000_000

#: By lane groups. The memories differ, so that weights come in few large or many small chunks; the
#: last number makes more lane groups than many layers have channels.
CONFIGURATIONS = {
    1: EngineConfig(1, feature_kib=1024, weight_kib=8, vector_bytes=65536, post_lanes=4),
    3: EngineConfig(3, feature_kib=1024, weight_kib=20, vector_bytes=65536, post_lanes=8),
    4: EngineConfig(4, feature_kib=1024, weight_kib=32, vector_bytes=65536, post_lanes=16),
    6: EngineConfig(6, feature_kib=1024, weight_kib=48, vector_bytes=65536, post_lanes=64),
}

#: One lane group and small memories: an edge of the RTL's clock takes a seventh of the time to
#: simulate that it takes with four. For tests of what is around an engine.
SMALL = EngineConfig(1, feature_kib=16, weight_kib=8, vector_bytes=2048, post_lanes=4)


@dataclass(frozen=True)
class EngineUnderTest:
    """An engine under test and its sizes: in C++, and perhaps in SystemVerilog."""

    config: EngineConfig
    csim: CSimEngine
    rtl: RtlEngine | None = None


#: Gives the engine with so many lane groups: ``engines(4)`` in C++, ``engines(4, True)`` in both.
Engines = Callable[..., EngineUnderTest]


class WatchedRtl:
    """The RTL with some memory that agrees with the engine's counters and sees no stray access."""

    def __init__(self, rtl: RtlEngine, memory: Memory) -> None:
        self.rtl = rtl
        self.memory = memory
        self.cycles = 0
        self.skips_words = rtl.skips_words

    def run(
        self, program: Words, params: Words, image: Words, result_words: int, trace: bool = False
    ) -> EngineRun:
        """Run on the RTL; see :meth:`acsgen.engines.rtl.RtlEngine.run`."""
        usual, self.rtl.memory = self.rtl.memory, self.memory
        try:
            run = self.rtl.run(program, params, image, result_words, trace)
        finally:
            self.rtl.memory = usual
        assert run.cycles is not None
        assert run.bus is not None
        self.cycles += run.cycles
        assert run.bus.stray == 0, f"{run.bus.stray} beats outside the buffers, {self.memory}"
        if run.status == Status.OK:
            header = run.result[:HEADER_WORDS]
            said = (header[ResultHeader.READ_WORDS], header[ResultHeader.WRITTEN_WORDS])
            counted = (run.bus.read, run.bus.written - HEADER_WORDS)
            if ends_at_exit(program, run.fault_index):
                # Words of later instructions were asked for, and are not counted.
                counted = (min(counted[0], int(said[0])), counted[1])
            assert counted == said, f"the memory counted {counted} words, the header {said}"
        return run


def compiled_engine(config: EngineConfig, cache: Path) -> EngineUnderTest:
    """Return the engine, from ``cache`` if these very sources were compiled before."""
    with tempfile.TemporaryDirectory() as scratch:
        sources = Path(scratch)
        _render(config, sources)
        digest = hashlib.sha256(repr((FLAGS, STRICT)).encode())
        for path in [
            *sorted(p for p in sources.iterdir() if p.is_file()),
            *sorted(asset("sim", "csim").iterdir()),
        ]:
            digest.update(path.name.encode() + path.read_bytes())
        library = cache / f"engine-{config.lane_groups}-{digest.hexdigest()[:16]}.so"
        with _locked(library.with_suffix(".lock")):
            if not library.exists():
                partial = library.with_suffix(".partial")
                build_library(sources, partial, STRICT)
                partial.rename(library)
    return EngineUnderTest(config, CSimEngine(library))


def engines_for(lane_groups: int, cache: Path, rtl: bool = True) -> EngineUnderTest:
    """Return the engine of a configuration, with its SystemVerilog twin if ``rtl`` is set."""
    config = CONFIGURATIONS[lane_groups]
    twin = RtlEngine(cached_model(config), max_cycles=MAX_CYCLES) if rtl else None
    return replace(compiled_engine(config, cache), rtl=twin)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _render(config: EngineConfig, target: Path) -> None:
    builder = GraphBuilder()
    builder.logits(builder.gavg(builder.conv(builder.input(), 4)))
    program = compile_graph(builder.graph(), config)
    render_hls_of(program, target, load_board("zedboard"))


def predicted(
    program: Program,
    masks: Mapping[str, NDArray[np.uint8]],
    executed: Executed,
    trace: bool,
    skips_words: bool = False,
) -> dict[str, int]:
    """Every counter of the result header that the engine keeps, as the cost model has it."""
    report = predict(program, masks, trace, skips_words=skips_words, executed=executed)
    lines = len(report.instructions)
    return {**asdict(report.counters), "instructions": lines, "cycles": 0, "stall_cycles": 0}


def check(
    graph: IntGraph,
    images: NDArray[np.uint8],
    engine: EngineUnderTest,
    thresholds: Thresholds | None = None,
    memory: Memory | None = None,
) -> Program:
    """Compile ``graph`` and require that the engine equals the golden model.

    Logits, masks, every layer's result and every counter must be equal; each image runs twice.
    """
    program = compile_graph(graph, engine.config)
    check_program(program, graph, images, engine, thresholds, memory)
    return program


def check_program(
    program: Program,
    graph: IntGraph,
    images: NDArray[np.uint8],
    engine: EngineUnderTest,
    thresholds: Thresholds | None = None,
    memory: Memory | None = None,
) -> None:
    """Like :func:`check`, of a program compiled before; the RTL runs with ``memory``."""
    traced = {trace.layer for trace in program.traces}
    untraced = (IntInput, IntGate, IntLogits, IntEntropy, IntExit)
    computed = [layer for layer in graph if not layer.parts]
    assert traced == {layer.name for layer in computed if not isinstance(layer, untraced)}
    chosen = dict(thresholds or {})
    golden = GoldenModel(graph).run(images, chosen)
    params = program.with_thresholds(chosen)

    def wanted(masks: MaskBits, executed: Executed, trace: bool) -> dict[str, int]:
        return predicted(program, masks, executed, trace, skips_words=engine.csim.skips_words)

    def wanted_clocked(masks: MaskBits, executed: Executed, trace: bool) -> dict[str, int]:
        clocked = ("cycles", "stall_cycles")
        counters = predicted(program, masks, executed, trace, skips_words=True)
        return {k: v for k, v in counters.items() if k not in clocked}

    verification = verify_engine(program, engine.csim, images, golden, wanted, params)
    assert verification.mismatches == 0, f"C-sim: {verification.first}"
    assert verification.images == len(images)
    if engine.rtl is not None:
        rtl = WatchedRtl(engine.rtl, memory or Memory())
        verification = verify_engine(program, rtl, images, golden, wanted_clocked, params)
        assert verification.mismatches == 0, f"RTL, {rtl.memory}: {verification.first}"


def check_network(
    graph: IntGraph, engine: EngineUnderTest, images: int = 2, memory: Memory | None = None
) -> Program:
    """Require equality with gates as they are, all open, all closed, at random, and forced.

    Images come in another order each time.
    """
    program = compile_graph(graph, engine.config)
    pixels = patches(graph.input.shape, images, seed=99)
    choices = [{}, *_threshold_choices(graph, pixels)] if graph.gates else [{}]
    for index, chosen in enumerate(choices):
        check_program(program, graph, np.roll(pixels, index, axis=0), engine, chosen, memory)
    return program


def _threshold_choices(graph: IntGraph, pixels: NDArray[np.uint8]) -> list[Thresholds]:
    rng = np.random.default_rng(7)
    everywhere = {gate.name: True for gate in graph.gates}
    forced = {gate.name: rng.random(gate.shape) < 0.5 for gate in graph.gates}
    # Of a map that is zero in all images the scale is tiny, and the threshold beyond int32.
    at_random = {
        gate.name: np.clip(rng.normal(0, 2 / gate.acc_scale), INT32_MIN, INT32_MAX).astype(np.int32)
        for gate in graph.gates
    }
    return [
        force_masks(graph, everywhere),
        force_masks(graph, dict.fromkeys(everywhere, False)),
        at_random,
        force_masks(graph, forced),
    ]
