"""Random networks keep their results; random damage to a file ends in a refusal at worst."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from acsgen.frontend import front_end
from acsgen.support.errors import UserError
from tests.frontend.compiled import compiled
from tests.nets.modules import Body, ConvBn, Net, export, randomized
from tests.nets.random_modules import BODY_WIDTH, random_bodies


@settings(max_examples=25, deadline=None)
@given(body=random_bodies, seed=st.integers(0, 99))
def test_random_networks(body, seed):
    compiled(randomized(Net(body, width=BODY_WIDTH), seed))


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
    torch.export.save(export(randomized(Net(Body(lambda s, x: s.c(x), c=ConvBn(6, 6))))), path)
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
