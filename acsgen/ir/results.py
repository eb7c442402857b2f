"""Results of the integer graph, as the golden model makes them and every engine must."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class GoldenResult:
    """Integer results of a run over N images.

    Attributes:
        values: by layer name, ``[N, *shape]``: maps and vectors int16, masks uint8, logits int32.
            With ``keep="logits"`` only the masks and the logits are there.
        logits: ``[N, classes]`` int32.
        masks: the masks alone, by gate name, uint8 ``[N, C]``.
    """

    values: dict[str, NDArray[np.generic]] = field(repr=False)
    logits: NDArray[np.int32] = field(repr=False)
    masks: dict[str, NDArray[np.uint8]] = field(repr=False)

    @property
    def predictions(self) -> NDArray[np.int64]:
        """Class of each image; the lowest index wins a tie."""
        return np.asarray(self.logits.argmax(axis=1), np.int64)
