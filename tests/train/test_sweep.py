"""Sweeps: one recipe, a value after the other, checked before the first is trained."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from acsgen_host.jsontext import without_noise
from typer.testing import CliRunner

from acsgen.cli import app
from acsgen.nn.networks import ARCHITECTURES
from acsgen.support.errors import UserError
from acsgen.train.recipe import load_recipe
from acsgen.train.sweep import GATE_KINDS, Variant, parse_axis, variants

PHASES = """
phases:
  - {name: plain, epochs: 1}
  - {name: first, epochs: 1, gates: learned, loss: {name: resource, alpha: 0.1}}
  - {name: last, epochs: 1, gates: learned, loss: {name: resource, alpha: 0.2, target: 0.5}}
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (64, 3, 8, 8), np.uint8)
    np.savez(tmp_path / "noise.npz", images=images, labels=np.arange(64) % 4)
    path = tmp_path / "tiny.yaml"
    data = tmp_path / "noise.npz"
    head = "name: tiny\narch: iadi_resnet\nmodel: {widths: [4, 4, 4]}\nbatch: 32\n"
    path.write_text(f"{head}data: {{name: 'npz:{data}'}}\n{PHASES}")
    return path


def swept(recipe: Path, overrides: list[str], *sweeps: str) -> list[Variant]:
    return variants(recipe, overrides, [parse_axis("--sweep", text) for text in sweeps])


def test_a_parameter_stands_for_that_of_every_loss_that_has_it(recipe: Path) -> None:
    found = swept(recipe, ["seed=5"], "alpha=0.3,2")
    assert [v.recipe.name for v in found] == ["tiny-alpha0.3", "tiny-alpha2"]
    losses = [[getattr(p.loss, "alpha", None) for p in v.recipe.phases] for v in found]
    assert losses == [[None, 0.3, 0.3], [None, 2.0, 2.0]]
    assert {v.recipe.seed for v in found} == {5}
    (only,) = swept(recipe, [], "phases.1.loss.alpha=7")
    assert [getattr(p.loss, "alpha", None) for p in only.recipe.phases] == [None, 7.0, 0.2]
    assert [v.recipe.seed for v in swept(recipe, [], "seed=1,2,3")] == [1, 2, 3]


def test_axes_are_combined_and_commas_in_brackets_part_nothing(recipe: Path) -> None:
    found = swept(recipe, [], "model.widths=[4, 4, 4],[4, 8, 8]", "alpha=0.3,2")
    assert [v.values for v in found] == [
        (widths, alpha) for widths in ("[4, 4, 4]", "[4, 8, 8]") for alpha in ("0.3", "2")
    ]
    assert [v.recipe.model["widths"] for v in found] == [[4, 4, 4]] * 2 + [[4, 8, 8]] * 2
    assert len({v.recipe.name for v in found}) == 4
    for variant in found:
        assert load_recipe(recipe, variant.settings) == variant.recipe
    (itself,) = swept(recipe, [])
    assert itself.recipe == load_recipe(recipe)


def test_kinds_of_gates_keep_the_shape_of_the_network(recipe: Path) -> None:
    found = swept(recipe, [], f"gate={','.join(GATE_KINDS)}")
    assert {v.values[0]: v.recipe.arch for v in found} == {
        kind: arch for kind, (arch, _) in GATE_KINDS.items()
    }
    assert {tuple(v.recipe.model["widths"]) for v in found} == {(4, 4, 4)}
    for variant in found:
        config = ARCHITECTURES[variant.recipe.arch].config
        config.model_validate({**variant.recipe.model, "image_size": 8, "num_classes": 4})


def test_kinds_of_gates_are_of_networks_that_have_them(recipe: Path) -> None:
    with pytest.raises(UserError, match="kinds of gates are of resnet"):
        swept(recipe, ["arch=vgg", "model={}"], "gate=acs,none")


@pytest.mark.parametrize(
    ("sweep", "what"),
    [
        ("alpha", "not of the form"),
        ("alpha=0.1,0.1", "different values"),
        ("alpha=0.1,,2", "not of the form"),
        ("reward=1,2", "losses that have it: skipnet"),
        ("colour=1,2", "no phase has a loss"),
        ("alpha=0.1,-1,x", "phases.2.loss"),
        ("gate=acs,magic", "no kind of gates: magic"),
    ],
)
def test_bad_sweeps_are_refused(recipe: Path, sweep: str, what: str) -> None:
    with pytest.raises(UserError) as caught:
        swept(recipe, [], sweep)
    assert what in str(caught.value)


def test_the_command_writes_models_and_their_curve(recipe: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = ["train", str(recipe), "--out", str(out), "--sweep", "alpha=0,3", "--json"]
    done = CliRunner().invoke(app, [*arguments, str(tmp_path / "curve.json")])
    assert done.exit_code == 0, done.output
    names = {path.name for path in out.iterdir()}
    runs = ("tiny-alpha0", "tiny-alpha3")
    written = {f"{run}.{end}" for run in runs for end in ("pt", "metrics.jsonl")}
    assert names == written | {"tiny-alpha.sweep.jsonl"}
    lines = [json.loads(x) for x in (out / "tiny-alpha.sweep.jsonl").read_text().splitlines()]
    assert [line["value"] for line in lines] == ["0", "3"]
    assert all(0 < line["macs_ratio"] < 2 for line in lines)
    assert json.loads((tmp_path / "curve.json").read_text()) == {
        "key": "alpha",
        "curve": without_noise(lines),
    }
    assert "of the static network" in done.output
    refused = CliRunner().invoke(app, [*arguments[:-1], "--resume"])
    assert refused.exit_code == 2
    assert "does not go with --sweep" in " ".join(refused.output.split())
