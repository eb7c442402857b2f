"""digits32: real handwritten digits on photographic clutter, made offline from scikit-learn's data.

scikit-learn ships 1797 handwritten digits (8x8, UCI) and two photographs. An image of digits32 is
one digit, scaled, rotated, sheared, coloured and placed on a crop of a photograph, with fragments
of other digits at the border and noise, much like a house number, at 3x32x32. Difficulty varies a
lot between images on purpose, because input-dependent skipping needs easy and hard inputs.

Train and test use disjoint digits and disjoint regions of the photographs. Everything random is
drawn from ``numpy.random.RandomState`` (frozen by numpy) and only exactly rounded float operations
(no sin, exp or BLAS) follow, so that the arrays are the same bit for bit on every machine that
decodes the two JPEG files alike.
"""

from __future__ import annotations

import contextlib
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

import numpy as np
import numpy.typing as npt

from acsgen.data.dataset import Dataset
from acsgen.support.buildcache import cached_file
from acsgen.support.errors import UserError

Floats = npt.NDArray[np.float32]

SIZE = 32
COUNTS = {"train": 20_000, "test": 4_000}
SEEDS = {"train": 32_001, "test": 32_002}
TEST_DIGITS = 360
TEST_REGION = 0.25
MAX_DISTRACTORS = 3
_CHUNK = 1000
_CLASSES = 10
_NOISE_POOL = 1 << 18

#: Arrays of the file in the cache, and how many files of different versions are kept there.
_ARRAYS = ("images", "labels", "difficulty")
_KEPT = 4


@dataclass(frozen=True)
class _Source:
    """Source material of one split.

    Attributes:
        digits: float [M, 10, 10] in [0, 1], with a zero border.
        labels: their classes [M].
        photos: the split's regions of the photographs, uint8 [H, W, 3].
    """

    digits: Floats
    labels: npt.NDArray[np.int64]
    photos: tuple[npt.NDArray[np.uint8], ...]


def _source(split: str) -> _Source:
    from sklearn.datasets import load_digits, load_sample_images

    data = load_digits()
    order = np.random.RandomState(20_230).permutation(len(data.target))
    chosen = order[:TEST_DIGITS] if split == "test" else order[TEST_DIGITS:]
    digits = np.zeros((len(chosen), 10, 10), np.float32)
    digits[:, 1:9, 1:9] = data.images[chosen].astype(np.float32) / np.float32(16.0)
    photos = []
    for photo in load_sample_images().images:
        border = int(photo.shape[1] * (1.0 - TEST_REGION))
        photos.append(photo[:, border:] if split == "test" else photo[:, :border])
    return _Source(digits, data.target[chosen].astype(np.int64), tuple(photos))


@lru_cache(maxsize=2)
def load_digits32(split: str) -> Dataset:
    """Return digits32 from the cache of files, where the first use leaves it.

    It takes seconds to make, and 75 MB to keep. Without a cache that can be written, or with a
    damaged file in it, it is made again: the data set is the same.

    Args:
        split: ``train`` (20,000 images) or ``test`` (4,000).
    """
    made: list[Dataset] = []

    def make(path: Path) -> None:
        made.append(make_digits32(split))
        with path.open("wb") as file:
            np.savez(file, **{name: getattr(made[0], name) for name in _ARRAYS})

    versions = [version(name) for name in ("numpy", "pillow", "scikit-learn")]
    damage = (UserError, OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile)
    with contextlib.suppress(*damage):
        path = cached_file(f"digits32-{split}.npz", [Path(__file__), *versions], make, most=_KEPT)
        if not made:
            # Reading compares each array with the checksum that the file has of it.
            with np.load(path) as stored:
                return _dataset(split, *(stored[name] for name in _ARRAYS))
    return made[0] if made else make_digits32(split)


def make_digits32(split: str) -> Dataset:
    """Make digits32, which takes some seconds.

    Args:
        split: ``train`` (20,000 images) or ``test`` (4,000).
    """
    source = _source(split)
    rng = np.random.RandomState(SEEDS[split])
    pool = rng.randint(-32, 33, (4, _NOISE_POOL)).sum(0).astype(np.float32)
    parts = [_chunk(source, rng, pool, _CHUNK) for _ in range(COUNTS[split] // _CHUNK)]
    return _dataset(split, *(np.concatenate(column) for column in zip(*parts, strict=True)))


def _dataset(
    split: str, images: npt.NDArray[np.uint8], labels: npt.NDArray[np.int64], difficulty: Floats
) -> Dataset:
    for array in (images, labels, difficulty):
        array.setflags(write=False)
    return Dataset("digits32", images, labels, difficulty, num_classes=_CLASSES, split=split)


def _uniform(rng: np.random.RandomState, low: float, high: float, count: int) -> Floats:
    return (low + (high - low) * rng.random_sample(count)).astype(np.float32)


def _chunk(
    source: _Source, rng: np.random.RandomState, pool: Floats, count: int
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64], Floats]:
    """``count`` images [count, 3, 32, 32], labels and difficulties."""
    hardness = rng.random_sample(count).astype(np.float32)
    image = _backgrounds(source.photos, rng, hardness, count)
    mean = image.reshape(count, 3, -1).astype(np.int64).sum(2).astype(np.float32) / (SIZE * SIZE)
    image = mean[:, :, None, None] + (image - mean[:, :, None, None]) * (
        0.35 + 0.65 * hardness[:, None, None, None]
    ).astype(np.float32)

    which = rng.randint(0, len(source.labels), count)
    clutter = np.zeros(count, np.float32)
    for _ in range(MAX_DISTRACTORS):
        present = rng.random_sample(count) < hardness * 0.9
        clutter += present.astype(np.float32) / MAX_DISTRACTORS
        other = rng.randint(0, len(source.labels), count)
        size = _uniform(rng, 14.0, 24.0, count)
        centre = _border_centres(rng, count)
        tilt = _uniform(rng, -0.25, 0.25, count)
        shear = _uniform(rng, -0.3, 0.3, count)
        colour = _contrasting(rng, mean, _uniform(rng, 0.25, 0.7, count), count)
        drawn = (source.digits[other], size, centre, tilt, shear)
        ink = _place(*(values[present] for values in drawn))
        behind = image[present]
        image[present] = behind + ink[:, None] * (colour[present][:, :, None, None] - behind)

    shrink = np.float32(13.0) * hardness * _uniform(rng, 0, 1, count)
    size = _uniform(rng, 26.0, 32.0, count) - shrink
    play = (np.float32(31.0) - size) * np.float32(0.5) + np.float32(1.5)
    centre = np.stack(
        [np.float32(15.5) + play * _uniform(rng, -1.0, 1.0, count) for _ in range(2)], axis=1
    )
    ink = _place(
        source.digits[which],
        size=size,
        centre=centre,
        tilt=_uniform(rng, -0.14, 0.14, count),
        shear=_uniform(rng, -0.25, 0.25, count),
    )
    contrast = np.float32(0.75) - np.float32(0.52) * hardness * _uniform(rng, 0.4, 1.0, count)
    colour = _contrasting(rng, mean, contrast, count)
    image = image + ink[:, None] * (colour[:, :, None, None] - image)

    amplitude = np.float32(0.05) + np.float32(0.25) * hardness * _uniform(rng, 0, 1, count)
    starts = rng.randint(0, _NOISE_POOL - image[0].size, count)
    noise = pool[starts[:, None] + np.arange(image[0].size)[None, :]] * amplitude[:, None]
    image = image + noise.reshape(image.shape)
    pixels = np.clip(np.rint(image), 0, 255).astype(np.uint8)

    smallness = (np.float32(32.0) - size) / np.float32(19.0)
    faintness = (np.float32(0.75) - contrast) / np.float32(0.52)
    difficulty = (hardness + smallness + faintness + clutter) * np.float32(0.25)
    return pixels, source.labels[which], difficulty.astype(np.float32)


def _backgrounds(
    photos: tuple[npt.NDArray[np.uint8], ...],
    rng: np.random.RandomState,
    hardness: Floats,
    count: int,
) -> Floats:
    """Random crops of 32 to 96 pixels, sampled down to float [count, 3, 32, 32] in 0..255."""
    extent = 32 + (64 * hardness * rng.random_sample(count)).astype(np.int64)
    photo_of = rng.randint(0, len(photos), count)
    place = rng.random_sample((2, count))
    flipped = rng.randint(0, 2, count).astype(bool)
    result = np.empty((count, SIZE, SIZE, 3), np.float32)
    steps = np.arange(SIZE)[None, :]
    for index, photo in enumerate(photos):
        own = photo_of == index
        height, width = photo.shape[:2]
        size = extent[own]
        top = (place[0][own] * (height - size)).astype(np.int64)
        left = (place[1][own] * (width - size)).astype(np.int64)
        rows = top[:, None] + steps * size[:, None] // SIZE
        columns = left[:, None] + steps * size[:, None] // SIZE
        result[own] = photo[rows[:, :, None], columns[:, None, :]]
    result[flipped] = result[flipped, :, ::-1]
    return np.ascontiguousarray(result.transpose(0, 3, 1, 2))


def _border_centres(rng: np.random.RandomState, count: int) -> Floats:
    """Points [count, 2] just outside the image, so that only a fragment of a digit shows."""
    along = _uniform(rng, -4.0, 36.0, count)
    across = np.where(rng.randint(0, 2, count) == 1, np.float32(34.0), np.float32(-3.0))
    across = across + _uniform(rng, -3.0, 3.0, count)
    vertical = rng.randint(0, 2, count) == 1
    return np.stack([np.where(vertical, across, along), np.where(vertical, along, across)], axis=1)


def _contrasting(rng: np.random.RandomState, mean: Floats, contrast: Floats, count: int) -> Floats:
    """Colours [count, 3], ``contrast`` * 255 or less away from the backgrounds' ``mean``."""
    luma = (mean[:, 0] + mean[:, 1] + mean[:, 2]) / np.float32(3.0)
    darker = luma > _uniform(rng, 90.0, 165.0, count)
    sign = np.where(darker, np.float32(-1.0), np.float32(1.0))
    tint = np.stack([_uniform(rng, 0.55, 1.0, count) for _ in range(3)], axis=1)
    shifted = mean + sign[:, None] * (contrast * np.float32(255.0))[:, None] * tint
    colours: Floats = np.clip(shifted, 0, 255).astype(np.float32)
    return colours


def _place(digits: Floats, size: Floats, centre: Floats, tilt: Floats, shear: Floats) -> Floats:
    """Draw digits [N, 10, 10] into 32x32: ink [N, 32, 32] in [0, 1], by bilinear sampling.

    ``size`` is the side of the digit's 8x8 box in pixels, ``centre`` its (row, column) [N, 2],
    ``tilt`` the tangent of half the rotation angle and ``shear`` the horizontal shear.
    """
    one = np.float32(1.0)
    square = tilt * tilt
    cosine = (one - square) / (one + square)
    sine = np.float32(2.0) * tilt / (one + square)
    scale = np.float32(8.0) / size
    grid = np.arange(SIZE, dtype=np.float32)
    dy = (grid[None, :, None] - centre[:, 0, None, None]) * scale[:, None, None]
    dx = (grid[None, None, :] - centre[:, 1, None, None]) * scale[:, None, None]
    c, s, h = cosine[:, None, None], sine[:, None, None], shear[:, None, None]
    v = c * dy - s * dx
    u = s * dy + c * dx + h * v
    row = np.clip(v + np.float32(4.5), 0, np.float32(8.999))
    column = np.clip(u + np.float32(4.5), 0, np.float32(8.999))
    y0 = row.astype(np.int32)
    x0 = column.astype(np.int32)
    fy = row - y0.astype(np.float32)
    fx = column - x0.astype(np.float32)
    flat = digits.reshape(len(digits), -1)
    first = np.arange(len(digits), dtype=np.int32) * np.int32(flat.shape[1])
    base = first[:, None, None] + y0 * np.int32(10) + x0
    ink = flat.reshape(-1)
    top = ink[base] * (one - fx) + ink[base + 1] * fx
    bottom = ink[base + 10] * (one - fx) + ink[base + 11] * fx
    value = top * (one - fy) + bottom * fy
    drawn: Floats = np.clip((value - np.float32(0.25)) * np.float32(2.2), 0, 1).astype(np.float32)
    return drawn
