"""What a data set is to the rest of acsgen, and loading one by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from acsgen.support.errors import Problem, UserError

SPLITS = ("train", "test")


@dataclass(frozen=True)
class Dataset:
    """Labelled images.

    Attributes:
        name: the name it was loaded by.
        images: uint8 [N, C, H, W].
        labels: int64 [N], in 0..num_classes-1.
        num_classes: number of classes.
        split: ``train`` or ``test``.
        difficulty: float32 [N] in [0, 1], 1 hardest, where the data set knows it; else None.
    """

    name: str
    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]
    num_classes: int
    split: str
    difficulty: npt.NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def head(self, count: int) -> Dataset:
        """The first ``count`` images."""
        return replace(
            self,
            images=self.images[:count],
            labels=self.labels[:count],
            difficulty=None if self.difficulty is None else self.difficulty[:count],
        )


def dataset_names() -> tuple[str, ...]:
    """The names that :func:`load_dataset` knows, besides ``npz:<path>``."""
    return tuple(sorted(_LOADERS))


def load_dataset(
    name: str, split: str, root: str | Path | None = None, limit: int | None = None
) -> Dataset:
    """Load a data set by name.

    Args:
        name: ``digits32`` (made offline), ``cifar10`` or ``svhn`` (files under ``root``), or
            ``npz:<path>`` (arrays ``images`` uint8 [N, C, H, W] and ``labels`` [N]).
        split: ``train`` or ``test``; an ``npz`` file is taken as it is.
        root: folder of the downloaded files, for ``cifar10`` and ``svhn``.
        limit: keep only the first ``limit`` images.

    Raises:
        UserError: unknown name or split, files missing or malformed.
    """
    if split not in SPLITS:
        raise UserError([Problem("dataset", f"unknown split '{split}'", "use train or test")])
    if limit is not None and limit < 1:
        raise UserError([Problem("dataset", f"limit must be at least 1, got {limit}")])
    if name.startswith("npz:"):
        from acsgen.data.npz import load_npz

        dataset = load_npz(Path(name.removeprefix("npz:")), split)
    elif name in _LOADERS:
        dataset = _LOADERS[name](split, None if root is None else Path(root))
    else:
        known = ", ".join([*dataset_names(), "npz:<path>"])
        raise UserError([Problem("dataset", f"unknown data set '{name}'", f"known: {known}")])
    return dataset if limit is None else dataset.head(limit)


def _digits32(split: str, root: Path | None) -> Dataset:
    from acsgen.data.digits32 import make_digits32

    return make_digits32(split)


def _cifar10(split: str, root: Path | None) -> Dataset:
    from acsgen.data.cifar10 import load_cifar10

    return load_cifar10(split, root)


def _svhn(split: str, root: Path | None) -> Dataset:
    from acsgen.data.svhn import load_svhn

    return load_svhn(split, root)


_LOADERS: dict[str, Callable[[str, Path | None], Dataset]] = {
    "digits32": _digits32,
    "cifar10": _cifar10,
    "svhn": _svhn,
}


def need_root(name: str, root: Path | None, remedy: str) -> Path:
    """The data set's folder.

    Raises:
        UserError: no folder given, or it does not exist.
    """
    if root is None:
        raise UserError([Problem(f"dataset {name}", "needs the folder of its files", remedy)])
    if not root.is_dir():
        raise UserError([Problem(f"dataset {name}", f"no such folder: {root}", remedy)])
    return root
