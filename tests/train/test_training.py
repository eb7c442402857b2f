"""The training loop on tiny data: it learns, resumes bit for bit, and refuses bad recipes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from acsgen.nn import load_checkpoint
from acsgen.nn.mac_counter import MacCounter
from acsgen.support.errors import UserError
from acsgen.train import Recipe, train, validate
from acsgen.train.loop import _learning_rate
from acsgen.train.recipe import PhaseRecipe

PHASES = [
    {"name": "joint", "epochs": 2, "lr": 0.1},
    {
        "name": "skip",
        "epochs": 2,
        "gates": "learned",
        "noise": 0.3,
        "loss": {"name": "acs", "target": 0.5},
    },
]

#: The gates first, then all.
PARTS = [
    {"name": "gates", "epochs": 1, "gates": "learned", "trains": "gates", "loss": "open_gates"},
    {"name": "joint", "epochs": 2, "lr": 0.1},
]


def recipe(data: str | dict[str, str], **changes: Any) -> Recipe:
    content: dict[str, Any] = {
        "name": "tiny",
        "model": {"depth": 8, "widths": [4, 4, 4], "gate": {}},
        "data": data if isinstance(data, dict) else {"name": data, "shift": 1},
        "phases": PHASES,
        "batch": 32,
    }
    return Recipe.model_validate(content | changes)


def metrics(folder: Path) -> list[dict[str, Any]]:
    """The lines of the metrics, without the time they took."""
    lines = [json.loads(line) for line in (folder / "tiny.metrics.jsonl").read_text().splitlines()]
    for line in lines:
        assert line.pop("seconds") >= 0
    return lines


class Interrupt(Exception):
    pass


def test_a_run_learns_and_leaves_a_model_and_its_metrics(data: str, tmp_path: Path) -> None:
    out = tmp_path / "new" / "folder"
    result = train(recipe(data), out=out, command="acsgen train tiny.yaml")
    assert sorted(p.name for p in out.iterdir()) == ["tiny.metrics.jsonl", "tiny.pt"]
    assert result.validation.accuracy > 0.9
    lines = metrics(out)
    assert [line["phase"] for line in lines] == ["joint", "joint", "skip", "skip"]
    assert [line["epoch"] for line in lines] == [1, 2, 3, 4]
    # The lines make a table: each has the terms of both losses.
    assert {tuple(sorted(line)) for line in lines} == {tuple(sorted(lines[-1]))}
    assert lines[0]["information"] == lines[0]["reg"] == 0.0
    assert lines[-1]["information"] > 0.0
    assert lines[1]["loss"] < lines[0]["loss"]
    # Zero skipping in the first phase: the whole network and its gates; then the budget bites.
    assert lines[1]["test_macs_ratio"] > 1.0
    loaded = load_checkpoint(result.checkpoint)
    assert loaded.meta["command"] == "acsgen train tiny.yaml"
    assert loaded.meta["epochs"] == 4
    assert Recipe.model_validate(loaded.meta["recipe"]) == recipe(data)
    assert loaded.meta["metrics"] == result.validation.as_dict()
    with np.load(data.removeprefix("npz:")) as arrays:
        images, labels = torch.tensor(arrays["images"]), torch.tensor(arrays["labels"])
    again = validate(loaded.model, MacCounter(loaded.model), images, labels)
    assert again == result.validation
    mean = images.double().div(255).mean((0, 2, 3))
    assert loaded.config.mean == pytest.approx(mean.tolist(), abs=1e-4)
    std = images.double().div(255).std((0, 2, 3), correction=0)
    assert loaded.config.std == pytest.approx(std.tolist(), abs=1e-4)


def test_a_file_of_half_the_size_has_the_network_that_was_measured(
    data: str, tmp_path: Path
) -> None:
    wide = {"model": {"depth": 8, "widths": [32, 32, 32], "gate": {}}, "phases": PHASES[:1]}
    whole = train(recipe(data, **wide), out=tmp_path / "whole")
    half = train(recipe(data, **wide, file_precision="float16"), out=tmp_path / "half")
    sizes = [result.checkpoint.stat().st_size for result in (whole, half)]
    assert sizes[1] < 0.7 * sizes[0]
    loaded, before = load_checkpoint(half.checkpoint).model, load_checkpoint(whole.checkpoint).model
    for (name, weight), full in zip(loaded.named_parameters(), before.parameters(), strict=True):
        assert weight.dtype == torch.float32, name
        expected = full.half().float() if full.dim() > 1 else full
        assert torch.equal(weight, expected), name
    with np.load(data.removeprefix("npz:")) as arrays:
        images, labels = torch.tensor(arrays["images"]), torch.tensor(arrays["labels"])
    assert validate(loaded, MacCounter(loaded), images, labels) == half.validation


@pytest.mark.parametrize("stop", [1, 2, 3])
def test_an_interrupted_run_resumes_bit_for_bit(data: str, tmp_path: Path, stop: int) -> None:
    plan = recipe(data)

    def interrupt(line: dict[str, Any]) -> None:
        if line["epoch"] == stop:
            raise Interrupt

    straight, broken = tmp_path / "straight", tmp_path / "broken"
    train(plan, out=straight)
    with pytest.raises(Interrupt):
        train(plan, out=broken, report=interrupt)
    assert (broken / "tiny.state.pt").exists()
    # A crash between the metrics and the state leaves a line of an epoch that is run again.
    with (broken / "tiny.metrics.jsonl").open("a") as file:
        file.write('{"epoch": 99}\n')
    torch.manual_seed(1234)
    train(plan, out=broken, resume=True)
    ours = load_checkpoint(straight / "tiny.pt").model.state_dict()
    theirs = load_checkpoint(broken / "tiny.pt").model.state_dict()
    assert [k for k in ours if not torch.equal(ours[k], theirs[k])] == []
    assert metrics(straight) == metrics(broken)
    assert not (broken / "tiny.state.pt").exists()


def test_a_fresh_run_replaces_old_metrics(data: str, tmp_path: Path) -> None:
    (tmp_path / "tiny.metrics.jsonl").write_text('{"epoch": 99}\n')
    train(recipe(data, phases=PHASES[:1]), out=tmp_path)
    assert [line["epoch"] for line in metrics(tmp_path)] == [1, 2]


def test_another_seed_is_another_network(data: str, tmp_path: Path) -> None:
    weights = []
    for seed in (0, 0, 1):
        plan = recipe(data, phases=[{"name": "joint", "epochs": 1}], seed=seed)
        result = train(plan, out=tmp_path)
        weights.append(load_checkpoint(result.checkpoint).model.state_dict()["fc.weight"])
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def refusal(plan: Recipe, **options: Any) -> list[str]:
    with pytest.raises(UserError) as caught:
        train(plan, **options)
    return [str(problem) for problem in caught.value.problems]


def test_what_can_not_be_resumed(data: str, tmp_path: Path) -> None:
    plan = recipe(data)
    state = tmp_path / "tiny.state.pt"
    assert "run without --resume" in refusal(plan, out=tmp_path, resume=True)[0]
    (tmp_path / "tiny.pt").touch()
    (said,) = refusal(plan, out=tmp_path, resume=True)
    assert f"nothing to resume: a run has ended, and {tmp_path / 'tiny.pt'} is its model" in said
    state.write_bytes(b"junk")
    assert "not a readable state file" in refusal(plan, out=tmp_path, resume=True)[0]
    other = {"recipe": recipe(data, seed=9).model_dump_json()}
    torch.save(other | {"epoch": 1, "model": {}, "momentum": []}, state)
    assert "belongs to another recipe" in refusal(plan, out=tmp_path, resume=True)[0]
    ours = {"recipe": plan.model_dump_json()}
    torch.save(ours | {"epoch": 1, "model": {}, "momentum": []}, state)
    assert "not a readable state file" in refusal(plan, out=tmp_path, resume=True)[0]


def test_a_diverging_run_stops_in_words(data: str, tmp_path: Path) -> None:
    plan = recipe(data, phases=[{"name": "wild", "epochs": 3, "lr": 1e30}])
    (text,) = refusal(plan, out=tmp_path)
    assert "phase wild, epoch 1: the loss became nan (lower the phase's lr)" in text
    assert not (tmp_path / "tiny.pt").exists()


def test_data_that_do_not_fit_are_refused_at_once(data: str, tmp_path: Path) -> None:
    images, labels = np.zeros((40, 1, 8, 6), np.uint8), np.arange(40)
    np.savez(tmp_path / "flat.npz", images=images, labels=labels)
    settings = {"name": f"npz:{tmp_path / 'flat.npz'}", "test_name": data}
    found = refusal(recipe(settings, batch=64, model={"in_channels": 3}), out=tmp_path)
    parts = ["40 training images", "[1, 8, 6], test", "are 8x6", "model.in_channels is 3"]
    assert len(found) == len(parts)
    for text, part in zip(found, parts, strict=True):
        assert text.startswith("recipe tiny: ")
        assert part in text
    np.savez(tmp_path / "ten.npz", images=np.zeros((40, 3, 8, 8), np.uint8), labels=labels % 10)
    settings = {"name": data, "test_name": f"npz:{tmp_path / 'ten.npz'}"}
    (text,) = refusal(recipe(settings), out=tmp_path)
    assert "2 outputs, but the data has 10 classes (set model.num_classes to 10)" in text


def test_a_fused_step_takes_on_what_a_phase_left_out(
    data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On CUDA the step is fused, and torch's fails where some parameters lack momentum."""
    plain = train(recipe(data, phases=PARTS), out=tmp_path / "plain")
    sgd = torch.optim.SGD

    def always_fused(*arguments: Any, **options: Any) -> torch.optim.Optimizer:
        return sgd(*arguments, **options | {"fused": True})

    monkeypatch.setattr(torch.optim, "SGD", always_fused)
    result = train(recipe(data, phases=PARTS), out=tmp_path / "fused")
    assert result.validation.accuracy == plain.validation.accuracy > 0.9


def test_bad_model_and_device(data: str, tmp_path: Path) -> None:
    found = refusal(recipe(data, model={"depth": 9}), out=tmp_path)
    assert "config: depth must be 6n+2" in found[0]
    assert "device abacus: unknown" in refusal(recipe(data), device="abacus", out=tmp_path)[0]
    assert "device meta: not supported" in refusal(recipe(data), device="meta", out=tmp_path)[0]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.unit
def test_learning_rate_warms_up_and_falls_along_a_cosine() -> None:
    phase = PhaseRecipe(name="x", epochs=11, lr=0.2, warmup=1)
    rates = [_learning_rate(phase, done) for done in (0.0, 0.49, 1.0, 6.0, 11.0)]
    assert rates == pytest.approx([0.002, 0.1, 0.2, 0.1, 0.0])


def test_folder_and_state_are_looked_at_before_the_data_set(tmp_path: Path) -> None:
    plan = recipe("npz:/no/such/file.npz")
    (tmp_path / "file").write_text("x")
    assert "is a file, not a directory" in refusal(plan, out=tmp_path / "file")[0]
    assert "nothing to resume" in refusal(plan, out=tmp_path, resume=True)[0]
