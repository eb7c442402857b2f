"""The models in models/: documented by their own figures, and as good as the README says."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import pytest
import torch

from acsgen.data import load_dataset
from acsgen.nn import AcsConfig, MacCounter, ResNet, ResNetConfig, load_checkpoint, save_checkpoint
from acsgen.support.assets import asset
from acsgen.support.errors import UserError
from acsgen.train import Recipe, load_recipe, validate
from acsgen.train.table import BEGIN, END, main, model_table, update

MODELS = asset("models")
FILES = sorted(MODELS.glob("*.pt"))
#: ACS networks on ResNets, and their twins.
TWINS = [
    (p, p.with_name(re.sub("-acs(-budget)?", "", p.name)))
    for p in FILES
    if p.name.startswith("resnet") and "-acs" in p.name
]

METRICS: dict[str, Any] = {
    "accuracy": 0.9123,
    "static_macs": 12_000_000,
    "macs_mean": 7_200_000.4,
    "macs_std": 300_000.0,
    "macs_ratio": 0.6,
    "gate_macs": 250_000.0,
    "masks": {
        "bits": 112,
        "mean_open": 0.51,
        "input_dependent": 0.875,
        "always_open": 0.01,
        "always_closed": 0.02,
        "mean_entropy": 0.654,
        "distinct": 1234,
        "first_component": 0.4567,
        "difficulty_correlation": 0.321,
    },
}


def write_model(folder: Path, name: str, metrics: dict[str, Any]) -> None:
    config = ResNetConfig(widths=(2, 2, 2), gate=AcsConfig())
    meta = {"recipe": {"name": name}, "epochs": 50, "metrics": metrics}
    save_checkpoint(folder / f"{name}.pt", ResNet(config), "resnet", config, meta)


def test_the_table_tells_what_the_files_say(tmp_path: Path) -> None:
    assert model_table(tmp_path) == "No model has been trained yet."
    write_model(tmp_path, "net-acs", METRICS)
    write_model(tmp_path, "net", METRICS | {"masks": None})
    sizes = {p.stem: f"{p.stat().st_size / 1e6:.2f} MB" for p in tmp_path.glob("*.pt")}
    lines = model_table(tmp_path).splitlines()
    assert lines[2:4] == [
        f"| `net-acs.pt` | {sizes['net-acs']} | 50 | 91.23 % | 12.000 M | 7.200 M ± 0.300 M "
        "| 60.0 % | 0.250 M |",
        f"| `net.pt` | {sizes['net']} | 50 | 91.23 % | 12.000 M | 7.200 M | 60.0 % | – |",
    ]
    assert lines[7] == (
        "| `net-acs.pt` | 112 | 51.0 % | 87.5 % | 1.0 % | 2.0 % | 0.65 | 1,234 | 45.7 % "
        "| r = +0.32 |"
    )
    assert lines[-2:] == ["acsgen train models/recipes/net.yaml --out models", "```"]


def test_the_table_is_put_between_the_marks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    readme = tmp_path / "README.md"
    assert main([str(tmp_path)]) == 2
    readme.write_text("# Models\n")
    with pytest.raises(UserError, match="has no marks"):
        update(readme, "x")
    assert "README.md: cannot be read" in capsys.readouterr().err
    readme.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    for _ in range(2):
        assert main([str(tmp_path)]) == 0
        assert readme.read_text() == (
            f"before\n{BEGIN}\n\nNo model has been trained yet.\n\n{END}\nafter\n"
        )


def test_files_without_figures_are_told_all_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = ResNetConfig(widths=(2, 2, 2))
    whole: dict[str, Any] = {
        "recipe": {"name": "a"},
        "epochs": 5,
        "metrics": METRICS | {"masks": None},
    }
    for lacking in whole:
        meta = {key: value for key, value in whole.items() if key != lacking}
        save_checkpoint(tmp_path / f"no-{lacking}.pt", ResNet(config), "resnet", config, meta)
    write_model(tmp_path, "no-masks", METRICS | {"masks": {"bits": 3}})
    write_model(tmp_path, "whole", METRICS)
    (tmp_path / "README.md").write_text(f"{BEGIN}\n{END}\n")
    assert main([str(tmp_path)]) == 2
    said = capsys.readouterr().err
    for name in ("no-recipe", "no-epochs", "no-metrics", "no-masks"):
        assert f"{name}.pt: does not hold its recipe and the figures that training" in said
    assert "whole.pt" not in said
    assert (tmp_path / "README.md").read_text() == f"{BEGIN}\n{END}\n"


def test_the_readme_is_up_to_date() -> None:
    text = (MODELS / "README.md").read_text(encoding="utf-8")
    written = text.split(BEGIN)[1].split(END)[0].strip()
    assert written == model_table(MODELS), "renew it: python -m acsgen.train.table models"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_model_is_small_and_its_recipe_is_the_one_beside_it(path: Path) -> None:
    assert path.stat().st_size < 5_000_000
    meta = load_checkpoint(path).meta
    recipe = load_recipe(MODELS / "recipes" / f"{path.stem}.yaml")
    assert Recipe.model_validate(meta["recipe"]) == recipe
    assert meta["epochs"] == recipe.epochs


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_model_is_as_good_as_it_says(path: Path) -> None:
    """On 500 of its 4,000 test images, so within four standard errors."""
    loaded = load_checkpoint(path)
    data = load_dataset("digits32", "test", limit=500)
    images, labels = torch.tensor(data.images), torch.tensor(data.labels)
    found = validate(loaded.model, MacCounter(loaded.model), images, labels)
    said = loaded.meta["metrics"]
    error = math.sqrt(said["accuracy"] * (1 - said["accuracy"]) / 500)
    assert found.accuracy == pytest.approx(said["accuracy"], abs=4 * error)
    assert found.macs_mean == pytest.approx(said["macs_mean"], rel=0.05)
    assert found.static_macs == said["static_macs"]


@pytest.mark.parametrize(("gated", "twin"), TWINS, ids=lambda path: path.stem)
def test_an_acs_network_against_its_twin(gated: Path, twin: Path) -> None:
    """At most 0.5 points lost, at least 35 % of the MACs saved, masks that depend on the image.

    ResNet38 with budgets by image has wider ones around 0.7, and may save a quarter.
    """
    if not twin.exists():
        pytest.skip(f"{twin.name} is not trained yet")
    acs, static = (load_checkpoint(path).meta["metrics"] for path in (gated, twin))
    assert acs["static_macs"] == static["macs_mean"]
    assert acs["accuracy"] >= static["accuracy"] - 0.005
    wide = gated.stem == "resnet38-acs-budget-digits32"
    assert acs["macs_ratio"] <= (0.75 if wide else 0.65)
    assert acs["masks"]["input_dependent"] > 0.1
    assert acs["masks"]["mean_entropy"] > 0.1


@pytest.mark.parametrize("name", ["resnet8-acs-budget-digits32", "resnet38-acs-budget-digits32"])
def test_budgets_by_image_make_macs_follow_difficulty(name: str) -> None:
    """No less accurate than the network that was trained for the mean of a batch."""
    names = (name, name.replace("-budget", ""))
    budget, mean = (load_checkpoint(MODELS / f"{its}.pt").meta["metrics"] for its in names)
    assert budget["accuracy"] >= mean["accuracy"]
    assert budget["masks"]["difficulty_correlation"] >= 0.45
    assert budget["masks"]["first_component"] <= 0.5
