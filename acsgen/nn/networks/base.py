"""Architectures: networks that a checkpoint or a recipe can name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel
from torch import nn

from acsgen.support.registry import Registry

NetworkT = TypeVar("NetworkT", bound=type[nn.Module])


@dataclass(frozen=True)
class Architecture:
    """An architecture that a checkpoint can name.

    Attributes:
        config: the schema of its configuration. Training fills ``in_channels``, ``image_size``,
            ``num_classes``, ``mean`` and ``std`` in from the data.
        build: makes a network, freshly initialised, of a configuration. The network takes pixels
            [N, C, H, W] in 0..255, and is :class:`acsgen.nn.mac_counter.Skippable`.
    """

    config: type[BaseModel]
    build: Callable[[Any], nn.Module]


#: Every architecture, by the name that checkpoints and recipes use for it.
ARCHITECTURES: Registry[Architecture] = Registry("architecture")


def architecture(name: str, config: type[BaseModel]) -> Callable[[NetworkT], NetworkT]:
    """Decorate a network's class, which takes a configuration, as the architecture ``name``."""

    def add(network: NetworkT) -> NetworkT:
        ARCHITECTURES.add(name, Architecture(config, network))
        return network

    return add
