"""DenseNets of every image size: refused in words where nothing is left of the map."""

from __future__ import annotations

import pytest
import torch
from pydantic import ValidationError

from acsgen.nn.networks import ARCHITECTURES

DENSENET = ARCHITECTURES["densenet"]
#: Layers of blocks and final transition: one to four halvings of the map.
SHAPES = [((1,), True), ((1, 1), True), ((1, 1, 1, 1), False), ((1, 1, 1, 1), True)]


def fault(shape: dict[str, object]) -> str:
    """What PyTorch says when it runs a network of a shape that nothing has checked."""
    network = DENSENET.build(DENSENET.config.model_construct(**shape))
    try:
        with torch.no_grad():
            network.eval()(network.example_input())  # type: ignore[operator]
    except RuntimeError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("stem", ["3x3", "7x7"])
@pytest.mark.parametrize(("blocks", "final"), SHAPES)
def test_images_are_large_enough_or_refused(
    blocks: tuple[int, ...], final: bool, stem: str
) -> None:
    small = {"growth": 2, "bn_size": 1, "blocks": blocks, "init_features": 4}
    usable = []
    for size in range(4, 70):
        shape = {**small, "image_size": size, "stem": stem, "final_transition": final}
        found = fault({**DENSENET.config().model_dump(), **shape})
        usable.append(not found)
        if found:
            assert "Output size is too small" in found
            with pytest.raises(ValidationError, match=f"images of {size} pixels leave"):
                DENSENET.config.model_validate(shape)
        else:
            DENSENET.config.model_validate(shape)
    assert usable[-1]
    assert usable == sorted(usable)
