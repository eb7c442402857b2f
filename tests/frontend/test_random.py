"""Random networks keep their results; random damage to a file ends in a refusal at worst."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from acsgen.frontend import front_end
from acsgen.nn import SqueezeExcite
from acsgen.support.errors import UserError
from tests.frontend.networks import Body, Gate, Net, compiled, conv_bn, export, randomized

WIDTH = 5
STEPS = ("conv", "bn", "relu", "mask", "mask-late", "residual", "se", "scale", "pool", "keep")


class RandomBody(nn.Module):
    """Steps applied in turn; ``keep`` remembers the map for a later residual."""

    def __init__(self, steps: list[tuple[str, int]]) -> None:
        super().__init__()
        self.steps = steps
        self.parts = nn.ModuleList(self._part(name, option) for name, option in steps)

    @staticmethod
    def _part(name: str, option: int) -> nn.Module:
        if name == "conv":
            return nn.Conv2d(WIDTH, WIDTH, (1, 3, 5)[option % 3], padding="same", bias=option > 2)
        if name == "bn":
            return nn.BatchNorm2d(WIDTH)
        if name in ("mask", "mask-late"):
            return Gate(WIDTH, WIDTH if option % 3 else 1, (0.3, 0.5, 0.6)[option % 3])
        if name == "se":
            return SqueezeExcite(WIDTH)
        return nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        kept = x
        for (name, option), part in zip(self.steps, self.parts, strict=True):
            if name in ("conv", "bn", "se"):
                x = part(x)
            elif name == "relu":
                x = F.relu(x)
            elif name == "mask":
                x = x * part(x)
            elif name == "mask-late":
                x = x * part(kept) if kept.shape == x.shape else x
            elif name == "residual":
                x = x + kept if kept.shape == x.shape else x
            elif name == "scale":
                x = x * (0.5 + option) - 0.25
            elif name == "pool" and x.shape[-1] > 1:
                x = F.max_pool2d(x, 2) if option % 2 else F.avg_pool2d(x, 3, 2, 1)
            elif name == "keep":
                kept = x
        return x


@settings(max_examples=25, deadline=None)
@given(
    steps=st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 5)), max_size=9),
    seed=st.integers(0, 99),
)
def test_random_networks(steps, seed):
    compiled(randomized(Net(RandomBody(steps), width=WIDTH), seed))


@settings(max_examples=20, deadline=None)
@given(
    size=st.tuples(st.integers(3, 12), st.integers(3, 12)),
    kernel=st.integers(1, 7),
    stride=st.integers(1, 2),
    pad=st.integers(0, 3),
    groups=st.sampled_from([1, 2, 6]),
)
def test_random_convolutions(size, kernel, stride, pad, groups):
    if min(size) + 2 * pad < kernel:
        return
    conv = nn.Conv2d(6, 12, kernel, stride, pad, groups=groups)
    compiled(randomized(Net(Body(lambda s, x: s.c(x), c=conv), outputs=12)), (3, *size))


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("random") / "net.pt2"
    torch.export.save(export(randomized(Net(Body(lambda s, x: s.c(x), c=conv_bn(6, 6))))), path)
    return path.read_bytes()


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_damaged_archives(archive, data):
    content = bytearray(archive)
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.pt2"
        path.write_bytes(content)
        with contextlib.suppress(UserError):
            front_end(path)
