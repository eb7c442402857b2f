"""digits32 is the same everywhere, honestly split, and too hard for a linear model."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_sample_images as load_photos
from sklearn.linear_model import RidgeClassifier

from acsgen.data import Dataset, digits32, load_dataset
from acsgen.data.digits32 import _source, load_digits32, make_digits32

#: SHA-256 of images, labels and difficulty. A change of these makes every published figure stale.
HASHES = {
    "train": (
        "263285e767810dd75676dbe348b5da4d2e9d301948aca6d93c37ce0559cd3aa7",
        "b8e9c04081b189f0b4fe9895a33f6387bf52b888203f60de18721768132f59e4",
        "d4cd07d853dcc2eaa1f1ef686ba29ef4035e6e87fe3c19b63489b807bed9c0cf",
    ),
    "test": (
        "f774a6c3705d929e33d3d73285c9934191d7edfb6b0f457076acee2bb1add6b2",
        "93cfaf4fa899d68bda62af8718550dac76471945d7ac53bf902bdeb90677a251",
        "29ae15b87334f858e86155a127476f8179027d63673e247a44bf98c64a77dfff",
    ),
}


@pytest.fixture(scope="module", params=["train", "test"])
def dataset(request: pytest.FixtureRequest) -> Dataset:
    return make_digits32(request.param)


def test_the_arrays_are_the_published_ones(dataset: Dataset) -> None:
    arrays = (dataset.images, dataset.labels, dataset.difficulty)
    hashes = tuple(hashlib.sha256(array.tobytes()).hexdigest() for array in arrays)
    assert hashes == HASHES[dataset.split]


def test_shapes_classes_and_difficulty(dataset: Dataset) -> None:
    count = {"train": 20_000, "test": 4_000}[dataset.split]
    assert dataset.images.shape == (count, 3, 32, 32)
    assert dataset.images.dtype == np.uint8
    assert dataset.labels.dtype == np.int64
    assert (dataset.num_classes, dataset.name) == (10, "digits32")
    shares = np.bincount(dataset.labels, minlength=10) / count
    assert shares.shape == (10,)
    assert 0.07 < shares.min() < shares.max() < 0.14
    assert dataset.difficulty.shape == (count,)
    easy, hard = np.quantile(dataset.difficulty, [0.1, 0.9])
    assert 0.0 <= dataset.difficulty.min() < easy < 0.15
    assert 0.65 < hard < dataset.difficulty.max() <= 1.0


def test_the_images_can_not_be_changed_by_mistake(dataset: Dataset) -> None:
    with pytest.raises(ValueError, match="read-only"):
        dataset.images[0] = 0


def test_a_limit_keeps_the_first_images() -> None:
    whole, part = load_dataset("digits32", "test"), load_dataset("digits32", "test", limit=7)
    assert np.array_equal(part.images, whole.images[:7])
    assert np.array_equal(part.difficulty, whole.difficulty[:7])
    assert (len(part), part.num_classes) == (7, 10)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cache of files of its own; nothing is kept in memory before or afterwards."""
    monkeypatch.setenv("ACSGEN_CACHE", str(tmp_path / "cache"))
    load_digits32.cache_clear()
    yield tmp_path / "cache"
    load_digits32.cache_clear()


@pytest.fixture
def makings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The splits that were made, in their order."""
    made: list[str] = []

    def make(split: str) -> Dataset:
        made.append(split)
        return make_digits32(split)

    monkeypatch.setattr(digits32, "make_digits32", make)
    return made


def same(one: Dataset, other: Dataset) -> bool:
    return all(
        np.array_equal(getattr(one, field.name), getattr(other, field.name))
        for field in fields(Dataset)
    )


def test_it_is_made_once_and_read_from_the_cache(cache: Path, makings: list[str]) -> None:
    made = load_digits32("test")
    load_digits32.cache_clear()
    read = load_digits32("test")
    assert makings == ["test"]
    assert same(made, read)
    with pytest.raises(ValueError, match="read-only"):
        read.images[0] = 0
    assert [path.suffix for path in sorted(cache.iterdir())] == [".lock", ".npz"]


@pytest.mark.parametrize("damage", ["a bit", "its end", "all of it"])
def test_a_damaged_file_of_the_cache_is_noticed(
    cache: Path, makings: list[str], damage: str
) -> None:
    made = load_digits32("test")
    (path,) = cache.glob("*.npz")
    content = bytearray(path.read_bytes())
    if damage == "a bit":
        content[len(content) // 2] ^= 1
    else:
        del content[len(content) // 2 if damage == "its end" else 0 :]
    path.write_bytes(content)
    load_digits32.cache_clear()
    assert same(load_digits32("test"), made)
    assert makings == ["test", "test"]


def test_it_needs_no_cache(cache: Path, makings: list[str]) -> None:
    cache.write_text("no folder")
    assert len(load_digits32("test")) == 4_000
    assert makings == ["test"]


def test_train_and_test_come_from_disjoint_digits_and_backgrounds() -> None:
    train, test = _source("train"), _source("test")
    handwritten = {digit.tobytes() for digit in train.digits}
    assert len(train.digits) + len(test.digits) == 1797
    assert not handwritten & {digit.tobytes() for digit in test.digits}
    for ours, theirs, whole in zip(train.photos, test.photos, load_photos().images, strict=True):
        assert np.array_equal(np.concatenate([ours, theirs], axis=1), whole)


def test_a_linear_model_on_pixels_stays_far_below_75_percent() -> None:
    """Ridge on standardised pixels, its strength the best of four on held-out training images."""
    train, test = load_dataset("digits32", "train"), load_dataset("digits32", "test")
    pixels = train.images[:10_000].reshape(10_000, -1).astype(np.float32)
    mean, std = pixels.mean(0), pixels.std(0)
    fit, held_out = (pixels[:8_000] - mean) / std, (pixels[8_000:] - mean) / std
    models = [
        RidgeClassifier(alpha=alpha).fit(fit, train.labels[:8_000])
        for alpha in (1e3, 1e4, 1e5, 1e6)
    ]
    best = max(models, key=lambda model: model.score(held_out, train.labels[8_000:10_000]))
    unseen = (test.images.reshape(len(test), -1).astype(np.float32) - mean) / std
    assert 0.2 < best.score(unseen, test.labels) < 0.75  # above chance: it did learn something
