"""Figures of the recipes of the papers: of these very recipes, and rendered in the page."""

from __future__ import annotations

from pathlib import Path

import pytest

from acsgen.nn import load_checkpoint, save_checkpoint
from acsgen.support.assets import asset
from acsgen.train import Recipe, load_recipe
from benchmarks import paper_recipes
from benchmarks.papers import model_file
from benchmarks.papers_tables import recorded as shipped_figures
from benchmarks.papers_tables import saved
from benchmarks.recipes import recipe_file

NAME = "gaternet-paper-resnet14-digits32"


def recipe_of(name: str) -> Recipe:
    return load_recipe(recipe_file(name))


@pytest.mark.unit
def test_the_table_is_rendered_from_the_figures() -> None:
    text = paper_recipes.PAGE.read_text(encoding="utf-8")
    written = text.split(paper_recipes.BEGIN)[1].split(paper_recipes.END)[0].strip()
    assert written == paper_recipes.table(), paper_recipes.COMMAND


@pytest.mark.unit
def test_every_recipe_of_a_paper_has_figures_of_its_own() -> None:
    shipped = {path.stem for path in asset("models", "recipes").glob("*-paper-*-digits32.yaml")}
    kept = paper_recipes.recorded()
    assert shipped == set(paper_recipes.SHIPPED) == set(kept)
    for name, entry in kept.items():
        assert entry["recipe_sha256"] == paper_recipes.recipe_digest(name), name
        assert entry["figures"]["epochs"] == recipe_of(name).epochs


@pytest.mark.unit
@pytest.mark.parametrize("name", paper_recipes.SHIPPED)
def test_a_paper_trains_the_shipped_network_without_a_budget_by_image(name: str) -> None:
    paper = recipe_of(name)
    shipped = recipe_of(paper_recipes.SHIPPED[name])
    alike = {"arch", "model", "start", "data", "seed", "batch", "momentum", "weight_decay"}
    assert paper.model_dump(include=alike) == shipped.model_dump(include=alike)
    assert "image_budget" in {phase.loss.name for phase in shipped.phases}
    assert "image_budget" not in {phase.loss.name for phase in paper.phases}


@pytest.mark.unit
def test_lines_by_hand() -> None:
    one_mask = {
        "epochs": 5,
        "accuracy": 0.97125,
        "difficulty_correlation": None,
        "input_dependent": 0.0,
        "distinct": 1,
    }
    dense = {"macs": 1000, "cycles": 200}
    engines = {
        "accuracy_int8": 0.97,
        "rtl": {
            "own": {"macs": 750, "cycles": 160},
            "open": {"macs": 1100, "cycles": 240},
            "dense": dense,
        },
        "hls": {"own": {"cycles": 300}, "dense": {"cycles": 400}},
    }
    assert paper_recipes._line("OFAS-II", "as the paper", one_mask, engines) == (
        "| OFAS-II | as the paper | 5 | 97.12 % | 97.0 % | 25.0 % | 20.0 % / 25.0 % | 1.14 | – "
        "| 0.0 % | 1 |"
    )


@pytest.mark.unit
def test_every_network_of_a_paper_skips_on_both_engines() -> None:
    for name, entry in paper_recipes.recorded().items():
        found = saved(entry["engines"])
        macs, cycles = found.skipping
        assert macs > 0.1, name
        assert cycles / macs > 0.85, name
        hls = entry["engines"]["hls"]
        assert hls["own"]["cycles"] < hls["open"]["cycles"], name


def trained_by(path: Path, **changes: object) -> Path:
    """The shipped GaterNet, as if the paper's recipe with some changes had trained it."""
    shipped = load_checkpoint(model_file(paper_recipes.SHIPPED[NAME]))
    recipe = recipe_of(NAME).model_dump(mode="json")
    meta = {**shipped.meta, "recipe": recipe | changes}
    save_checkpoint(path, shipped.model, shipped.arch, shipped.config, meta)
    return path


def without(path: Path, key: str) -> Path:
    """A copy of a model file that lacks a part of its metadata."""
    loaded = load_checkpoint(path)
    meta = {name: value for name, value in loaded.meta.items() if name != key}
    copy = path.with_name(f"without-{key}.pt")
    save_checkpoint(copy, loaded.model, loaded.arch, loaded.config, meta)
    return copy


def test_a_file_counts_for_the_recipe_that_it_was_trained_by(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"{paper_recipes.BEGIN}\n{paper_recipes.END}\n")
    monkeypatch.setattr(paper_recipes, "PAGE", page)
    monkeypatch.setattr(paper_recipes, "FILE", tmp_path / "figures.json")
    # The engines need a minute for a file; the figures here are those of the same network.
    shipped = shipped_figures()[paper_recipes.SHIPPED[NAME]]
    monkeypatch.setattr(paper_recipes, "measure_integers", lambda path, twin: shipped)
    mine = trained_by(tmp_path / "mine.pt", name="mine")
    assert paper_recipes.main([str(mine)]) == 2
    message = capsys.readouterr().err
    assert "blockdrop-paper-resnet14-digits32: has no figures (train it by models/recipes/" in (
        message
    )
    assert NAME not in message
    assert list(paper_recipes.recorded()) == [NAME]
    assert page.read_text().count("\n| GaterNet | as the paper | 12 |") == 1
    monkeypatch.setattr(paper_recipes, "SHIPPED", {NAME: paper_recipes.SHIPPED[NAME]})
    assert paper_recipes.main([]) == 0
    changed = trained_by(tmp_path / "changed.pt", batch=64)
    assert paper_recipes.main([str(changed)]) == 2
    assert "was trained by none of the recipes of the table" in capsys.readouterr().err
    for path, lacks in (
        (without(mine, "recipe"), "does not hold the recipe"),
        (without(mine, "metrics"), "the figures that"),
    ):
        assert paper_recipes.main([str(path)]) == 2
        assert lacks in capsys.readouterr().err
    monkeypatch.setattr(paper_recipes, "recipe_digest", lambda name: "another")
    assert paper_recipes.main([]) == 2
    assert "has figures of another recipe than its present one" in capsys.readouterr().err
