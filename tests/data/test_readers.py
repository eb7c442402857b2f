"""CIFAR-10, SVHN and npz readers, on small files of the real format."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
from scipy.io import savemat

from acsgen.data import Dataset, dataset_names, load_dataset, load_images
from acsgen.data.remedies import remedy_for_images, remedy_for_labels, require_images
from acsgen.support.errors import UserError

RNG = np.random.default_rng(0)
LABELS = np.array([3, 0, 9, 1], np.uint8)
IMAGES = RNG.integers(0, 256, (4, 3, 32, 32), np.uint8)


def problems(name: str, split: str = "train", **options: Any) -> list[str]:
    with pytest.raises(UserError) as caught:
        load_dataset(name, split, **options)
    return [str(problem) for problem in caught.value.problems]


def same(dataset: Dataset, images: np.ndarray, labels: Any) -> None:
    assert dataset.images.dtype == np.uint8
    assert dataset.images.flags.c_contiguous
    assert np.array_equal(dataset.images, images)
    assert dataset.labels.dtype == np.int64
    assert dataset.labels.tolist() == list(labels)


# -- names ---------------------------------------------------------------------------------------


@pytest.mark.unit
def test_names_and_unknown_ones() -> None:
    assert dataset_names() == ("cifar10", "digits32", "svhn")
    assert problems("mnist") == [
        "dataset: unknown data set 'mnist' (known: cifar10, digits32, svhn, npz:<path>)"
    ]
    assert "unknown split 'val'" in problems("digits32", "val")[0]
    assert "limit must be at least 1" in problems("digits32", limit=0)[0]


@pytest.mark.unit
@pytest.mark.parametrize("name", ["cifar10", "svhn"])
def test_the_folder_is_needed(name: str, tmp_path: Path) -> None:
    assert "needs the folder of its files" in problems(name)[0]
    assert "is not there" in problems(name, root=tmp_path / "none")[0]


# -- CIFAR-10 ------------------------------------------------------------------------------------


def cifar(folder: Path) -> Path:
    """Five training files of one image each, a test file of four."""
    folder.mkdir(exist_ok=True)
    records = np.concatenate([LABELS[:, None], IMAGES.reshape(4, -1)], axis=1)
    (folder / "test_batch.bin").write_bytes(records.tobytes())
    for i in range(5):
        (folder / f"data_batch_{i + 1}.bin").write_bytes(records[i % 4].tobytes())
    return folder


@pytest.mark.unit
def test_cifar10(tmp_path: Path) -> None:
    root = cifar(tmp_path)
    same(load_dataset("cifar10", "test", root), IMAGES, LABELS)
    order = [0, 1, 2, 3, 0]
    train = load_dataset("cifar10", "train", root)
    same(train, IMAGES[order], LABELS[order])
    assert (train.num_classes, train.split, len(train)) == (10, "train", 5)
    same(load_dataset("cifar10", "test", root, limit=2), IMAGES[:2], LABELS[:2])


@pytest.mark.unit
def test_cifar10_as_the_archive_unpacks(tmp_path: Path) -> None:
    cifar(tmp_path / "cifar-10-batches-bin")
    same(load_dataset("cifar10", "test", str(tmp_path)), IMAGES, LABELS)


@pytest.mark.unit
def test_all_bad_cifar10_files_are_listed(tmp_path: Path) -> None:
    root = cifar(tmp_path)
    whole = (root / "data_batch_1.bin").read_bytes()
    (root / "data_batch_1.bin").write_bytes(whole[:-1])
    (root / "data_batch_2.bin").write_bytes(b"")
    (root / "data_batch_3.bin").unlink()
    (root / "data_batch_4.bin").write_bytes(bytes([10]) + whole[1:])
    cut, empty, missing, label = problems("cifar10", root=root)
    assert "data_batch_1.bin: 3072 bytes is not a whole number of 3073-byte records" in cut
    assert "data_batch_2.bin: 0 bytes" in empty
    assert "data_batch_3.bin: no such file" in missing
    assert "data_batch_4.bin: holds labels above 9 (is it CIFAR-100?)" in label


# -- SVHN ----------------------------------------------------------------------------------------


def svhn(folder: Path, **changes: Any) -> Path:
    content = {"X": IMAGES.transpose(2, 3, 1, 0), "y": np.where(LABELS, LABELS, 10)[:, None]}
    content |= changes
    for split in ("train", "test"):
        savemat(folder / f"{split}_32x32.mat", content, do_compression=True)
    return folder


@pytest.mark.unit
def test_svhn_label_10_is_the_digit_0(tmp_path: Path) -> None:
    dataset = load_dataset("svhn", "test", svhn(tmp_path))
    same(dataset, IMAGES, LABELS)
    assert dataset.num_classes == 10


@pytest.mark.unit
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"X": IMAGES}, ["X should be uint8 [32, 32, 3, N], found uint8 [4, 3, 32, 32]"]),
        ({"X": np.zeros((32, 32, 3, 4))}, ["X should be uint8 [32, 32, 3, N], found float64"]),
        ({"y": np.ones((3, 1))}, ["4 images but 3 labels"]),
        ({"y": np.zeros((4, 1))}, ["labels outside 1..10"]),
        ({"y": np.full((4, 1), 1.5)}, ["labels outside 1..10"]),
        ({"y": np.array(["a", "b"], object)}, ["4 images but 2", "labels outside 1..10"]),
    ],
)
def test_bad_svhn_arrays(tmp_path: Path, changes: dict[str, Any], expected: list[str]) -> None:
    found = problems("svhn", root=svhn(tmp_path, **changes))
    assert len(found) == len(expected)
    for text, part in zip(found, expected, strict=True):
        assert f"{tmp_path / 'train_32x32.mat'}: {part}" in text


@pytest.mark.unit
def test_bad_svhn_files(tmp_path: Path) -> None:
    path = tmp_path / "train_32x32.mat"
    assert "no such file" in problems("svhn", root=tmp_path)[0]
    whole = (svhn(tmp_path) / path.name).read_bytes()
    for size in (0, 60, 130, 200, 400, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        (text,) = problems("svhn", root=tmp_path)
        assert "not a readable .mat file" in text or "missing" in text
    savemat(path, {"Z": 1})
    assert "array X and y missing" in problems("svhn", root=tmp_path)[0]


# -- npz -----------------------------------------------------------------------------------------


def npz(folder: Path, **arrays: Any) -> str:
    np.savez(folder / "own.npz", **arrays)
    return f"npz:{folder / 'own.npz'}"


@pytest.mark.unit
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz(tmp_path: Path, save: Any) -> None:
    images = IMAGES[:, :, :8, :6]
    save(tmp_path / "own.npz", images=images, labels=LABELS.astype(np.int16))
    dataset = load_dataset(f"npz:{tmp_path / 'own.npz'}", "test")
    same(dataset, images, LABELS)
    assert (dataset.num_classes, dataset.split) == (10, "test")


@pytest.mark.unit
def test_images_without_labels_are_enough_where_none_are_read(tmp_path: Path) -> None:
    images = load_images(npz(tmp_path, images=IMAGES), "test")
    assert np.array_equal(images.images, IMAGES)
    assert (images.labels, len(images)) == (None, 4)
    labelled = load_images(npz(tmp_path, images=IMAGES, labels=LABELS), "test")
    assert labelled.labels is not None
    assert labelled.labels.tolist() == list(LABELS)
    first = load_images(npz(tmp_path, images=IMAGES), "test", limit=3)
    assert (first.labels, len(first)) == (None, 3)
    assert np.array_equal(first.images, IMAGES[:3])
    with pytest.raises(UserError, match="4 images but 3 labels"):
        load_images(npz(tmp_path, images=IMAGES, labels=LABELS[:3]), "test")
    with pytest.raises(UserError, match="array images missing"):
        load_images(npz(tmp_path, labels=LABELS), "test")


@pytest.mark.unit
@pytest.mark.parametrize(
    ("arrays", "expected"),
    [
        ({}, ["array images and labels missing"]),
        ({"images": IMAGES}, ["array labels missing"]),
        ({"images": IMAGES, "labels": LABELS[:3]}, ["4 images but 3 labels"]),
        ({"images": IMAGES[:0], "labels": LABELS[:0]}, ["there are no images in it"]),
        (
            {"images": IMAGES / 255.0, "labels": LABELS / 2.0},
            ["images should be uint8 [N, C, H, W], found float64", "labels should be integers"],
        ),
        ({"images": IMAGES[0], "labels": -LABELS.astype(int)}, ["[3, 32, 32]", "negative"]),
        ({"images": IMAGES, "labels": np.array([None] * 4)}, ["not a readable .npz file"]),
    ],
)
def test_bad_npz_arrays(tmp_path: Path, arrays: dict[str, Any], expected: list[str]) -> None:
    found = problems(npz(tmp_path, **arrays))
    assert len(found) == len(expected)
    for text, part in zip(found, expected, strict=True):
        assert part in text


@pytest.mark.unit
def test_bad_npz_files(tmp_path: Path) -> None:
    path = tmp_path / "own.npz"
    assert problems(f"npz:{path}")[0].startswith(f"{path}: no such file")
    np.savez_compressed(path, images=IMAGES, labels=LABELS)
    whole = path.read_bytes()
    scrambled = whole[:200] + bytes(200) + whole[400:]
    for content in (b"", whole[:1000], whole[:-1], scrambled, b"text"):
        path.write_bytes(content)
        assert "not a readable .npz file" in problems(f"npz:{path}")[0]
    with path.open("wb") as file:
        np.save(file, IMAGES)
    assert "not a readable .npz file: File is not a zip file" in problems(f"npz:{path}")[0]


@pytest.mark.unit
def test_a_file_without_its_prefix_is_told_how_to_be_named() -> None:
    assert problems("my/own.npz") == [
        "dataset: unknown data set 'my/own.npz' (write npz:my/own.npz)"
    ]


@pytest.mark.unit
def test_a_file_that_must_not_be_read_is_told_as_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: Path, mode: str) -> NoReturn:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    np.savez(tmp_path / "own.npz", images=IMAGES, labels=LABELS)
    monkeypatch.setattr(Path, "open", refused)
    (said,) = problems(f"npz:{tmp_path / 'own.npz'}")
    assert "cannot be read: permission denied (check the file and its permissions)" in said


# -- what to do about arrays that do not fit ------------------------------------------------------

PIXELS = np.arange(2 * 3 * 4 * 5, dtype=np.uint8).reshape(2, 3, 4, 5)


@pytest.mark.unit
@pytest.mark.parametrize(
    ("images", "wanted", "line"),
    [
        (PIXELS.transpose(0, 2, 3, 1), (3, 4, 5), "images.transpose(0, 3, 1, 2)"),
        (PIXELS[:, :1], (3, 4, 5), "images.repeat(3, axis=1)"),
        (PIXELS, (1, 4, 5), "images.mean(1, keepdims=True).round().astype(numpy.uint8)"),
        (PIXELS[:, 0], (1, 4, 5), "images[:, None]"),
        (PIXELS / 255.0, (3, 4, 5), "(images * 255).round().astype(numpy.uint8)"),
        (PIXELS * 1.0, (3, 4, 5), "images.round().astype(numpy.uint8)"),
        (PIXELS.astype(np.int64), (3, 4, 5), "images.round().astype(numpy.uint8)"),
        (PIXELS > 7, (3, 4, 5), "images.astype(numpy.uint8) * 255"),
        (PIXELS[0], (3, 4, 5), "images[None]"),
    ],
)
def test_the_remedy_for_images_is_a_line_that_makes_them_right(images, wanted, line):
    remedy = remedy_for_images(images, wanted)
    assert line in remedy
    made = eval(line, {"images": images, "numpy": np})
    assert (made.shape[1:], made.dtype) == (wanted, np.uint8)
    assert remedy_for_images(made, wanted) == ""


@pytest.mark.unit
def test_the_remedy_for_other_images_and_labels():
    assert "were, 0 to 255" in remedy_for_images(PIXELS - 128.0, (3, 4, 5))
    assert "4x6 pixels: crop or resize" in remedy_for_images(PIXELS, (3, 4, 6))
    assert remedy_for_images(PIXELS, (2, 4, 5)) == ""
    assert "some pixels are NaN or infinite" in remedy_for_images(np.full((2, 3, 4, 5), np.nan))
    assert "images[None] (one image)" in remedy_for_images(PIXELS[0])
    assert "images[:, None] (greyscale" in remedy_for_images(PIXELS[:, 0])
    assert "labels.argmax(1)" in remedy_for_labels(np.eye(3))
    assert "labels.ravel()" in remedy_for_labels(np.zeros((3, 1), np.int64))
    assert "labels.astype(numpy.int64)" in remedy_for_labels(np.zeros(3))


@pytest.mark.unit
def test_images_of_another_shape_are_refused_with_that_line():
    labels = np.zeros(2, np.int64)
    dataset = Dataset(
        "npz:x.npz", PIXELS.transpose(0, 2, 3, 1), labels, num_classes=1, split="test"
    )
    require_images(dataset, (4, 5, 3))
    said = r"4x5x3, the network takes 3x4x5 \(store images.transpose.*, or give another --dataset"
    with pytest.raises(UserError, match=said):
        require_images(dataset, (3, 4, 5))
