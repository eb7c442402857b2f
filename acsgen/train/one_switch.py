"""A complaint about masks that are one switch: every bit that moves follows the same coin."""

from __future__ import annotations

from acsgen.train.recipe import Recipe
from acsgen.train.validate import Validation

#: Share of the masks' variance in their first principal component above which training complains.
ONE_SWITCH = 0.7

#: Of fewer bits, such as the decisions about a few blocks, one direction is naturally most.
LEAST_BITS = 16


def one_switch_complaint(recipe: Recipe, validation: Validation) -> str | None:
    """What is wrong with the masks of a network that ``recipe`` made, or None.

    The bound is the recipe's ``max_first_component``; where it has none, :data:`ONE_SWITCH`, for
    masks of :data:`LEAST_BITS` bits or more.
    """
    masks = validation.masks
    if masks is None or masks.first_component is None:
        return None
    bound = recipe.max_first_component
    if bound is None:
        bound = ONE_SWITCH if masks.bits >= LEAST_BITS else 1.0
    if masks.first_component <= bound:
        return None
    return (
        f"too much of the masks of {recipe.name} follows one switch: "
        f"{100 * masks.first_component:.1f} % of their variance over {validation.images:,} images "
        f"lies along one direction, more than {100 * bound:g} % ({masks.distinct:,} different "
        "masks). Train with the loss image_budget, or raise the loss's decorrelation"
    )
