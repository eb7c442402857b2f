"""The driver's knobs of early exits: entropies and a hard budget, on simulated engines."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from acsgen_host import Bundle, InputError
from acsgen_host.exits import entropy_threshold
from numpy.typing import NDArray

from .conftest import THROUGH_PYNQ, Bench

if THROUGH_PYNQ:
    pytest.skip("its network is made by acsgen", allow_module_level=True)

from acsgen.compiler import compile_graph
from acsgen.compiler.exits import within_budget
from acsgen.ir.integer import IntGraph
from acsgen.program.board import load_board
from acsgen.program.program import Program
from acsgen.quant.golden import GoldenModel
from acsgen.verify.builddir import save_manifest
from acsgen.verify.vectors import Vectors, save_vectors
from tests.nets.exits import Branchy, entropies
from tests.nets.images import patches
from tests.nets.quantized import integer_network

from .prepare import CONFIGURATION


class Exits(NamedTuple):
    """A network with exits: its golden model, its program, and its bundle."""

    graph: IntGraph
    model: GoldenModel
    program: Program
    bundle: Bundle
    images: NDArray[np.uint8]


@pytest.fixture(scope="module")
def exits(tmp_path_factory: pytest.TempPathFactory) -> Exits:
    folder = tmp_path_factory.mktemp("exits")
    graph = integer_network(Branchy(), (3, 12, 12), folder)
    images = patches(graph.input.shape, 4)
    program, model = compile_graph(graph, CONFIGURATION), GoldenModel(graph)
    for name in ("program", "vectors"):
        (folder / name).mkdir()
    program.save(folder / "program")
    save_vectors(folder / "vectors", program, Vectors(images, model.run(images)))
    save_manifest(folder, load_board("zedboard"), "patches", [])
    return Exits(graph, model, program, Bundle.load(folder), images)


def test_settings_answer_as_the_golden_model(bench: Bench, exits: Exits) -> None:
    graph, model, program, bundle, images = exits
    first = program.exits[0]
    near = sorted(entropies(program, graph, model.run(images)))
    most = program.least_budget + sum(exit.macs_after for exit in program.exits)
    answers = set()
    with bench.accelerator(bundle) as accelerator:
        assert accelerator.selftest().mismatches == 0
        assert accelerator.exit_entropy == {first.output: pytest.approx(0.8, abs=1e-3)}
        assert accelerator.hard_budget is None
        for entropy in (0.0, near[1] * 1.001, near[-2] * 1.001, float("inf")):
            for budget in (None, most, most - 1, program.least_budget):
                accelerator.exit_entropy = {first.output: entropy}
                accelerator.hard_budget = budget
                thresholds = {first.decision: entropy_threshold(entropy, first.acc_scale)}
                golden = within_budget(program, model.run(images, thresholds), budget)
                results = accelerator.infer(images)
                assert results.answer == golden.answers
                assert results.prediction.tolist() == golden.predictions.tolist()
                macs = results.counters["macs_executed"]
                assert budget is None or macs.max() <= budget
                answers.update(results.answer)
        assert answers == {output.name for output in program.outputs}
        accelerator.set_exit_entropy(None)
        accelerator.set_hard_budget(None)
        assert accelerator.selftest().mismatches == 0


def test_a_budget_in_cycles_is_kept_and_changes_nothing_else(bench: Bench, exits: Exits) -> None:
    graph, model, program, bundle, images = exits
    first = program.exits[0]
    golden = model.run(images)
    near = sorted(entropies(program, graph, golden))
    with bench.accelerator(bundle) as accelerator:
        accelerator.exit_entropy = {first.output: near[1] * 1.001}
        entropies_set = accelerator.exit_entropy
        accelerator.hard_budget = program.least_budget + sum(e.macs_after for e in program.exits)
        if not accelerator.run(images[0]).counters["cycles"]:
            with pytest.raises(InputError, match="has no cycle counter"):
                accelerator.hard_budget_cycles = 10**9
            assert accelerator.hard_budget_cycles is None
        else:
            accelerator.set_strictness(0.4)
            bounds = accelerator.measure_cycles()
            assert accelerator.least_budget_cycles == bounds.first
            assert accelerator.exit_entropy == entropies_set
            assert accelerator.strictness == 0.4
            accelerator.reset_thresholds()
            accelerator.exit_entropy = 0.0
            answers = []
            most = bounds.first + sum(bounds.after)
            for budget in (most, bounds.first + bounds.after[0], bounds.first):
                accelerator.hard_budget_cycles = budget
                results = accelerator.infer(images)
                assert results.counters["cycles"].max() <= budget
                answers.append(set(results.answer))
                for index, result in enumerate(results):
                    assert np.array_equal(result.logits, golden.outputs[result.answer][index])
            names = [output.name for output in program.outputs]
            assert answers == [{names[2]}, {names[1]}, {names[0]}]
            for wrong in (bounds.first - 1, bounds.first + 0.5, True, "many"):
                with pytest.raises(InputError, match="the first answer may take"):
                    accelerator.hard_budget_cycles = wrong
            assert accelerator.hard_budget_cycles == bounds.first
            with pytest.raises(InputError, match="a share from 0 on"):
                accelerator.measure_cycles(margin=-1)
            accelerator.hard_budget_cycles = None
        accelerator.hard_budget = None
        accelerator.exit_entropy = None
        assert accelerator.selftest().mismatches == 0


def test_settings_that_do_not_fit_are_refused(bench: Bench, exits: Exits) -> None:
    with bench.accelerator(exits.bundle) as accelerator:
        before = accelerator.exit_entropy
        with pytest.raises(InputError, match=r"(?s)is no answer with an exit.*from 0 on, not -1"):
            accelerator.exit_entropy = {"nothing": 0.5, exits.program.exits[0].output: -1}
        with pytest.raises(InputError, match="is no answer with an exit by entropy"):
            accelerator.exit_entropy = {exits.program.exits[1].output: 0.5}
        least = accelerator.least_budget
        for budget in (least - 1, least + 0.5, True, "many"):
            with pytest.raises(InputError, match=f"the first answer may take {least:,} MACs"):
                accelerator.hard_budget = budget
        assert accelerator.exit_entropy == before
        assert accelerator.hard_budget is None
    with bench.accelerator() as accelerator:
        with pytest.raises(InputError, match="has no early exits"):
            accelerator.hard_budget = 10**9
        with pytest.raises(InputError, match="has no early exits"):
            accelerator.hard_budget_cycles = 10**9
        with pytest.raises(InputError, match="this network has none"):
            accelerator.exit_entropy = 0.5


def test_damaged_exits_are_refused(exits: Exits, tmp_path: Path) -> None:
    import json
    import shutil

    from acsgen_host import BundleError

    for change, said in (
        ({"threshold_address": 10**6}, "the threshold of the exit"),
        ({"instruction": 10**6}, "lies outside the program"),
        ({"output": "nothing"}, "two exits with one answer, or one without"),
        ({"acc_scale": -1.0}, "a scale that is none"),
    ):
        folder = tmp_path / said.split()[-1]
        shutil.copytree(exits.bundle.path, folder)
        path = folder / "program" / "program.json"
        data = json.loads(path.read_text())
        data["exits"][0].update(change)
        path.write_text(json.dumps(data))
        save_manifest(folder, load_board("zedboard"), "patches", [])
        with pytest.raises(BundleError, match=said):
            Bundle.load(folder)
