"""What to do with arrays of images and labels that do not fit: numpy's line for it, if any."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from acsgen.data.dataset import Images
from acsgen.support.errors import Problem, UserError

_OWN_DATASET = "pass the data set the network was trained on with --dataset"
#: Axes of an image in memory by the order that other libraries keep them in.
_CHANNELS_LAST = (2, 0, 1)
#: An array of three axes with so many entries along its first is more likely one image than many.
_CHANNELS = (1, 3, 4)


def remedy_for_images(images: NDArray[Any], wanted: tuple[int, ...] | None = None) -> str:
    """Return how to make of ``images`` what a network takes, uint8 ``[N, C, H, W]``; "" if unknown.

    Args:
        images: as found, of any type and shape.
        wanted: ``(C, H, W)`` of the network; None where it is not known.
    """
    steps = [*_of_shape(images.shape, wanted), *_of_type(images)]
    return "store " + ", then ".join(steps) if steps else ""


def require_images(dataset: Images, wanted: tuple[int, ...]) -> None:
    """Refuse a data set of images of another shape than a network takes, ``(C, H, W)``.

    Raises:
        UserError: its images are others; with what to make of them.
    """
    found = dataset.images.shape[1:]
    if found != wanted:
        words = ["x".join(map(str, shape)) for shape in (found, wanted)]
        remedy = remedy_for_images(dataset.images, wanted)
        raise UserError(
            Problem(
                f"data set {dataset.name}",
                f"its images are {words[0]}, the network takes {words[1]}",
                f"{remedy}, or give another --dataset" if remedy else _OWN_DATASET,
            )
        )


def remedy_for_labels(labels: NDArray[Any]) -> str:
    """Return how to make of ``labels`` integers ``[N]``; "" if unknown."""
    if labels.ndim == 2 and labels.shape[1] > 1:
        return "store labels.argmax(1): one number for each image"
    if labels.ndim == 2:
        return "store labels.ravel(): one number for each image"
    if labels.ndim == 1 and np.issubdtype(labels.dtype, np.floating):
        return "store labels.astype(numpy.int64)"
    return ""


def labels_beyond(labels: NDArray[Any], classes: int, source: str) -> str:
    """Return a warning of labels that no prediction of so many classes can have."""
    beyond = int(np.sum(labels >= classes))
    return (
        f"{beyond} of {len(labels)} labels of {source} are beyond the network's classes, 0 to "
        f"{classes - 1} (the highest is {labels.max()}): they count as wrong predictions"
    )


def _of_type(images: NDArray[Any]) -> list[str]:
    if images.dtype == np.uint8 or not images.size or images.dtype.kind not in "fiub":
        return []
    if images.dtype.kind == "b":
        return ["images.astype(numpy.uint8) * 255"]
    if images.dtype.kind == "f" and not np.isfinite(images).all():
        return ["numbers alone: some pixels are NaN or infinite"]
    low, high = float(images.min()), float(images.max())
    if images.dtype.kind == "f" and low >= 0 and high <= 1:
        return ["(images * 255).round().astype(numpy.uint8)"]
    if low < 0 or high > 255:
        return [f"the pixels as they were, 0 to 255, for now they are {low:g} to {high:g}"]
    return ["images.round().astype(numpy.uint8)"]


def _of_shape(shape: tuple[int, ...], wanted: tuple[int, ...] | None) -> list[str]:
    if len(shape) == 3 and (wanted == shape or (wanted is None and shape[0] in _CHANNELS)):
        return ["images[None] (one image)"]
    if len(shape) == 3 and (wanted is None or wanted == (1, *shape[1:])):
        return ["images[:, None] (greyscale images)"]
    if len(shape) != 4 or wanted is None or shape[1:] == wanted:
        return []
    found = shape[1:]
    if tuple(found[axis] for axis in _CHANNELS_LAST) == wanted:
        return ["images.transpose(0, 3, 1, 2)"]
    if found[1:] != wanted[1:]:
        return [f"images of {wanted[1]}x{wanted[2]} pixels: crop or resize them"]
    if found[0] == 1:
        return [f"images.repeat({wanted[0]}, axis=1) (grey as {wanted[0]} channels)"]
    if wanted[0] == 1:
        return ["images.mean(1, keepdims=True).round().astype(numpy.uint8) (greyscale)"]
    return []
