"""Convolutions train in a memory format that is safe on the device, with the right gradients."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_pre_hook

from acsgen.train import Recipe, train
from acsgen.train.memory import memory_format

PHASES = [
    {"name": "open", "epochs": 1},
    {"name": "skip", "epochs": 1, "gates": "learned", "loss": {"name": "acs", "target": 0.5}},
]


def tiny(folder: Path) -> Recipe:
    """Four channels on 8x8 images of noise: where oneDNN's backward pass wrote out of bounds."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (200, 3, 8, 8), np.uint8)
    np.savez(folder / "noise.npz", images=images, labels=np.arange(200) % 10)
    return Recipe.model_validate(
        {
            "name": "tiny",
            "model": {"depth": 8, "widths": [4, 4, 4], "gate": {}},
            "batch": 64,
            "data": {
                "name": f"npz:{folder / 'noise.npz'}",
                "train_limit": 128,
                "test_limit": 50,
            },
            "phases": PHASES,
        }
    )


@pytest.mark.unit
def test_channels_are_innermost_on_a_gpu_only() -> None:
    assert memory_format(torch.device("cpu")) is torch.contiguous_format
    assert memory_format(torch.device("cuda", 1)) is torch.channels_last


def test_a_cpu_never_trains_with_channels_innermost(tmp_path: Path) -> None:
    """Every convolution of the run, settling and evaluation included, sees contiguous tensors."""
    seen: list[bool] = []

    def look(module: nn.Module, inputs: tuple[Any, ...]) -> None:
        if isinstance(module, nn.Conv2d):
            tensors: list[Tensor] = [inputs[0], module.weight]
            seen.append(all(t.is_contiguous() for t in tensors))

    handle = register_module_forward_pre_hook(look)
    try:
        train(tiny(tmp_path), out=tmp_path)
    finally:
        handle.remove()
    assert len(seen) > 100
    assert all(seen)


def test_losses_are_those_of_the_plain_convolution(tmp_path: Path) -> None:
    """PyTorch's own convolution, without oneDNN, gives the same losses to 1e-4."""
    recipe = tiny(tmp_path)
    losses = []
    for enabled in (True, False):
        out = tmp_path / f"onednn-{enabled}"
        with torch.backends.mkldnn.flags(enabled=enabled):
            train(recipe, out=out)
        lines = (out / "tiny.metrics.jsonl").read_text().splitlines()
        losses.append([json.loads(line)["loss"] for line in lines])
    assert losses[0] == pytest.approx(losses[1], abs=1e-4)
