"""A data set: labelled images."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from acsgen.support.errors import Problem, UserError
from acsgen.support.user_files import require_folder

#: Name of the images of a network that comes without a data set: crops of two photographs.
PHOTOGRAPHS = "photographs"


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


@dataclass(frozen=True)
class Images:
    """Images, with or without labels, for what needs none.

    Attributes:
        name: the name they were loaded by.
        images: uint8 [N, C, H, W].
        labels: int64 [N], from 0 on; None where there are none.
        difficulty: as of :class:`Dataset`.
    """

    name: str
    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64] | None
    difficulty: npt.NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.images)

    def head(self, count: int) -> Images:
        """The first ``count`` images."""
        return replace(
            self,
            images=self.images[:count],
            labels=None if self.labels is None else self.labels[:count],
            difficulty=None if self.difficulty is None else self.difficulty[:count],
        )


def need_root(name: str, root: Path | None, remedy: str) -> Path:
    """The data set's folder.

    Raises:
        UserError: no folder given, or it does not exist.
    """
    if root is None:
        raise UserError([Problem(f"dataset {name}", "needs the folder of its files", remedy)])
    require_folder(root, remedy)
    return root
