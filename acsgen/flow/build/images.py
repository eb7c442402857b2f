"""Chooses the images of a build: to calibrate, to measure accuracy, to prove bit-exactness."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from acsgen.data import load_images
from acsgen.data.dataset import PHOTOGRAPHS
from acsgen.data.remedies import require_images
from acsgen.flow.evaluate import CALIBRATION_IMAGES
from acsgen.importers.network import ImportedNetwork
from acsgen.support.errors import Problem, UserError
from acsgen.support.printing import name_as_text

#: Images over which accuracy, MACs and cycles are averaged.
ACCURACY_IMAGES = 500


@dataclass(frozen=True)
class BuildImages:
    """Images uint8 ``[N, C, H, W]``.

    Attributes:
        source: name of the data set, or ``photographs`` where the network has none.
        calibration: from the training split.
        test: from the test split; the first of them prove bit-exactness.
        labels: of ``test``; None where there are none, and accuracy is then not known.
    """

    source: str
    calibration: NDArray[np.uint8]
    test: NDArray[np.uint8]
    labels: NDArray[np.int64] | None


def choose_images(
    network: ImportedNetwork,
    dataset: str | None,
    data_root: Path | None,
    check_images: int,
    seed: int,
) -> BuildImages:
    """Take the images from the data set asked for, else from the one the network was trained on.

    A network without a data set is calibrated on crops of two photographs, and has no accuracy.

    Args:
        network: the network as read; its ``meta`` may name a data set.
        dataset: value of ``--dataset``; None if it was not given.
        data_root: folder of data sets that are files.
        check_images: images to prove bit-exactness on.
        seed: of the choice among the data set's images.

    Raises:
        UserError: no such data set, images of another shape, or fewer than asked for.
    """
    name = dataset or _own_dataset(network)
    return images_of(name, network.input_shape, data_root, check_images, seed)


def images_of(
    name: str | None,
    shape: tuple[int, int, int] | None,
    data_root: Path | None,
    check_images: int,
    seed: int,
) -> BuildImages:
    """Take images ``(C, H, W)`` of a data set, or of photographs where it has no name.

    Without a ``shape`` the data set's own is taken, which then needs a name.

    Raises:
        UserError: no such data set, images of another shape, or fewer than asked for.
    """
    rng = np.random.default_rng(seed)
    wanted = max(ACCURACY_IMAGES, check_images)
    if name is None:
        assert shape is not None
        crops = _photograph_crops(shape, CALIBRATION_IMAGES + wanted, rng)
        return BuildImages(
            PHOTOGRAPHS, crops[:CALIBRATION_IMAGES], crops[CALIBRATION_IMAGES:], None
        )
    train = load_images(name, "train", data_root)
    test = load_images(name, "test", data_root)
    if shape is not None:
        require_images(train, shape)
    if len(test) < check_images:
        raise UserError(
            Problem(
                f"data set {name}",
                f"has {len(test)} test images, --images asks for {check_images}",
                f"ask for at most {len(test)}",
            )
        )
    calibration = rng.permutation(len(train))[:CALIBRATION_IMAGES]
    chosen = rng.permutation(len(test))[:wanted]
    source = name_as_text(name)
    labels = None if test.labels is None else test.labels[chosen]
    return BuildImages(source, train.images[calibration], test.images[chosen], labels)


def _own_dataset(network: ImportedNetwork) -> str | None:
    name = network.meta.get("dataset")
    return name if isinstance(name, str) else None


def _photograph_crops(
    shape: tuple[int, int, int], count: int, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Random crops of two photographs, scaled by whole pixels; channels cycle through RGB."""
    from sklearn.datasets import load_sample_images

    photographs = load_sample_images().images
    channels, height, width = shape
    crops = np.empty((count, *shape), np.uint8)
    for crop in crops:
        photograph = photographs[rng.integers(len(photographs))]
        rows, columns = photograph.shape[:2]
        # The largest whole step that still leaves room, or repeated pixels for larger images.
        step = int(rng.integers(1, max(1, min(rows // height, columns // width)) + 1))
        y = rng.integers(max(1, rows - step * height + 1)) + step * np.arange(height)
        x = rng.integers(max(1, columns - step * width + 1)) + step * np.arange(width)
        part = photograph[(y % rows)[:, None], x % columns]
        crop[:] = part.transpose(2, 0, 1)[np.arange(channels) % part.shape[2]]
    return crops
