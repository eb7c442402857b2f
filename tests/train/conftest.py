"""Data that the tests of training share."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Two classes of 8x8 images: dark and bright, with noise."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 96)
    images = rng.integers(0, 100, (96, 3, 8, 8)) + 150 * labels[:, None, None, None]
    path = tmp_path_factory.mktemp("data") / "bright.npz"
    np.savez(path, images=images.astype(np.uint8), labels=labels)
    return f"npz:{path}"
