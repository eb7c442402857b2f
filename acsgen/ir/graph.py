"""What the layer graph and the integer graph have in common."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar

from acsgen.ir.check import violations
from acsgen.ir.kinds.base import LayerBase

LayerT = TypeVar("LayerT", bound=LayerBase)


class InvalidGraph(ValueError):
    """Layers that are no graph; ``violations`` has every reason."""

    def __init__(self, name: str, violations: list[str]) -> None:
        self.violations = tuple(violations)
        super().__init__("\n".join([f"{name} is no valid graph:", *violations]))


@dataclass(frozen=True)
class Graph(Generic[LayerT]):
    """Layers in execution order, checked when built (:mod:`acsgen.ir.check`).

    Attributes:
        name: of the network.
        layers: the image first.
        outputs: names of the layers whose results leave the network, in execution order; the last
            one that runs is the network's answer.

    Raises:
        InvalidGraph: with every way in which the layers break the grammar of their kinds.
    """

    name: str
    layers: tuple[LayerT, ...]
    outputs: tuple[str, ...]

    def __post_init__(self) -> None:
        broken = violations(self.layers, self.outputs)
        if broken:
            raise InvalidGraph(self.name, broken)

    def __iter__(self) -> Iterator[LayerT]:
        return iter(self.layers)

    def __getitem__(self, name: str) -> LayerT:
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> dict[str, LayerT]:
        return {layer.name: layer for layer in self.layers}
