"""Images for the tests, uint8 ``[N, C, H, W]``: noise alone, or with larger shapes in it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def noise(shape: tuple[int, ...], count: int, seed: int = 0) -> NDArray[np.uint8]:
    """Every pixel is drawn by itself."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, *shape)).astype(np.uint8)


def noise_and_extremes(shape: tuple[int, ...], count: int = 2, seed: int = 0) -> NDArray[np.uint8]:
    """Noise; the first image has only the darkest and the brightest pixels."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (count, *shape), dtype=np.uint8)
    images[0] = np.where(images[0] < 128, 0, 255)
    return images


def patches(shape: tuple[int, ...], count: int, seed: int = 0) -> NDArray[np.uint8]:
    """Images of coarse random patches, so that maps differ in more than their noise."""
    rng = np.random.default_rng(seed)
    channels, height, width = shape
    patches = rng.integers(0, 256, (count, channels, -(-height // 4), -(-width // 4)))
    smooth = patches.repeat(4, axis=2).repeat(4, axis=3)[:, :, :height, :width]
    noisy = smooth + rng.integers(-40, 41, smooth.shape)
    return np.asarray(np.clip(noisy, 0, 255), np.uint8)


def slopes(seed: int, count: int, shape: tuple[int, int, int] = (3, 8, 8)) -> NDArray[np.uint8]:
    """Planes of random brightness and slope, with noise."""
    rng = np.random.default_rng(seed)
    channels, height, width = shape
    level = rng.uniform(0, 255, (count, channels, 1, 1))
    slope = rng.normal(0, 12, (count, channels, 2, 1, 1))
    row, column = np.mgrid[:height, :width]
    noise = rng.normal(0, 25, (count, *shape))
    values = level + slope[:, :, 0] * row + slope[:, :, 1] * column + noise
    return np.clip(values, 0, 255).astype(np.uint8)
