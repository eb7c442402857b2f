"""SVHN, cropped digits (Netzer et al. 2011): Matlab files with X [32, 32, 3, N] and y [N, 1]."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from acsgen.data.dataset import Dataset, need_root
from acsgen.support.errors import Problem, UserError

REMEDY = (
    "put train_32x32.mat and test_32x32.mat (format 2, cropped digits) from "
    "ufldl.stanford.edu/housenumbers into ROOT"
)


def load_svhn(split: str, root: Path | None) -> Dataset:
    """Read ``<split>_32x32.mat`` from ``root``; SVHN's label 10 becomes class 0.

    Raises:
        UserError: the file is missing, unreadable, or its arrays have other shapes or labels.
    """
    from scipy.io import loadmat

    path = need_root("svhn", root, REMEDY) / f"{split}_32x32.mat"
    if not path.is_file():
        raise UserError([Problem(str(path), "no such file", REMEDY)])
    try:
        content = loadmat(str(path))
    except Exception as error:  # on a damaged file scipy raises exceptions of any type
        what = f"not a readable .mat file: {error}"
        raise UserError([Problem(str(path), what, REMEDY)]) from None
    absent = [key for key in ("X", "y") if key not in content]
    if absent:
        what = f"array {' and '.join(absent)} missing"
        raise UserError([Problem(str(path), what, REMEDY)])
    images, labels = content["X"], content["y"].reshape(-1)
    problems = []
    if images.ndim != 4 or images.shape[:3] != (32, 32, 3) or images.dtype != np.uint8:
        what = f"X should be uint8 [32, 32, 3, N], found {images.dtype} {list(images.shape)}"
        problems.append(Problem(str(path), what, REMEDY))
    elif not labels.size or images.shape[3] != labels.size:
        what = f"{images.shape[3]} images but {labels.size} labels"
        problems.append(Problem(str(path), what, REMEDY))
    if labels.dtype.kind not in "uif" or not np.isin(labels, range(1, 11)).all():
        problems.append(Problem(str(path), "labels outside 1..10", REMEDY))
    if problems:
        raise UserError(problems)
    return Dataset(
        name="svhn",
        images=np.ascontiguousarray(images.transpose(3, 2, 0, 1)),
        labels=labels.astype(np.int64) % 10,
        num_classes=10,
        split=split,
    )
