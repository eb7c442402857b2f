"""Training batches are a function of (seed, epoch) and nothing else."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from acsgen.train.batches import Batches

IMAGES = torch.arange(10 * 2 * 5 * 4, dtype=torch.int32).reshape(10, 2, 5, 4)
LABELS = torch.arange(10)


def epoch(number: int, shift: int = 2, flip: bool = True, seed: int = 1) -> tuple[Tensor, Tensor]:
    batches = Batches(IMAGES, LABELS, batch=4, shift=shift, flip=flip, seed=seed)
    parts = list(batches.epoch(number))
    assert len(parts) == len(batches) == 2
    return torch.cat([images for images, _ in parts]), torch.cat([labels for _, labels in parts])


def same(a: tuple[Tensor, Tensor], b: tuple[Tensor, Tensor]) -> bool:
    return torch.equal(a[0], b[0]) and torch.equal(a[1], b[1])


@pytest.mark.unit
def test_same_seed_and_epoch_give_the_same_batches() -> None:
    torch.manual_seed(0)
    first = epoch(3)
    torch.manual_seed(1)
    assert same(first, epoch(3))
    assert not same(first, epoch(4))
    assert not same(first, epoch(3, seed=2))


@pytest.mark.unit
def test_no_image_comes_twice_in_an_epoch() -> None:
    for number in range(5):
        labels = epoch(number)[1].tolist()
        assert len(set(labels)) == 8


@pytest.mark.unit
def test_without_augmentation_images_pass_unchanged() -> None:
    images, labels = epoch(0, shift=0, flip=False)
    assert torch.equal(images, IMAGES[labels])


@pytest.mark.unit
def test_images_move_by_at_most_the_shift_with_repeated_borders() -> None:
    padded = torch.nn.functional.pad(IMAGES.float(), (1, 1, 1, 1), mode="replicate").int()
    moves = set()
    for number in range(20):
        for image, label in zip(*epoch(number, shift=1, flip=False), strict=True):
            found = [
                (dy, dx)
                for dy in range(3)
                for dx in range(3)
                if torch.equal(image, padded[label, :, dy : dy + 5, dx : dx + 4])
            ]
            assert len(found) == 1
            moves.update(found)
    assert len(moves) == 9


@pytest.mark.unit
def test_half_of_the_images_are_mirrored() -> None:
    mirrored = 0
    for number in range(20):
        for image, label in zip(*epoch(number, shift=0, flip=True), strict=True):
            flipped = torch.equal(image, IMAGES[label].flip(2))
            assert flipped or torch.equal(image, IMAGES[label])
            mirrored += flipped
    assert 50 < mirrored < 110
