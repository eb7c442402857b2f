"""A user's own data set: an ``.npz`` file with arrays ``images`` and ``labels``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acsgen.data.dataset import Dataset, Images
from acsgen.data.remedies import remedy_for_images, remedy_for_labels
from acsgen.support.archives import read_arrays
from acsgen.support.errors import Problem, UserError
from acsgen.support.fsutil import plain_os_error
from acsgen.support.printing import name_as_text
from acsgen.support.user_files import require_file

REMEDY = "write it with numpy.savez(path, images=uint8 [N, C, H, W], labels=integers [N])"


def load_npz(path: Path, split: str) -> Dataset:
    """Read ``images`` uint8 [N, C, H, W] and ``labels`` [N]; classes are 0..max(labels).

    Raises:
        UserError: the file is missing or unreadable, or the arrays do not fit; all are listed.
    """
    found = load_npz_images(path, need_labels=True)
    assert found.labels is not None
    classes = int(found.labels.max()) + 1
    return Dataset(found.name, found.images, found.labels, num_classes=classes, split=split)


def load_npz_images(path: Path, need_labels: bool = False) -> Images:
    """Read ``images`` uint8 [N, C, H, W] and, if they are there, ``labels`` [N].

    Raises:
        UserError: as :func:`load_npz`; labels may be missing where they are not needed.
    """
    where = str(path)
    require_file(path, "data set", REMEDY)
    try:
        arrays = read_arrays(path, ("images", "labels"))
    except OSError as error:
        what = f"cannot be read: {plain_os_error(error)}"
        raise UserError([Problem(where, what, "check the file and its permissions")]) from None
    except ValueError as error:
        raise UserError([Problem(where, f"not a readable .npz file: {error}", REMEDY)]) from None
    needed = ("images", "labels") if need_labels else ("images",)
    absent = [key for key in needed if key not in arrays]
    if absent:
        raise UserError([Problem(where, f"array {' and '.join(absent)} missing", REMEDY)])
    images, labels = arrays["images"], arrays.get("labels")
    problems = []
    if images.ndim and not len(images):
        problems.append(Problem(where, "there are no images in it", REMEDY))
    elif images.ndim != 4 or images.dtype != np.uint8 or 0 in images.shape:
        what = f"images should be uint8 [N, C, H, W], found {images.dtype} {list(images.shape)}"
        problems.append(Problem(where, what, remedy_for_images(images) or REMEDY))
    if labels is not None:
        problems += label_problems(labels, None if problems else len(images), where)
    if problems:
        raise UserError(problems)
    as_integers = None if labels is None else labels.astype(np.int64)
    return Images(name_as_text(f"npz:{path}"), images, as_integers)


def label_problems(labels: NDArray[Any], images: int | None, where: str) -> list[Problem]:
    """Return what is wrong with the labels of so many images, if that is known: at most one thing.

    Args:
        labels: as found, of any type and shape; right are integers ``[N]`` from 0 on.
        images: N.
        where: the file.
    """
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
        what = f"labels should be integers [N], found {labels.dtype} {list(labels.shape)}"
        return [Problem(where, what, remedy_for_labels(labels) or REMEDY)]
    if labels.size and labels.min() < 0:
        what = f"labels must not be negative, the least is {labels.min()}"
        return [Problem(where, what, "number the classes from 0 on")]
    if images is not None and images != len(labels):
        return [Problem(where, f"{images} images but {len(labels)} labels", REMEDY)]
    return []
