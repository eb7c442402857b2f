"""The driver's knobs of early exits: entropies and a hard budget, on simulated engines."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from acsgen_host import Bundle, InputError
from acsgen_host.__main__ import main
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


class Command(NamedTuple):
    """The command on a bundle of :class:`Exits`, and what it wrote."""

    bench: Bench
    bundle: Path
    images: Path

    def __call__(self, *words: str) -> int:
        run = [str(self.bundle), "--run", str(self.images), *words]
        return main(run, self.bench.backend())


@pytest.fixture
def command(bench: Bench, exits: Exits, tmp_path: Path) -> Command:
    np.save(tmp_path / "images.npy", exits.images)
    return Command(bench, exits.bundle.path, tmp_path / "images.npy")


def test_the_command_ends_runs_at_exits_and_says_where(
    command: Command, exits: Exits, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    graph, model, program, _, images = exits
    first = program.exits[0]
    entropy = sorted(entropies(program, graph, model.run(images)))[1] * 1.001
    most = program.least_budget + sum(exit.macs_after for exit in program.exits)
    written = tmp_path / "found.json"
    seen = set()
    for budget in (most, most - 1, program.least_budget):
        thresholds = {first.decision: entropy_threshold(entropy, first.acc_scale)}
        golden = within_budget(program, model.run(images, thresholds), budget)
        words = ["--exit-entropy", repr(float(entropy)), "--hard-budget", str(budget)]
        assert command(*words, "--json", str(written)) == 0
        lines = capsys.readouterr().out.splitlines()[1:]
        for index, line in enumerate(lines[:-1]):
            assert line.startswith(f"image {index}: class {golden.predictions[index]}, ")
            assert line.endswith(f", answered by {golden.answers[index]}")
        numbers = Counter(golden.answers)
        named = [output.name for output in program.outputs if numbers[output.name]]
        assert lines[-1] == "answered by " + ", ".join(f"{n}: {numbers[n]}" for n in named)
        found = json.loads(written.read_text())
        assert found["answers"] == golden.answers
        assert found["predictions"] == golden.predictions.tolist()
        assert max(run["macs_executed"] for run in found["runs"]) <= budget
        assert (found["exit_entropy"], found["hard_budget"]) == (
            pytest.approx(entropy, rel=1e-9),
            budget,
        )
        seen.update(named)
    assert len(seen) > 1


def test_the_command_leaves_exits_as_built_without_the_options(
    command: Command, exits: Exits, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("--json", "-") == 0
    # All that stands on the screen is the figures.
    found = json.loads(capsys.readouterr().out)
    assert found["answers"] == exits.model.run(exits.images).answers
    assert found["exit_entropy"] is found["hard_budget"] is found["hard_budget_cycles"] is None
    assert command("--exit-entropy", "inf", "--json", "-") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["exit_entropy"] == "inf"
    assert set(found["answers"]) == {exits.program.exits[0].output}


def test_the_command_keeps_a_budget_in_cycles(
    command: Command, exits: Exits, capsys: pytest.CaptureFixture[str]
) -> None:
    with command.bench.accelerator(exits.bundle) as accelerator:
        clocked = bool(accelerator.run(exits.images[0]).counters["cycles"])
        least = accelerator.least_budget_cycles if clocked else 1000
    if not clocked:
        assert command("--hard-budget-cycles", "1000") == 2
        assert "has no cycle counter" in capsys.readouterr().err
        return
    assert command("--hard-budget-cycles", str(least), "--json", "-") == 0
    found = json.loads(capsys.readouterr().out)
    assert max(run["cycles"] for run in found["runs"]) <= least
    assert command("--hard-budget-cycles", str(least - 1)) == 2
    assert f"the first answer may take {least:,} cycles" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--exit-entropy", "-1"], "an entropy is a number of nats from 0 on, not -1"),
        (["--exit-entropy", "nan"], "an entropy is a number of nats from 0 on, not nan"),
        (["--hard-budget", "1"], "the first answer may take"),
        (["--json", "."], "is a folder"),
    ],
)
def test_the_command_refuses_settings_that_do_not_fit(
    command: Command, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert command(*words) == 2
    assert said in capsys.readouterr().err


def test_the_command_says_that_a_network_has_no_exits(
    bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "images.npy", bench.prepared.images)
    words = ["--exit-entropy", "0.5", "--hard-budget", "20e6", "--hard-budget-cycles", "9"]
    bundle = bench.prepared.bundle
    run = [str(bundle.path), "--run", str(tmp_path / "images.npy"), *words]
    assert main(run, bench.backend()) == 2
    said = capsys.readouterr().err
    for option, what in (
        ("--exit-entropy", "has no exits by entropy"),
        ("--hard-budget", "has no exits"),
        ("--hard-budget-cycles", "has no exits"),
    ):
        assert f"{option}: {bundle.model} {what}" in said
