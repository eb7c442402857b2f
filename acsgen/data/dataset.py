"""Images of a data set, labelled or not."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from acsgen.support.errors import Problem, UserError
from acsgen.support.user_files import require_folder

#: Name of the images of a network that comes without a data set: crops of two photographs.
PHOTOGRAPHS = "photographs"

_Images = TypeVar("_Images", bound="Images")


@dataclass(frozen=True)
class Images:
    """Images, with or without labels, for what needs none.

    Attributes:
        name: the name they were loaded by.
        images: uint8 [N, C, H, W].
        labels: int64 [N], from 0 on; None where there are none.
        difficulty: float32 [N] in [0, 1], 1 hardest, where the data set knows it; else None.
    """

    name: str
    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64] | None
    difficulty: npt.NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.images)

    def head(self: _Images, count: int) -> _Images:
        """The first ``count`` images."""
        return replace(
            self,
            images=self.images[:count],
            labels=None if self.labels is None else self.labels[:count],
            difficulty=None if self.difficulty is None else self.difficulty[:count],
        )


@dataclass(frozen=True)
class Dataset(Images):
    """Labelled images: labels are always there, in 0..num_classes-1.

    Attributes:
        num_classes: number of classes.
        split: ``train`` or ``test``.
    """

    labels: npt.NDArray[np.int64]
    num_classes: int = field(kw_only=True)
    split: str = field(kw_only=True)


def need_root(name: str, root: Path | None, remedy: str) -> Path:
    """The data set's folder.

    Raises:
        UserError: no folder given, or it does not exist.
    """
    if root is None:
        raise UserError([Problem(f"dataset {name}", "needs the folder of its files", remedy)])
    require_folder(root, remedy)
    return root
