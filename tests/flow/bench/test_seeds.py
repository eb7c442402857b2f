"""Figures of several seeds: of the shipped recipes, and rendered in the page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from acsgen.nn import load_checkpoint, save_checkpoint
from acsgen.support.errors import UserError
from benchmarks import recipes, seeds
from benchmarks.papers import model_file

NAME = "gaternet-resnet14-digits32"


@pytest.mark.unit
def test_the_table_is_rendered_from_the_figures() -> None:
    text = seeds.PAGE.read_text(encoding="utf-8")
    written = text.split(seeds.BEGIN)[1].split(seeds.END)[0].strip()
    assert written == seeds.table(), seeds.COMMAND


@pytest.mark.unit
@pytest.mark.parametrize("name", seeds.SKIPS)
def test_every_network_has_every_seed_and_the_shipped_one_is_the_first(name: str) -> None:
    kept = seeds.recorded()[name]
    assert tuple(kept) == seeds.SEEDS
    found = seeds.figures(model_file(name))
    assert found == (name, "1", kept["1"])


@pytest.mark.unit
def test_a_table_by_hand() -> None:
    assert seeds._spread([60.0, 70.5, 63.0], 1, " %") == "64.5 % (60.0 to 70.5)"


def with_recipe(path: Path, **changes: object) -> Path:
    """A copy of the shipped GaterNet whose recipe was changed."""
    shipped = load_checkpoint(model_file(NAME))
    meta = {**shipped.meta, "recipe": {**shipped.meta["recipe"], **changes}}
    save_checkpoint(path, shipped.model, shipped.arch, shipped.config, meta)
    return path


def test_a_file_counts_for_the_recipe_that_it_was_trained_by(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"{seeds.BEGIN}\n{seeds.END}\n")
    monkeypatch.setattr(seeds, "PAGE", page)
    monkeypatch.setattr(seeds, "FILE", tmp_path / "seeds.json")
    other = with_recipe(tmp_path / "other.pt", name="mine", seed=2)
    assert seeds.figures(other)[:2] == (NAME, "2")
    assert seeds.main([str(other)]) == 2
    assert f"{NAME}: has no figures of seed 1 (train it with --set seed=1)" in (
        capsys.readouterr().err
    )
    assert list(seeds.recorded()[NAME]) == ["2"]
    changed = with_recipe(tmp_path / "changed.pt", batch=64)
    assert seeds.main([str(changed)]) == 2
    assert "was trained by none of the recipes of the table" in capsys.readouterr().err


def with_meta(path: Path, **meta: object) -> Path:
    """The shipped GaterNet with these words about itself in place of its own."""
    shipped = load_checkpoint(model_file(NAME))
    save_checkpoint(path, shipped.model, shipped.arch, shipped.config, meta)
    return path


@pytest.mark.parametrize(
    ("meta", "said"),
    [
        ({}, "does not hold the recipe of its training (name a file that acsgen train wrote)"),
        ({"recipe": ["gaternet"]}, "does not hold the recipe of its training"),
        ({"recipe": {"name": "mine", "data": {"name": "digits32"}}}, "recipe: phases: is missing"),
    ],
    ids=["none", "no-mapping", "damaged"],
)
def test_a_file_without_a_recipe_is_refused_in_words(
    meta: dict[str, object], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = with_meta(tmp_path / "other.pt", **meta)
    assert seeds.main([str(other)]) == 2
    assert capsys.readouterr().err.startswith(str(other))
    with pytest.raises(UserError, match=re.escape(said)):
        seeds.figures(other)


def test_a_file_without_figures_is_refused_in_words(tmp_path: Path) -> None:
    recipe = load_checkpoint(model_file(NAME)).meta["recipe"]
    for metrics in ({}, {"accuracy": 0.9, "macs_ratio": 0.5, "masks": None}):
        other = with_meta(tmp_path / "other.pt", recipe=recipe, metrics=metrics)
        with pytest.raises(UserError, match="does not hold the figures that training measures"):
            seeds.figures(other)


def test_the_recipes_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seeds.figures(model_file(NAME))
    monkeypatch.setattr(recipes, "load_recipe", lambda path: pytest.fail(f"{path} again"))
    assert seeds.figures(model_file(NAME))[0] == NAME
