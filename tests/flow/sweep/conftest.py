"""A small recipe with its data and its board, and the command line that sweeps over it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.own_board import own_board

ROOT = Path(__file__).parents[3]

RECIPE = """
name: tiny
arch: resnet
model: {widths: [4, 4, 4], gate: {granularity: conv}}
batch: 32
data: {name: 'npz:data.npz'}
phases:
  - {name: plain, epochs: 2, lr: 0.1}
  - {name: skip, epochs: 2, gates: learned, lr: 0.05, noise: 0.5,
     loss: {name: resource, alpha: 0.3}}
"""

#: Runs a command of acsgen in a folder.
Run = Callable[..., "subprocess.CompletedProcess[str]"]


def environment(**changes: str) -> dict[str, str]:
    """The variables of a command: one thread, and this acsgen from any folder."""
    paths = os.pathsep.join([str(ROOT), str(ROOT / "host")])
    return {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", **changes}


def words(*arguments: str) -> list[str]:
    """The command line of ``acsgen``."""
    return [sys.executable, "-m", "acsgen", *arguments]


def run(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run ``acsgen`` in a folder."""
    return subprocess.run(
        words(*arguments),
        cwd=folder,
        env=environment(**variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


def write_inputs(folder: Path) -> Path:
    """Write recipe, data and board: images whose brighter quarter is their class."""
    rng = np.random.default_rng(0)
    labels = np.arange(128) % 4
    images = rng.integers(0, 150, (128, 3, 8, 8), np.uint8)
    for image, label in zip(images, labels, strict=True):
        row, column = 4 * (label // 2), 4 * (label % 2)
        image[:, row : row + 4, column : column + 4] += 60
    np.savez(folder / "data.npz", images=images, labels=labels)
    (folder / "tiny.yaml").write_text(RECIPE)
    own_board(folder / "own-board.yaml")
    return folder


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    """A folder with recipe, data and board."""
    return write_inputs(tmp_path)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The recipe's network, as a model file that names ``npz:data.npz``."""
    folder = write_inputs(tmp_path_factory.mktemp("trained"))
    done = run(folder, "train", "tiny.yaml")
    assert done.returncode == 0, done.stderr
    return (folder / "tiny.pt").read_bytes()


@pytest.fixture
def model(inputs: Path, trained: bytes) -> Path:
    """The same folder with the trained network in it, ``tiny.pt``."""
    (inputs / "tiny.pt").write_bytes(trained)
    return inputs
