"""Results of the integer graph, as the golden model makes them and every engine must."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class GoldenResult:
    """Integer results of a run over N images.

    A program need not run every line for every image: where a layer did not run, its values say
    nothing.

    Attributes:
        values: by layer name, ``[N, *shape]``: maps and vectors int16, masks uint8, outputs int32.
            With ``keep="outputs"`` only the masks and the outputs are there.
        outputs: the results that leave the network, by layer name in execution order,
            ``[N, classes]`` int32.
        masks: the masks alone, by gate name, uint8 ``[N, C]``.
        ran: by layer name, whether the layer ran for each image, ``[N]``; layers that always run
            need not be there.
        decisions: what the entropies in front of exits decided, by layer name, uint8 ``[N, 1]``.
        sums: what they compared with their thresholds, by layer name, int32 ``[N, 1]``.
    """

    values: dict[str, NDArray[np.generic]] = field(repr=False)
    outputs: dict[str, NDArray[np.int32]] = field(repr=False)
    masks: dict[str, NDArray[np.uint8]] = field(repr=False)
    ran: dict[str, NDArray[np.bool_]] = field(default_factory=dict, repr=False)
    decisions: dict[str, NDArray[np.uint8]] = field(default_factory=dict, repr=False)
    sums: dict[str, NDArray[np.int32]] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(next(iter(self.outputs.values())))

    def executed(self, layer: str, image: int) -> bool:
        """Whether a layer ran for an image."""
        return layer not in self.ran or bool(self.ran[layer][image])

    @property
    def answers(self) -> list[str]:
        """The output that is the network's answer to each image: the last one that ran."""
        names = list(self.outputs)[::-1]
        return [
            next(name for name in names if self.executed(name, image)) for image in range(len(self))
        ]

    @property
    def logits(self) -> NDArray[np.int32]:
        """The answer to each image, ``[N, classes]``.

        Raises:
            ValueError: the answers are outputs of different sizes.
        """
        answers = self.answers
        return np.stack([self.outputs[name][image] for image, name in enumerate(answers)])

    @property
    def predictions(self) -> NDArray[np.int64]:
        """Class of each image by its answer; the lowest index wins a tie."""
        return np.array(
            [int(self.outputs[name][i].argmax()) for i, name in enumerate(self.answers)], np.int64
        )

    def head(self, count: int) -> GoldenResult:
        """The results of the first ``count`` images."""
        return self.only(slice(count))

    def only(self, chosen: slice | NDArray[np.integer]) -> GoldenResult:
        """The results of some images, by their numbers."""
        return replace(
            self,
            values={name: values[chosen] for name, values in self.values.items()},
            outputs={name: logits[chosen] for name, logits in self.outputs.items()},
            masks={name: bits[chosen] for name, bits in self.masks.items()},
            ran={name: ran[chosen] for name, ran in self.ran.items()},
            decisions={name: bits[chosen] for name, bits in self.decisions.items()},
            sums={name: sums[chosen] for name, sums in self.sums.items()},
        )
