"""Sweeps: one recipe, trained once for every value of one of its keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acsgen.support.errors import Problem, UserError
from acsgen.train.losses import LOSSES
from acsgen.train.recipe import Recipe, load_recipe


@dataclass(frozen=True)
class Variant:
    """A recipe of a sweep, whose name ends in the key and the value.

    Attributes:
        value: as written.
        recipe: with that value.
    """

    value: str
    recipe: Recipe


def variants(path: str | Path, overrides: Sequence[str], sweep: str) -> list[Variant]:
    """The recipes of a sweep, checked before the first of them is trained.

    Args:
        path: of the recipe.
        overrides: ``key=value`` for all of them.
        sweep: ``KEY=V1,V2,...``, with a key as overrides have it, or the name of a parameter of
            losses (``alpha``), which stands for that of every phase whose loss has it.

    Raises:
        UserError: it is not of this form, no loss has that parameter, or a value does not fit; with
            every problem.
    """
    where = f"--sweep {sweep}"
    key, equals, text = sweep.partition("=")
    values = [value.strip() for value in text.split(",")]
    if not equals or not key or "" in values or len(set(values)) < len(values):
        remedy = "for example --sweep alpha=0.2,0.4,0.6"
        raise UserError(Problem(where, "not of the form KEY=V1,V2,... of different values", remedy))
    base = load_recipe(path, list(overrides))
    keys = [key] if "." in key or key in Recipe.model_fields else _loss_keys(base, key)
    if not keys:
        having = [name for name in LOSSES if key in LOSSES[name].parameters_type.model_fields]
        what = f"no phase has a loss with the parameter '{key}'"
        remedy = f"losses that have it: {', '.join(having)}" if having else "see docs/training.md"
        raise UserError(Problem(where, what, remedy))
    found: list[Variant] = []
    problems: list[Problem] = []
    for value in values:
        label = f"{base.name}-{key.rpartition('.')[2]}{value}"
        settings = [*overrides, *(f"{place}={value}" for place in keys), f"name={label!r}"]
        try:
            found.append(Variant(value, load_recipe(path, settings)))
        except UserError as error:
            problems += error.problems
    if problems:
        raise UserError(problems)
    return found


def _loss_keys(recipe: Recipe, parameter: str) -> list[str]:
    return [
        f"phases.{index}.loss.{parameter}"
        for index, phase in enumerate(recipe.phases)
        if parameter in type(phase.loss).model_fields and parameter != "name"
    ]


def curve_line(value: str, metrics: dict[str, Any]) -> dict[str, Any]:
    """A point of the curve, from the figures of a validation."""
    keys = ("accuracy", "macs_mean", "macs_ratio", "gate_macs", "static_macs")
    return {"value": value, **{key: metrics[key] for key in keys}}
