"""Sweeps: one recipe, trained once for every combination of values of some of its keys."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acsgen.nn.networks import ARCHITECTURES
from acsgen.support.errors import Problem, UserError
from acsgen.train.losses import LOSSES
from acsgen.train.recipe import Recipe, load_recipe

#: The axis that stands for a kind of gates, whatever keys of the recipe that takes.
GATE_AXIS = "gate"

#: Kinds of gates: the architecture, and the structure of ACS gates where it has them.
GATE_KINDS: dict[str, tuple[str, dict[str, Any] | None]] = {
    "none": ("resnet", None),
    "acs": ("resnet", {"granularity": "block", "mask_target": "inner"}),
    "acs-conv": ("resnet", {"granularity": "conv"}),
    "acs-ungrouped": (
        "resnet",
        {"granularity": "block", "mask_target": "inner", "grouping": False},
    ),
    "iadi": ("iadi_resnet", None),
    "skipnet": ("skipnet_resnet", None),
    "ofas": ("ofas_resnet", None),
}


@dataclass(frozen=True)
class Axis:
    """A setting that is varied, and its values as written, at least one and all different."""

    key: str
    values: tuple[str, ...]

    @property
    def short(self) -> str:
        """The last part of the key, which names files and columns."""
        return self.key.rpartition(".")[2]


@dataclass(frozen=True)
class Variant:
    """A recipe of a sweep, whose name ends in the keys and the values.

    Attributes:
        values: of every axis, as written.
        settings: all that was set, as ``key=value``: the recipe's file and these make the recipe.
        recipe: with those values.
    """

    values: tuple[str, ...]
    settings: tuple[str, ...]
    recipe: Recipe


def parse_axis(option: str, text: str) -> Axis:
    """Return the axis that ``KEY=V1,V2,...`` names; commas inside of brackets part nothing.

    Args:
        option: that the text is the value of, for messages.
        text: as written.

    Raises:
        UserError: it is not of this form.
    """
    key, equals, listed = text.partition("=")
    values = tuple(value.strip() for value in _at_commas(listed))
    if not equals or not key or "" in values or len(set(values)) < len(values):
        remedy = f"for example {option} alpha=0.2,0.4,0.6"
        what = "not of the form KEY=V1,V2,... of different values"
        raise UserError(Problem(f"{option} {text}", what, remedy))
    return Axis(key.strip(), values)


def _at_commas(text: str) -> list[str]:
    parts, depth = [""], 0
    for character in text:
        depth += (character in "[{(") - (character in "]})")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def variants(
    path: str | Path, overrides: Sequence[str], axes: Sequence[Axis], option: str = "--sweep"
) -> list[Variant]:
    """The recipes of a sweep, checked before the first of them is trained.

    Args:
        path: of the recipe.
        overrides: ``key=value`` for all of them.
        axes: keys as overrides have them, or names of parameters of losses (``alpha``), which stand
            for that of every phase whose loss has it, or ``gate`` with keys of :data:`GATE_KINDS`.
            Without axes there is one variant, the recipe itself.
        option: that the axes are values of, for messages.

    Raises:
        UserError: no loss has that parameter, or a value does not fit; with every problem.
    """
    base = load_recipe(path, list(overrides))
    places = [_places(base, axis, f"{option} {axis.key}") for axis in axes]
    found: list[Variant] = []
    problems: dict[Problem, None] = {}
    for values in itertools.product(*(axis.values for axis in axes)):
        changes = [f"{place}={v}" for keys, v in zip(places, values, strict=True) for place in keys]
        for axis, value in zip(axes, values, strict=True):
            if axis.key == GATE_AXIS:
                changes = [*_gate_settings(base, value), *changes]
        pairs = [f"-{axis.short}{value}" for axis, value in zip(axes, values, strict=True)]
        label = re.sub(r"[^A-Za-z0-9._-]+", "-", base.name + "".join(pairs)).strip("-")
        if any(label == other.recipe.name for other in found):
            label = f"{label}-{len(found)}"
        settings = (*overrides, *changes, *([f"name={label!r}"] if axes else []))
        try:
            found.append(Variant(values, settings, load_recipe(path, settings)))
        except UserError as error:
            problems |= dict.fromkeys(error.problems)
    if problems:
        raise UserError([*problems])
    return found


def _places(base: Recipe, axis: Axis, where: str) -> list[str]:
    """The keys of the recipe that an axis sets to its value; none for kinds of gates.

    Raises:
        UserError: there is no such key, or a value is no kind of gates.
    """
    key = axis.key
    if key == GATE_AXIS:
        archs = dict.fromkeys(arch for arch, _ in GATE_KINDS.values())
        if base.arch not in archs:
            what = f"the recipe has {base.arch}, and kinds of gates are of {', '.join(archs)}"
            raise UserError(Problem(where, what, "vary keys of the recipe, such as model.gate"))
        unknown = [value for value in axis.values if value not in GATE_KINDS]
        if unknown:
            what, known = f"no kind of gates: {', '.join(unknown)}", ", ".join(GATE_KINDS)
            raise UserError(Problem(where, what, f"the kinds are {known}"))
        return []
    keys = [key] if "." in key or key in Recipe.model_fields else _loss_keys(base, key)
    if not keys:
        having = [name for name in LOSSES if key in LOSSES[name].parameters_type.model_fields]
        what = f"no phase has a loss with the parameter '{key}'"
        remedy = f"losses that have it: {', '.join(having)}" if having else "see docs/training.md"
        raise UserError(Problem(where, what, remedy))
    return keys


def _gate_settings(base: Recipe, kind: str) -> list[str]:
    """Settings that give the recipe's network another kind of gates, and keep its shape."""
    arch, structure = GATE_KINDS[kind]
    fields = ARCHITECTURES[arch].config.model_fields
    model = {key: value for key, value in base.model.items() if key in fields}
    if "gate" in fields:
        # The kind says how the gates are built; the threshold is the recipe's.
        model["gate"] = structure
    return [f"arch={arch}", f"model={json.dumps(model)}"]


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
