"""Networks that predict differently in integers: a warning, or a failure, that names layers."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from acsgen.flow.agreement import complaint
from acsgen.flow.build import BuildRequest
from acsgen.flow.build.network import compare_networks, quantize_network, read_network
from acsgen.flow.build.stages import StageLog
from acsgen.flow.build.work import Work, make_plan
from acsgen.ir.noise import LayerNoise
from acsgen.support.errors import CheckFailed
from acsgen.support.progress import ignore_stages
from tests.nets.images import slopes

NOISE = [LayerNoise("clean", 40.0, 40.0, 59.0), LayerNoise("noisy", 30.0, 4.4, 35.6)]


@pytest.mark.unit
def test_enough_agreement_is_no_complaint() -> None:
    assert complaint({"fc": 0.95}, 200, NOISE, 0.95) is None


@pytest.mark.unit
def test_a_complaint_has_the_share_the_images_and_the_layers() -> None:
    assert complaint({"fc": 0.945}, 200, NOISE, 0.95) == (
        "float and integer network predict the same on 94.50 % of 200 images, less than 95 %; the "
        "noise comes from noisy (signal to noise 4 dB by channel, 30 dB in all)"
    )
    several = complaint({"early": 0.5, "late": 1.0}, 8, NOISE, 0.95)
    assert several is not None
    assert "50.00 % of 8 images at early" in several
    assert "late" not in several


@pytest.fixture
def spread(tmp_path: Path) -> BuildRequest:
    """A network whose hidden values are far below the unit of a sigmoid, which never changes."""
    if shutil.which("g++") is None:
        pytest.skip("g++ is not installed")
    torch.manual_seed(1)
    hidden = nn.Linear(8, 8)
    layers = [nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    net = nn.Sequential(*layers, hidden, nn.Sigmoid(), nn.Linear(8, 10)).eval()
    with torch.no_grad():
        hidden.bias.sub_(9)
        images = slopes(0, 80, (3, 16, 16))
        logits = net(torch.from_numpy(images).float() / 255)
        net[-1].bias.sub_(logits.mean(0)).div_(logits.std(0))
        net[-1].weight.div_(logits.std(0)[:, None])
    torch.export.save(torch.export.export(net, (torch.zeros(1, 3, 16, 16),)), tmp_path / "net.pt2")
    np.savez(tmp_path / "images.npz", images=images, labels=np.arange(80) % 10)
    return BuildRequest(
        model=tmp_path / "net.pt2",
        board="zedboard",
        out=tmp_path / "out",
        images=1,
        dataset=f"npz:{tmp_path / 'images.npz'}",
    )


def test_a_build_warns_or_fails_where_few_predictions_agree(spread: BuildRequest) -> None:
    work = Work(make_plan(spread), StageLog(keep=False))
    read_network(work, ignore_stages)
    quantize_network(work, ignore_stages)
    with pytest.warns(UserWarning, match=r"predict the same on .*the noise comes from 4"):
        compare_networks(work, ignore_stages)
    work.plan = make_plan(replace(spread, require_agreement=0.9))
    with pytest.raises(CheckFailed, match="less than 90 %"):
        compare_networks(work, ignore_stages)
