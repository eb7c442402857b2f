"""Training from the weights of another network, such as the static twin."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import torch
from torch import nn

from acsgen.nn.checkpoint import load_checkpoint
from acsgen.nn.gates.gate import ChannelGate
from acsgen.nn.networks import ARCHITECTURES
from acsgen.support.errors import Problem, UserError
from acsgen.train.recipe import Recipe


@runtime_checkable
class Prunable(Protocol):
    """A network that decides once, by its trained weights, what it leaves out."""

    def prune(self) -> None:
        """Decide."""


def start_from(model: nn.Module, recipe: Recipe) -> None:
    """Give a new network the weights that its recipe starts from, and prune it if it can be.

    Raises:
        UserError: weights that cannot be used, or none where pruning goes by them.
    """
    if recipe.start is not None:
        take_weights(model, recipe.start)
    if isinstance(model, Prunable):
        if recipe.start is None:
            what = f"{recipe.arch} is pruned by the weights of a trained network"
            remedy = "give a model file as 'start', that of its static twin"
            raise UserError(Problem(f"recipe {recipe.name}", what, remedy))
        model.prune()


def has_gates(recipe: Recipe) -> bool:
    """Whether the network of a recipe decides by image; one that is pruned has decided before."""
    architecture = ARCHITECTURES[recipe.arch]
    with torch.device("meta"):
        model = architecture.build(architecture.config.model_validate(recipe.model))
    gated = any(isinstance(module, ChannelGate) for module in model.modules())
    return gated and not isinstance(model, Prunable)


def take_weights(model: nn.Module, path: str) -> list[str]:
    """Copy the weights of a model file into ``model`` where name and shape agree.

    Returns:
        The names of those that were copied.

    Raises:
        UserError: the file is no model file, or none of its weights fits.
    """
    state = load_checkpoint(path).model.state_dict()
    own = model.state_dict()
    fitting = {
        name: value
        for name, value in state.items()
        if name in own and own[name].shape == value.shape and own[name].dtype == value.dtype
    }
    learned = {name for name, _ in model.named_parameters()}
    if not learned & fitting.keys():
        what = "none of its weights has the name and the shape of one of the recipe's network"
        raise UserError(Problem(path, what, "start from a network of the same depth and widths"))
    model.load_state_dict(fitting, strict=False)
    return sorted(fitting)
