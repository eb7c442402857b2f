"""Tries random programs, graphs and networks on the engines, and keeps those that fail."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from acsgen_host.words import pack_image
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from acsgen.compiler import compile_graph
from acsgen.engines.rtl import Memory
from acsgen.ir.integer import IntGraph
from acsgen.isa.generated import INSTRUCTION_WORDS, Instruction
from acsgen.program.program import Program
from acsgen.support.errors import UserError
from tests.differential.engines import (
    EngineUnderTest,
    WatchedRtl,
    check_network,
    check_program,
)
from tests.nets.images import noise_and_extremes
from tests.nets.quantized import integer_network
from tests.nets.random_integer_graphs import graphs, thresholds
from tests.nets.random_modules import random_networks

from .case import Case
from .check import RUNS, check, prepared
from .damage import Buffers, affordable, check_damaged, damaged
from .programs import programs

#: Layers of graphs that run on the RTL.
RTL_MACS = 60_000

#: Called with the numbers of cases so far, by name.
Progress = Callable[[Counter[str]], None]


@dataclass
class Attempt:
    """A program and everything that is done to it; can be saved and tried again."""

    case: Case
    memory: Memory
    damages: list[Buffers] = field(default_factory=list)

    def run(self, engine: EngineUnderTest, tally: Counter[str]) -> None:
        """Raise :class:`AssertionError` where an engine is wrong."""
        job = prepared(self.case, engine.config)
        rtl = None if engine.rtl is None else WatchedRtl(engine.rtl, self.memory)
        check(job, engine.csim, "C-sim")
        if rtl is not None:
            check(job, rtl, f"RTL, {self.memory}", RUNS[: 3 if self.memory.latency < 100 else 1])
        tally["programs"] += 1
        tally["instructions"] += len(self.case.program)
        for buffers in self.damages:
            tally[check_damaged(buffers, engine.csim, rtl, engine.config).name] += 1
        if self.damages:
            # The good program still gives the same words after them.
            check(job, engine.csim, "C-sim after damaged programs", RUNS[2:3])
            if rtl is not None:
                check(job, rtl, f"RTL after damaged programs, {self.memory}", RUNS[2:3])
        if rtl is not None:
            tally["RTL cycles"] += rtl.cycles

    def save(self, path: Path) -> None:
        """Write everything that :meth:`load` needs, as plain arrays."""
        path.parent.mkdir(parents=True, exist_ok=True)
        arrays = {
            "program": self.case.words,
            "params": self.case.params,
            "images": np.array(self.case.images),
            "result_words": np.array(self.case.result_words),
            "memory": np.array([self.memory.latency, self.memory.bandwidth, self.memory.seed]),
        }
        for index, buffers in enumerate(self.damages):
            for name, value in vars(buffers).items():
                arrays[f"damage{index}_{name}"] = np.asarray(value)
        np.savez_compressed(path, **arrays)  # type: ignore[arg-type]

    @classmethod
    def load(cls, path: Path) -> Attempt:
        """Read a file of :meth:`save`."""
        with np.load(path) as file:
            arrays = dict(file)
        rows = arrays["program"].reshape(-1, INSTRUCTION_WORDS)
        case = Case(
            [Instruction.decode([int(w) for w in row]) for row in rows],
            arrays["params"],
            list(arrays["images"]),
            int(arrays["result_words"]),
        )
        damages = []
        while (prefix := f"damage{len(damages)}_") + "program" in arrays:
            damages.append(
                Buffers(
                    arrays[prefix + "program"],
                    arrays[prefix + "params"],
                    arrays[prefix + "image"],
                    int(arrays[prefix + "result_words"]),
                    bool(arrays[prefix + "trace"]),
                )
            )
        return cls(case, Memory(*(int(v) for v in arrays["memory"])), damages)


memories = st.builds(
    Memory,
    latency=st.sampled_from([5, 0, 32]) | st.integers(0, 200),
    bandwidth=st.sampled_from([256, 256, 128]) | st.integers(30, 256),
    seed=st.just(0) | st.integers(0, 2**32 - 1),
)


def _tried(test: Callable[..., None], count: int, chosen_seed: int, *given_: Any) -> None:
    """Run ``test`` on ``count`` examples; raises its exception for the smallest failure."""
    configured = settings(
        max_examples=count,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
        report_multiple_bugs=False,
        print_blob=True,
    )
    seed(chosen_seed)(configured(given(*given_)(test)))()


def try_programs(
    engine: EngineUnderTest,
    count: int,
    chosen_seed: int,
    keep: Path | None = None,
    progress: Progress = lambda tally: None,
    damages: int = 4,
) -> Counter[str]:
    """Try raw programs, each with so many ``damages``; returns the numbers of cases by name.

    The smallest failure is saved as ``keep``.
    """
    tally: Counter[str] = Counter()

    def run(case: Case, memory: Memory, data: st.DataObject) -> None:
        attempt = Attempt(case, memory)
        for _ in range(damages):
            buffers = data.draw(damaged(case))
            if affordable(buffers, engine.config):
                attempt.damages.append(buffers)
        _keeping(attempt, keep, lambda: attempt.run(engine, tally))
        progress(tally)

    _tried(run, count, chosen_seed, programs(engine.config), memories, st.data())
    return tally


def try_graphs(
    engine: EngineUnderTest,
    count: int,
    chosen_seed: int,
    keep: Path | None = None,
    progress: Progress = lambda tally: None,
) -> Counter[str]:
    """Try integer graphs: golden model, C simulation, RTL, and the machine on the same program."""
    tally: Counter[str] = Counter()

    def run(graph: IntGraph, memory: Memory, data: st.DataObject) -> None:
        chosen = data.draw(thresholds(graph))
        images = noise_and_extremes(graph.input.shape, seed=data.draw(st.integers(0, 9999)))
        try:
            program = compile_graph(graph, engine.config)
        except UserError as refusal:
            _refused(refusal, {layer.where for layer in graph}, tally)
            return
        attempt = Attempt(compiled_case(program, program.with_thresholds(chosen), images), memory)

        def whole() -> None:
            check_program(program, graph, images, engine, chosen, memory)
            attempt.run(EngineUnderTest(engine.config, engine.csim), tally)

        _keeping(attempt, keep, whole)
        progress(tally)

    macs = graphs() if engine.rtl is None else graphs(RTL_MACS)
    _tried(run, count, chosen_seed, macs, memories, st.data())
    return tally


def try_networks(
    engine: EngineUnderTest,
    count: int,
    chosen_seed: int,
    keep: Path | None = None,
    progress: Progress = lambda tally: None,
) -> Counter[str]:
    """Try networks of PyTorch modules, from export to the engines."""
    tally: Counter[str] = Counter()

    def run(drawn: Any, weights: int, memory: Memory) -> None:
        network, shape = drawn
        with tempfile.TemporaryDirectory() as folder:
            try:
                graph = integer_network(network, shape, Path(folder), weights)
                program = compile_graph(graph, engine.config)
            except UserError as refusal:
                _refused(refusal, {name for name, _ in network.named_modules()}, tally)
                return
        images = noise_and_extremes(graph.input.shape, seed=weights)
        attempt = Attempt(compiled_case(program, program.params, images), memory)
        _keeping(attempt, keep, lambda: check_network(graph, engine, 1, memory))
        tally["programs"] += 1
        progress(tally)

    _tried(run, count, chosen_seed, random_networks(), st.integers(0, 99), memories)
    return tally


def compiled_case(program: Program, params: Any, images: Any) -> Case:
    """A compiled program as a raw one."""
    rows = program.words.reshape(-1, INSTRUCTION_WORDS)
    operations = [Instruction.decode([int(w) for w in row]) for row in rows]
    return Case(operations, params, [pack_image(image) for image in images], program.traced_words)


def _refused(refusal: UserError, places: set[str], tally: Counter[str]) -> None:
    """A refusal names the places that the user knows."""
    assert {problem.where for problem in refusal.problems} <= places, refusal
    tally["refused"] += 1


def _keeping(attempt: Attempt, keep: Path | None, action: Callable[[], None]) -> None:
    """Run ``action``; save the attempt where it fails.  The last one saved is the smallest."""
    try:
        action()
    except Exception:
        if keep is not None:
            attempt.save(keep)
        raise
