"""Counts a network of a model file or a recipe, by acsgen's rule and as the papers do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import cast

from torch import nn

from acsgen.nn.checkpoint import build_model, load_checkpoint
from acsgen.nn.gate_parts import gate_parameters
from acsgen.nn.mac_counter import MacCounter, Skippable
from acsgen.nn.paper_counts import PaperCount, Rule, paper_count
from acsgen.support.errors import Problem, UserError
from acsgen.train.recipe import load_recipe

#: Fields that training takes from the data, and those of them that change a count.
_OF_DATA = ("in_channels", "image_size", "num_classes")
#: Data sets whose images and classes are those that configurations have by default.
_USUAL = ("digits32", "cifar10", "svhn")


@dataclass(frozen=True)
class NetworkCount:
    """A network before quantization.

    Attributes:
        arch: its architecture.
        macs: multiply-accumulates of an image, nothing skipped and without the gates.
        gate_macs: those of the gates.
        parameters: learned numbers without the gates' ones.
        gate_parameters: those of the gates.
        paper: the static network as a paper counts it, if one is asked for.
    """

    arch: str
    macs: int
    gate_macs: int
    parameters: int
    gate_parameters: int
    paper: PaperCount | None


def count_network(path: Path, rule: Rule | None = None) -> NetworkCount:
    """Count the network of an acsgen checkpoint (``.pt``), or of a recipe (``.yaml``).

    Raises:
        UserError: unreadable file, or a recipe whose data decides about the network's shape.
    """
    arch, model = _network(path)
    counter = MacCounter(model)
    gates = gate_parameters(model, counter)
    counts = [parameter.numel() for parameter in model.parameters()]
    of_gates = sum(parameter.numel() for parameter in gates)
    example = cast(Skippable, model).example_input()
    return NetworkCount(
        arch=arch,
        macs=counter.static_macs,
        gate_macs=round(counter.gate_macs()),
        parameters=sum(counts) - of_gates,
        gate_parameters=of_gates,
        paper=None if rule is None else paper_count(model, example, rule),
    )


def _network(path: Path) -> tuple[str, nn.Module]:
    if path.suffix not in (".yaml", ".yml"):
        loaded = load_checkpoint(path)
        return loaded.arch, loaded.model
    recipe = load_recipe(path)
    left_out = [name for name in _OF_DATA if name not in recipe.model]
    if left_out and recipe.data.name not in _USUAL:
        what = f"its data decides about {', '.join(left_out)}"
        raise UserError(Problem(str(path), what, "give them under 'model'"))
    return recipe.arch, build_model(recipe.arch, recipe.model, str(path))[0]
