"""Early exits: by entropy and by a budget, set at run time, on both engines, word by word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from acsgen_host import InputError
from acsgen_host.exits import entropy_threshold
from acsgen_host.words import pack_image
from numpy.typing import NDArray

from acsgen.cli.sim_exits import ExitSettings
from acsgen.compiler import compile_graph
from acsgen.compiler.exits import with_entropies, within_budget
from acsgen.compiler.predict import predict
from acsgen.engines.base import Engine
from acsgen.engines.rtl import Memory, RtlEngine
from acsgen.ir.format import Format
from acsgen.ir.integer import IntGraph, IntLogits
from acsgen.ir.results import GoldenResult
from acsgen.nn import first_answers
from acsgen.program.exits import write_limit
from acsgen.program.program import Program
from acsgen.program.words import Words
from acsgen.quant.entropy import entropy_layers
from acsgen.quant.golden import GoldenModel
from acsgen.quant.golden.operators import operator
from acsgen.support.errors import UserError
from acsgen.verify import verify_engine
from acsgen.verify.check import check_vectors
from acsgen.verify.compare import Executed, HeaderWords, MaskBits, Verification
from acsgen.verify.cycle_budget import cycle_limits, engine_bounds, verify_budget
from acsgen.verify.vectors import Vectors, load_vectors, save_vectors
from tests.differential.engines import CONFIGURATIONS, Engines, WatchedRtl
from tests.nets.exits import Branchy, entropies
from tests.nets.images import patches
from tests.nets.quantized import integer_network

from .test_systems import compiled_system

#: Images, and settings that they run with.
IMAGES, SETTINGS = 3, 8

ENGINES = ["csim", pytest.param("rtl", marks=pytest.mark.rtl)]


@pytest.fixture(scope="module", params=["branchy", "ddi"])
def network(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[IntGraph, Program, NDArray[np.uint8]]:
    """A network with exits and random weights, compiled once, and images."""
    folder = tmp_path_factory.mktemp("network")
    if request.param == "ddi":
        graph = compiled_system("ddi", folder)[1]
    else:
        graph = integer_network(Branchy(), (3, 12, 12), folder)
    return graph, compile_graph(graph, CONFIGURATIONS[4]), patches(graph.input.shape, IMAGES)


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest, engines: Engines) -> Engine:
    """One engine after the other; that in SystemVerilog watches its bus."""
    if request.param == "csim":
        return engines(4).csim
    rtl = engines(4, True).rtl
    assert rtl is not None
    return WatchedRtl(rtl, Memory())


def chosen(
    program: Program, values: list[float], rng: np.random.Generator
) -> dict[str, NDArray[np.int32]]:
    """Thresholds of the exits: each never taken, always, or at random beside some entropy."""
    settings = {}
    for exit in program.exits:
        if exit.decision:
            near = float(rng.choice(values) * rng.uniform(0.9, 1.1))
            nats = float(rng.choice([0.0, 0.0, near, near, near, np.inf]))
            settings[exit.decision] = entropy_threshold(nats, exit.acc_scale)
    return settings


def never(program: Program) -> dict[str, NDArray[np.int32]]:
    """Thresholds with which no entropy ends a run."""
    return {
        exit.decision: entropy_threshold(0.0, exit.acc_scale)
        for exit in program.exits
        if exit.decision
    }


def checked(
    program: Program,
    engine: Engine,
    images: NDArray[np.uint8],
    golden: GoldenResult,
    thresholds: dict[str, NDArray[np.int32]],
    budget: int | None,
) -> Verification:
    """Runs with these settings, of which every word and every counter is as it should be."""

    def counters(masks: MaskBits, executed: Executed, trace: bool) -> HeaderWords:
        found = predict(
            program, masks, trace=trace, skips_words=engine.skips_words, executed=executed
        )
        return {**asdict(found.counters), "instructions": len(found.instructions)}

    verification = verify_engine(
        program,
        engine,
        images,
        golden,
        counters,
        program.with_thresholds(thresholds),
        program.with_budget(budget),
    )
    assert verification.mismatches == 0, verification.first
    return verification


def test_settings_of_run_time_are_those_of_the_golden_model(network, engine: Engine) -> None:
    """Thresholds and budgets at random, without another build."""
    graph, program, images = network
    rng = np.random.default_rng(5)
    model = GoldenModel(graph)
    whole = model.run(images)
    most = program.least_budget + sum(exit.macs_after for exit in program.exits)
    values = entropies(program, graph, whole)
    answered: set[str] = set()
    for number in range(SETTINGS):
        thresholds = chosen(program, values, rng) if number else never(program)
        limit = int(rng.integers(program.least_budget, most + 1))
        budget = None if rng.random() < 0.5 or not number else limit
        by_model = model.run(images, thresholds)
        golden = with_entropies(program, whole, thresholds)
        assert golden.answers == by_model.answers
        for name, bits in by_model.decisions.items():
            assert np.array_equal(golden.decisions[name], bits)
        golden = within_budget(program, golden, budget)
        verification = checked(program, engine, images, golden, thresholds, budget)
        for header in verification.headers:
            assert budget is None or header["macs_executed"] <= budget
        answered.update(golden.answers)
    assert len(answered) > len(program.outputs) // 2, answered
    assert program.outputs[-1].name in answered


def test_a_tighter_budget_answers_earlier_and_costs_less(network, engine: Engine) -> None:
    graph, program, images = network
    thresholds = never(program)
    whole = GoldenModel(graph).run(images, thresholds)
    assert set(whole.answers) == {program.outputs[-1].name}
    most = program.least_budget + sum(exit.macs_after for exit in program.exits)
    names = [output.name for output in program.outputs]
    answers, macs, cycles = [], [], []
    for budget in (None, most, most - 1, (most + program.least_budget) // 2, program.least_budget):
        golden = within_budget(program, whole, budget)
        headers = checked(program, engine, images, golden, thresholds, budget).headers
        answers.append(names.index(golden.answers[0]))
        macs.append(headers[0]["macs_executed"])
        cycles.append(headers[0]["cycles"])
        assert all(budget is None or header["macs_executed"] <= budget for header in headers)
    assert answers == sorted(answers, reverse=True)
    assert answers[:2] == [len(names) - 1] * 2
    assert answers[-1] < len(names) - 1
    assert macs == sorted(macs, reverse=True)
    assert macs[-1] < macs[0]
    assert cycles == sorted(cycles, reverse=True)
    assert cycles[-1] < cycles[0] or not cycles[0]


def test_a_budget_below_the_first_answer_is_refused(network) -> None:
    _, program, _ = network
    with pytest.raises(ValueError, match=f"may take {program.least_budget} MACs"):
        program.with_budget(program.least_budget - 1)


@pytest.mark.rtl
def test_a_limit_of_cycles_ends_a_run(network, engines: Engines) -> None:
    """The engine with a clock stops at the first exit beyond the limit; the other has none."""
    _, program, images = network
    under_test = engines(4, True)
    params, image = program.with_thresholds(never(program)), pack_image(images[0])
    rtl = under_test.rtl
    assert rtl is not None
    whole = rtl.run(program.words, params, image, program.result_words)
    assert whole.ends is not None
    for exit in program.exits:
        words = program.words
        limit = int(whole.ends[exit.instruction])
        for other in program.exits:
            write_limit(words, other.instruction, "cycles_limit", limit - 40)
        found = rtl.run(words, params, image, program.result_words)
        assert found.fault_index == exit.instruction
        assert found.counters["cycles"] < whole.counters["cycles"]
        found = under_test.csim.run(words, params, image, program.result_words)
        assert found.fault_index == len(program.lines) - 1


@pytest.fixture(params=[Memory(), Memory(latency=90, bandwidth=40), Memory(seed=3)], ids=str)
def clocked(request: pytest.FixtureRequest, engines: Engines) -> Iterator[RtlEngine]:
    """The engine with a clock, behind several memories."""
    rtl = engines(4, True).rtl
    assert isinstance(rtl, RtlEngine)
    before, rtl.memory = rtl.memory, request.param
    yield rtl
    rtl.memory = before


def run_within(
    network: tuple[IntGraph, Program, NDArray[np.uint8]],
    engine: RtlEngine,
    budget: int,
    words: Words,
    thresholds: dict[str, NDArray[np.int32]],
) -> Verification:
    """Images within a budget of cycles, compared with the golden model in every word."""
    graph, program, images = network
    params = program.with_thresholds(thresholds)

    def check(vectors: Vectors, words: Words) -> Verification:
        return check_vectors(program, engine, vectors, "RTL", words=words, params=params)

    vectors = Vectors(images, GoldenModel(graph).run(images, thresholds))
    return verify_budget(program, engine, vectors, budget, words, params, check)


@pytest.mark.parametrize("network", ["branchy"], indirect=True)
@pytest.mark.rtl
def test_no_run_takes_more_cycles_than_its_budget(network, clocked: RtlEngine) -> None:
    """By the engine's own counter; pauses of the memory at random are what the margin is for."""
    graph, program, images = network
    rng = np.random.default_rng(8)
    values = entropies(program, graph, GoldenModel(graph).run(images))
    bounds = engine_bounds(program, clocked, margin=0.1 if clocked.memory.seed else 0.0)
    ended = set()
    for number, budget in enumerate(np.linspace(bounds.first, bounds.first + sum(bounds.after), 4)):
        thresholds = chosen(program, values, rng) if number == 1 else never(program)
        words = program.with_limits(cycles=cycle_limits(bounds, int(budget)))
        found = run_within(network, clocked, int(budget), words, thresholds)
        assert found.mismatches == 0, found.first
        assert max(header["cycles"] for header in found.headers) <= budget
        ended.update(header["fault_index"] for header in found.headers)
    assert {program.exits[0].instruction, len(program.lines) - 1} <= ended


@pytest.mark.parametrize("network", ["branchy"], indirect=True)
@pytest.mark.rtl
def test_a_budget_in_cycles_that_is_overrun_is_seen(network, engines: Engines) -> None:
    """Without limits in the program nothing keeps it."""
    program, images = network[1:]
    rtl = engines(4, True).rtl
    assert isinstance(rtl, RtlEngine)
    first = engine_bounds(program, rtl).first
    found = run_within(network, rtl, first, program.words, never(program))
    assert found.mismatches == len(images)
    assert re.match(r"image 0, .*: took [\d,]+ cycles of", found.first or "")


@pytest.mark.parametrize("network", ["branchy"], indirect=True)
def test_a_build_that_is_read_again_is_compared_with_other_exits(
    network, engines: Engines, tmp_path: Path
) -> None:
    """As ``acsgen sim`` does it: from the vectors, which have no network."""
    graph, program, images = network
    save_vectors(tmp_path, program, Vectors(images, GoldenModel(graph).run(images)))
    vectors, csim = load_vectors(tmp_path, program), engines(4).csim
    check = partial(check_vectors, program, csim, title="C")
    near = sorted(entropies(program, graph, vectors.golden))
    answers = []
    for entropy, macs in (
        (0.0, None),
        (near[1] * 1.001, None),
        (9.0, None),
        (0.0, program.least_budget),
    ):
        settings = ExitSettings(program, entropy, macs)
        found = settings.verify(csim, vectors, None, check)
        assert found.mismatches == 0, found.first
        answers.append([program.answer_at(header["fault_index"]) for header in found.headers])
        assert answers[-1] == settings.golden(vectors.golden).answers
    first, _, last = (output.name for output in program.outputs)
    assert set(answers[0]) == {last}
    assert set(answers[2]) == set(answers[3]) == {first}
    built = check(vectors=vectors, params=ExitSettings(program, 9.0).params)
    assert built.mismatches, "no other setting was compared"
    with pytest.raises(UserError, match=r"--budget: .* may take .* MACs to its first answer"):
        ExitSettings(program, macs=1)
    plain = replace(program, exits=())
    with pytest.raises(UserError, match=r"(?s)no exits by entropy.*--budget: .*--budget-cycles: "):
        ExitSettings(plain, 0.5, 10**9, 10**9)


@pytest.mark.parametrize("network", ["branchy"], indirect=True)
def test_an_engine_without_a_clock_has_no_budget_in_cycles(network, engines: Engines) -> None:
    with pytest.raises(InputError, match="no cycle counter"):
        engine_bounds(network[1], engines(4).csim)


def test_the_entropy_of_integers_is_that_of_floats() -> None:
    """Decisions of random classifiers are those of the float rule, but for those on the edge."""
    rng = np.random.default_rng(0)
    for classes in (2, 3, 10, 40):
        pixels = np.clip(rng.normal(0, 1, (800, classes)) * rng.uniform(2, 40, (800, 1)), -127, 127)
        logits = np.rint(pixels).astype(np.int16)
        scale = 0.1
        ones = np.full(classes, 1 << 14, np.int32)
        shifts = np.full(classes, 14, np.int32)
        weight = np.eye(classes, dtype=np.int8)
        head = IntLogits(
            "logits", "", (classes,), Format(scale, True), "x", weight, 0 * ones, ones, shifts
        )
        layers = entropy_layers("exit", "", head, logits, 0.5)
        assert max(layer.shape[0] for layer in layers) <= 1024

        class Source:
            format = Format(1.0, True)

        sources = {"x": Source(), **{layer.name: layer for layer in layers}}
        values = {"x": torch.from_numpy(logits)}
        for layer in layers:
            values[layer.name] = operator(layer, sources)(values)  # type: ignore[arg-type]
        found = -values["exit"].numpy()[:, 0] * layers[-1].acc_scale[0]
        exact = torch.special.entr(torch.softmax(torch.from_numpy(logits * scale), 1)).sum(1)
        error = found - exact.numpy()
        sure = exact.numpy() < 1.0
        assert np.abs(error[sure]).mean() < 0.04
        for threshold in (0.1, 0.3, 0.5):
            assert np.mean((found < threshold) == (exact.numpy() < threshold)) > 0.97


def test_floats_answer_at_the_first_exit_that_is_sure() -> None:
    sure, unsure = torch.tensor([[9.0, 0.0, 0.0]]), torch.tensor([[0.1, 0.0, 0.0]])
    answers = [torch.cat([unsure, sure]), torch.cat([sure, unsure]), torch.cat([unsure, unsure])]
    assert first_answers(answers, [0.5, 0.5]).tolist() == [1, 0]
    assert first_answers(answers, [0.0, 0.0]).tolist() == [2, 2]
    assert first_answers(answers, [0.0, 9.0]).tolist() == [1, 1]
    assert first_answers(answers[:1], []).tolist() == [0, 0]
