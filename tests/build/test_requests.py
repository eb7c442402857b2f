"""Builds of small networks: images, data sets, and what is left when one fails."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import acsgen.build.pipeline as pipeline
from acsgen.build import BuildRequest, build
from acsgen.csim import CSimEngine, EngineRun
from acsgen.errors import CheckFailed, UserError
from acsgen.nn import ChannelGate


class Small(nn.Module):
    """Two convolutions, the second one gated."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(channels, 6, 3, stride=2, padding=1)
        self.conv = nn.Conv2d(6, 9, 3, padding=1)
        self.decide = nn.Linear(6, 9)
        self.gate = ChannelGate()
        self.fc = nn.Linear(9, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.stem(x))
        x = torch.relu(self.conv(x)) * self.gate(self.decide(x.mean((2, 3))))
        logits: Tensor = self.fc(x.mean((2, 3)))
        return logits


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(3)
    network = Small(2).eval()
    path = tmp_path_factory.mktemp("own") / "small.pt2"
    torch.export.save(torch.export.export(network, (torch.rand(1, 2, 20, 24),)), path)
    return path


@pytest.fixture
def request_for(exported: Path, tmp_path: Path) -> BuildRequest:
    return BuildRequest(model=exported, board="pynq-z1", out=tmp_path / "out", images=2)


def test_a_network_without_a_data_set_is_calibrated_on_photographs(
    request_for: BuildRequest,
) -> None:
    report = build(request_for).report
    assert report["dataset"] == "photographs"
    assert report["accuracy"]["float"] is None
    assert report["accuracy"]["int8"] is None
    assert report["bit_exact"]["csim"]["mismatches"] == 0


def test_an_earlier_build_is_replaced_and_the_same_request_gives_the_same_project(
    request_for: BuildRequest,
) -> None:
    def files() -> dict[str, bytes]:
        assert request_for.out is not None
        return {
            str(path.relative_to(request_for.out)): path.read_bytes()
            for path in sorted(request_for.out.rglob("*"))
            if path.is_file() and path.suffix != ".so"
        }

    build(request_for)
    first = files()
    build(request_for)
    assert files() == first


def test_images_of_another_shape_are_refused(request_for: BuildRequest) -> None:
    with pytest.raises(UserError, match="its images are 3x32x32, the network takes 2x20x24"):
        build(replace(request_for, dataset="digits32"))
    assert request_for.out is not None
    assert not request_for.out.exists()


def test_own_images_from_a_file(request_for: BuildRequest, tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (12, 2, 20, 24), np.uint8)
    np.savez(tmp_path / "mine.npz", images=pixels, labels=np.arange(12) % 4)
    named = replace(request_for, dataset=f"npz:{tmp_path / 'mine.npz'}")
    assert build(named).report["accuracy"]["images"] == 12
    with pytest.raises(UserError, match="has 12 test images, --images asks for 13"):
        build(replace(named, images=13))


class _OneBitWrong(CSimEngine):
    """An engine that gets one pixel of one traced layer wrong."""

    def run(self, *args: object, **kwargs: object) -> EngineRun:
        run = super().run(*args, **kwargs)  # type: ignore[arg-type]
        run.result[-1] ^= np.uint64(1)
        return run


def test_one_wrong_bit_fails_the_build_and_leaves_nothing(
    request_for: BuildRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "CSimEngine", _OneBitWrong)
    with pytest.raises(CheckFailed, match=r"First: image 0, .*expected -?\d+, found -?\d+"):
        build(request_for)
    assert request_for.out is not None
    assert list(request_for.out.parent.iterdir()) == []
