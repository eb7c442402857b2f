"""Residual networks with branch classifiers: RADI, BranchyNet, DDI."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pydantic import Field
from torch import Tensor, nn

from acsgen.nn.early_exit import EarlyExit
from acsgen.nn.networks._image import initialize_convolutions
from acsgen.nn.networks.resnet import BackboneConfig, ResNet


class BranchedConfig(BackboneConfig):
    """Shape of a ResNet with branch classifiers.

    Attributes:
        exit_entropy: threshold of all exits, in nats; 0 where a budget alone takes them.
    """

    exit_entropy: float = Field(0.5, ge=0.0, allow_inf_nan=False)


class Branched(ResNet):
    """Branch classifiers behind some blocks, each with an early exit; the last answer is the
    network's.

    The state dict has the names of the network without branches, so that a pretrained one can be
    loaded. A subclass calls :meth:`add_branches` at the end of its construction.
    """

    branches: nn.ModuleList
    exits: nn.ModuleList
    _places: tuple[int, ...]

    def add_branches(
        self, places: Sequence[int], branches: Sequence[nn.Module], exit_entropy: float
    ) -> None:
        """Put a branch [N, C, H, W] to logits behind each of some blocks.

        Args:
            places: numbers of the blocks, in the order of execution; not falling.
            branches: one for each place.
            exit_entropy: see :class:`BranchedConfig`.
        """
        self._places = tuple(places)
        self.branches = nn.ModuleList(branches)
        self.exits = nn.ModuleList(EarlyExit(exit_entropy) for _ in branches)
        initialize_convolutions(self.branches)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:  # type: ignore[override]
        """Pixels [N, C, H, W] to logits [N, classes] of every branch, then of the network."""
        answers: list[Tensor] = []
        for index, features in enumerate(self.features(x)):
            answers += self._answers(index, features)
        return (*answers, self.classify(features))

    def _answers(self, block: int, x: Tensor) -> Iterator[Tensor]:
        for place, branch, exit in zip(self._places, self.branches, self.exits, strict=True):
            if place == block:
                yield exit(branch(x))
