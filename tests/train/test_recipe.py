"""Recipes: read, overridden, and refused with every problem at once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from acsgen.nn.networks import ARCHITECTURES
from acsgen.support.assets import asset
from acsgen.support.errors import UserError
from acsgen.train import Recipe, load_recipe
from acsgen.train.gate_modes import GATE_MODES
from acsgen.train.losses import LOSSES
from acsgen.train.losses.acs import AcsParameters
from acsgen.train.losses.cross_entropy import CrossEntropyParameters

GOOD = """
name: tiny
model: {depth: 8}
data: {name: digits32, train_limit: 256}
phases:
  - {name: joint, epochs: 2}
  - {name: skip, epochs: 3, gates: learned, loss: {name: acs, target: 0.5}}
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "recipe.yaml"
    path.write_text(text)
    return path


def problems(path: Path, *overrides: str) -> list[str]:
    with pytest.raises(UserError) as caught:
        load_recipe(path, overrides)
    return [str(problem).removeprefix(f"{path}: ") for problem in caught.value.problems]


@pytest.mark.unit
def test_a_recipe_is_read_with_its_defaults(tmp_path: Path) -> None:
    recipe = load_recipe(write(tmp_path, GOOD))
    assert (recipe.name, recipe.epochs, recipe.batch) == ("tiny", 5, 128)
    assert [phase.gates for phase in recipe.phases] == ["open", "learned"]
    assert recipe.phases[0].loss == CrossEntropyParameters()
    assert recipe.phases[1].loss == AcsParameters(target=0.5)
    dumped = recipe.model_dump(mode="json")
    assert dumped["phases"][1]["loss"]["weight"] == 4.0
    assert Recipe.model_validate(dumped) == recipe


@pytest.mark.unit
def test_overrides(tmp_path: Path) -> None:
    changes = ("seed=3", "phases.0.epochs=7", "model.widths=[4, 5, 6]", "model.gate.se=false")
    recipe = load_recipe(write(tmp_path, GOOD), changes)
    assert (recipe.seed, recipe.epochs) == (3, 10)
    assert recipe.model == {"depth": 8, "widths": [4, 5, 6], "gate": {"se": False}}


@pytest.mark.unit
def test_all_unknown_keys_and_bad_values_are_listed(tmp_path: Path) -> None:
    text = """
    name: "a/b"
    modle: {}
    model: {wings: 2, gate: {threshold: 2}}
    batch: many
    momentum: 1.0
    precision: float8
    data: {name: digits32, shift: -1, colour: red}
    phases:
      - {name: joint, epochs: 1.5, lr: 0, gates: ajar}
      - {epochs: 1, loss: {name: acs, target: 2, wight: 1}}
      - {name: good, epochs: 1}
    """
    found = {problem.split(": ")[0] for problem in problems(write(tmp_path, text))}
    assert found == {
        "name",
        "modle",
        "model.wings",
        "model.gate.threshold",
        "batch",
        "momentum",
        "precision",
        "data.shift",
        "data.colour",
        "phases.0.epochs",
        "phases.0.lr",
        "phases.0.gates",
        "phases.1.name",
        "phases.1.loss.target",
        "phases.1.loss.wight",
    }


@pytest.mark.unit
def test_a_loss_that_skips_needs_learned_gates(tmp_path: Path) -> None:
    (text,) = problems(write(tmp_path, GOOD), "phases.1.gates=open")
    assert text.startswith(
        "phases.1: loss acs needs gates: explored or hashed or learned or sampled (with open gates "
    )


@pytest.mark.unit
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            "arch=transformer",
            f"arch: unknown architecture 'transformer' ({ARCHITECTURES.known()})",
        ),
        (
            "phases.0.gates=ajar",
            f"phases.0.gates: unknown gate mode 'ajar' ({GATE_MODES.known()})",
        ),
        ("phases.0.loss=focal", f"phases.0.loss: unknown loss 'focal' ({LOSSES.known()})"),
        ("phases.0.loss={name: 3}", f"phases.0.loss: unknown loss '3' ({LOSSES.known()})"),
        ("phases.0.loss={target: 1}", "phases.0.loss: a loss is its name, or a mapping with its"),
        ("phases.0.loss=[acs]", "phases.0.loss: a loss is its name, or a mapping with its name"),
        ("phases.0.loss=acs", "phases.0.loss.target: is missing"),
        ("phases.1.loss.ramp=2", "phases.1.loss.ramp: is 2 (must be less than or equal to 1"),
        (
            "phases.0.loss={name: cross_entropy, target: 1}",
            "phases.0.loss.target: is not a key of a recipe",
        ),
        ("phases.1.cost={target: 1}", "phases.1: cost is an older way to give a loss; write loss:"),
    ],
)
def test_names_come_from_the_registries(tmp_path: Path, change: str, expected: str) -> None:
    (text,) = problems(write(tmp_path, GOOD), change)
    assert text.startswith(expected)


@pytest.mark.unit
def test_the_schema_has_every_loss(tmp_path: Path) -> None:
    schema = Recipe.model_json_schema()["$defs"]["PhaseRecipe"]["properties"]["loss"]
    assert set(schema["discriminator"]["mapping"]) == set(LOSSES)
    recipe = load_recipe(write(tmp_path, GOOD), ["phases.0.loss=cross_entropy"])
    assert recipe == load_recipe(write(tmp_path, GOOD))


@pytest.mark.unit
def test_recipes_from_before_losses_had_names(tmp_path: Path) -> None:
    new = load_recipe(write(tmp_path, GOOD))
    text = GOOD.replace("loss: {name: acs, target: 0.5}", "cost: {target: 0.5}")
    text = text.replace("epochs: 2}", "epochs: 2, cost: null}")
    assert load_recipe(write(tmp_path, text)) == new


@pytest.mark.unit
def test_what_depends_on_the_data_is_not_asked_of_the_recipe(tmp_path: Path) -> None:
    """One channel needs one mean; the means are the data's."""
    recipe = load_recipe(write(tmp_path, GOOD), ["model.in_channels=1"])
    assert recipe.model == {"depth": 8, "in_channels": 1}


@pytest.mark.unit
def test_bad_overrides_are_listed(tmp_path: Path) -> None:
    bad = ("seed", "=1", "phases.9.epochs=1", "name.x=1", "seed=[", "seed=2023-99-99")
    found = problems(write(tmp_path, GOOD), "batch=64", *bad)
    assert [text.split(": ")[0] for text in found] == [f"--set {item}" for item in bad]


@pytest.mark.unit
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name: [", "is not YAML"),
        ("name: 2023-99-99", "is not YAML"),
        ("- a list", "does not hold the keys"),
        ("", "does not hold the keys"),
        ("name: x\ndata: {name: digits32}\nphases: []", "phases"),
    ],
)
def test_files_that_are_no_recipes(tmp_path: Path, text: str, expected: str) -> None:
    assert expected in problems(write(tmp_path, text))[0]


@pytest.mark.unit
def test_unreadable_files(tmp_path: Path) -> None:
    assert "no such file" in problems(tmp_path / "none.yaml")[0]
    assert "this is a directory" in problems(tmp_path)[0]
    assert "is not a regular file" in problems(Path("/dev/zero"))[0]
    path = write(tmp_path, "")
    path.write_bytes(b"#" * 2**23)
    assert "is longer than any recipe" in problems(path)[0]
    path.write_bytes(b"\xff\xfe\x00")
    assert "is not UTF-8 text: not a recipe (save it as UTF-8" in problems(path)[0]


@pytest.mark.unit
def test_shipped_recipes_and_their_twins() -> None:
    """An ACS network and its twin differ in gates, phases, name and how they are stored only."""
    recipes = {p.stem: load_recipe(p) for p in asset("models", "recipes").glob("*.yaml")}
    assert len(recipes) >= 4
    for stem, recipe in recipes.items():
        assert recipe.name == stem
        config = ARCHITECTURES[recipe.arch].config.model_validate(recipe.model)
        if recipe.arch != "resnet" or config.gate is None:
            continue
        twin = recipes[re.sub("-acs(-budget)?", "", stem)]
        assert {**recipe.model, "gate": None} == {**twin.model, "gate": None}
        ignored = {"name", "model", "phases", "start", "max_first_component", "file_precision"}
        assert recipe.model_dump(exclude=ignored) == twin.model_dump(exclude=ignored)


@pytest.mark.unit
def test_problems_of_recipes_read_like_those_of_boards(tmp_path: Path) -> None:
    def said(change: str) -> str:
        (text,) = problems(write(tmp_path, GOOD), change)
        return text

    assert said("sed=1") == "sed: is not a key of a recipe (did you mean seed?)"
    assert said("data.colour=red").startswith("data.colour: is not a key of a recipe (the keys are")
    assert said("batch=many") == "batch: is 'many' (must be a whole number)"
    assert said("phases.0.lr=0") == "phases.0.lr: is 0 (must be greater than 0)"
    assert said("data.flip=[1]") == "data.flip: is a list (must be true or false)"
    assert said("model.widths=[0, 4, 4]") == (
        "model.widths.0: is 0 (must be greater than or equal to 1)"
    )
    assert said("model.width=3") == "model.width: is not a key of a recipe (did you mean widths?)"
    assert said("model.gate.sea=3").startswith("model.gate.sea: is not a key of a recipe")
    assert said("model.depth=deep") == "model.depth: is 'deep' (must be a whole number)"
    assert said("data.name=nope").startswith("data.name: unknown data set 'nope' (known: cifar10,")


@pytest.mark.unit
def test_a_list_with_a_bad_entry_is_not_too_short(tmp_path: Path) -> None:
    found = problems(write(tmp_path, GOOD), "phases=[{name: a, epochs: -1}]")
    assert found == ["phases.0.epochs: is -1 (must be greater than or equal to 0)"]
    found = problems(write(tmp_path, GOOD), "phases=[]")
    assert found == ["phases: is a list (must be a list with at least one entry)"]


@pytest.mark.unit
def test_a_key_twice_is_refused(tmp_path: Path) -> None:
    assert "the key 'seed' is there twice" in problems(write(tmp_path, "seed: 1\nseed: 2\n"))[0]


def test_recipes_of_other_editors(tmp_path: Path) -> None:
    """Windows ends lines with two characters, and may begin a file with a mark."""
    path, right = tmp_path / "recipe.yaml", load_recipe(write(tmp_path, GOOD))
    for content in (GOOD.replace("\n", "\r\n").encode(), GOOD.encode("utf-8-sig")):
        path.write_bytes(content)
        assert load_recipe(path) == right
    path.write_bytes(GOOD.encode("utf-16"))
    assert "save it as UTF-8" in problems(path)[0]
