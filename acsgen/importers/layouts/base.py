"""How the keys of another code base's weights become an architecture of acsgen.

A layout is recognized by its keys alone. The shapes say which configuration of the architecture it
is, and a table of names says which weight goes where. None of the other code is run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from acsgen.support.errors import Problem, UserError
from acsgen.support.registry import Registry

#: Mean and standard deviation of the pixels, for those in [0, 1].
Statistics = tuple[tuple[float, ...], tuple[float, ...]]

CIFAR: Statistics = ((0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010))
IMAGENET: Statistics = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
#: Pixels in [0, 1] as they are.
UNCHANGED: Statistics = ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


class Weights:
    """The weights of a file by their keys, without the prefix of ``nn.DataParallel``.

    Args:
        tensors: by key.
        where: the file, for messages.
    """

    def __init__(self, tensors: Mapping[str, Tensor], where: str) -> None:
        self.tensors = tensors
        self.where = where

    def __contains__(self, key: str) -> bool:
        return key in self.tensors

    def shape(self, key: str) -> tuple[int, ...]:
        """Shape of a weight.

        Raises:
            UserError: there is none of this key.
        """
        if key not in self.tensors:
            raise UserError(Problem(self.where, f"missing weights: {key}", "save them all"))
        return tuple(self.tensors[key].shape)

    def kernel(self, key: str) -> tuple[int, int, int]:
        """Outputs, inputs of a group, and rows of the kernel of a square convolution.

        Raises:
            UserError: there is none of this key, or it is none.
        """
        shape = self.shape(key)
        if len(shape) != 4 or shape[2] != shape[3]:
            what = f"{key} has shape {list(shape)}, not that of a square convolution"
            raise UserError(Problem(self.where, what, "the layout is another one"))
        return shape[0], shape[1], shape[2]

    def count(self, pattern: str) -> int:
        """How many numbers 0, 1, 2, ... stand in the group of a pattern that keys begin with.

        Raises:
            UserError: there is a gap between them.
        """
        found = {int(m.group(1)) for key in self.tensors if (m := re.match(pattern, key))}
        missing = sorted(set(range(max(found, default=-1) + 1)) - found)
        if missing:
            what = f"keys like {pattern} miss number {missing[0]}"
            raise UserError(Problem(self.where, what, "save them all"))
        return len(found)

    def under(self, prefix: str) -> list[str]:
        """The keys that are ``prefix`` or begin with it and a dot."""
        return [key for key in self.tensors if key == prefix or key.startswith(f"{prefix}.")]


Transform = Callable[[Tensor], Tensor]


@dataclass
class Reading:
    """What a layout has read.

    Attributes:
        arch: a key of :data:`acsgen.nn.networks.ARCHITECTURES`.
        config: the architecture's configuration, but for the images.
        image_size: height and width of the images that the code base uses.
        statistics: mean and standard deviation by which it normalizes pixels.
        names: path of a module or weight of the file, by that of acsgen.
        transforms: what becomes of a weight, by its key of acsgen.
        unused: keys that the code base saves but does not use, with the reason.
        copies: keys that are saved twice, by the key of the copy.
        remarks: what the shapes do not say, and was taken as the code base has it.
    """

    arch: str
    config: dict[str, Any]
    image_size: int
    statistics: Statistics
    names: dict[str, str] = field(default_factory=dict)
    transforms: dict[str, Transform] = field(default_factory=dict)
    unused: dict[str, str] = field(default_factory=dict)
    copies: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def key_in_file(self, key: str) -> str | None:
        """Key in the file of a weight of acsgen; None where no name stands for it."""
        head, tail = key, ""
        while head not in self.names:
            if "." not in head:
                return None
            head, _, part = head.rpartition(".")
            tail = f".{part}{tail}"
        return self.names[head] + tail

    def leave(self, keys: Collection[str], reason: str) -> None:
        """Note keys as unused."""
        self.unused |= dict.fromkeys(keys, reason)

    def copy(self, weights: Weights, copy: str, original: str) -> None:
        """Note the module ``copy`` as another name of the module ``original``."""
        for key in weights.under(copy):
            self.copies[key] = original + key.removeprefix(copy)


@dataclass(frozen=True)
class Layout:
    """A layout of keys.

    Attributes:
        title: the code base and its networks, for people.
        signs: keys that such a file has, all of them.
        absent: keys that tell it apart from another layout: it has none that begins with one.
        read: reads the weights.
    """

    title: str
    signs: tuple[str, ...]
    read: Callable[[Weights], Reading]
    absent: tuple[str, ...] = ()

    def recognizes(self, weights: Weights) -> bool:
        """Whether the keys are this layout's."""
        return all(sign in weights for sign in self.signs) and not any(
            key.startswith(self.absent) for key in weights.tensors if self.absent
        )


#: Every layout, by the name of its file.
LAYOUTS: Registry[Layout] = Registry("layout")


def sign_above_zero(gate: Tensor) -> Tensor:
    """Gates of a DGConv that are open above 0, as gates that are open from 0 on."""
    return torch.where(gate == 0, torch.full_like(gate, -1e-8), gate)


def stage_blocks(counts: tuple[int, ...], where: str) -> int:
    """Blocks of every stage of a CIFAR ResNet.

    Raises:
        UserError: stages of different length.
    """
    if len(set(counts)) > 1 or not counts[0]:
        what = f"stages of {', '.join(map(str, counts))} blocks"
        raise UserError(Problem(where, what, "only stages of equal length have a depth 6n+2"))
    return counts[0]
