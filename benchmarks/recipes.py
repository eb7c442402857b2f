"""Which shipped recipe a model file was trained by, and the figures that training left in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from acsgen.nn.checkpoint import load_checkpoint
from acsgen.support.assets import asset
from acsgen.support.errors import Problem, UserError
from acsgen.train import Recipe, load_recipe
from acsgen.train.recipe import recipe_of_file

#: Keys of a recipe that say how its file is called and stored, not how it trains.
LABELS = frozenset({"name", "file_precision"})


def recipe_file(name: str) -> Path:
    """The file of a shipped recipe."""
    return asset("models", "recipes", f"{name}.yaml")


def shipped_recipe_of(
    path: Path, names: Iterable[str], free: frozenset[str] = LABELS
) -> tuple[str, Recipe, Mapping[str, Any]]:
    """Return the shipped recipe that a model file was trained by, its own, and its metadata.

    Args:
        path: the file.
        names: the shipped recipes that count.
        free: keys in which the file's recipe may differ from the shipped one.

    Raises:
        UserError: the file has no recipe, or it is none of these.
    """
    meta = load_checkpoint(path).meta
    recipe = recipe_of_file(path, meta)
    plan = recipe.model_dump(mode="json", exclude=set(free))
    for name in names:
        if plan == _shipped_plan(name, free):
            return name, recipe, meta
    what = "was trained by none of the recipes of the table, or by a changed one"
    raise UserError(Problem(str(path), what, f"the recipes are {', '.join(names)}"))


def training_figures(
    path: Path, meta: Mapping[str, Any], of_network: Iterable[str], of_masks: Iterable[str]
) -> dict[str, Any]:
    """Return figures that training left in a file: of the network in floats, and of its masks.

    Raises:
        UserError: the file does not hold them.
    """
    try:
        metrics, masks = meta["metrics"], meta["metrics"]["masks"]
        return {key: metrics[key] for key in of_network} | {key: masks[key] for key in of_masks}
    except (KeyError, TypeError):
        what = "does not hold the figures that training measures"
        remedy = "name a file that acsgen train wrote"
        raise UserError(Problem(str(path), what, remedy)) from None


@cache
def _shipped_plan(name: str, free: frozenset[str]) -> dict[str, Any]:
    """All of a shipped recipe but some keys; it is read once for any number of files."""
    return load_recipe(recipe_file(name)).model_dump(mode="json", exclude=set(free))
