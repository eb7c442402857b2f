"""The facts of a kind of layer that the front end needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from acsgen.frontend import opgraph as og
from acsgen.frontend.context import Handler
from acsgen.ir.kinds.base import Layer
from acsgen.support.registry import Registry

#: Results by layer name: maps ``[N, C, H, W]``, vectors and masks ``[N, C]``.
Results = Mapping[str, Tensor]

#: From a layer, the results that it reads and the images ``[N, C, H, W]``, which are of the same
#: floating-point type, to its result.
Run = Callable[[Any, Results, Tensor], Tensor]

#: From an operation, and the layers that hold its operands, to the layer that computes it.
Start = Callable[[Any, tuple[Layer, ...]], Layer]

#: From a layer, an operation on its result, and the layers that hold the other operands, to the
#: layer that computes both; None where the engine's order of steps does not allow that.
Absorb = Callable[[Any, Any, tuple[Layer, ...]], "Layer | None"]

#: From a layer, its result, that of the network at this place, the results that it reads and the
#: sizes of its sums, to how the two differ, in words; None if they agree.
Differs = Callable[[Any, Tensor, Tensor, Results, Tensor], "str | None"]

TOLERANCE = 1e-4
"""Largest allowed difference, as a share of the size of the terms that the result sums up."""


def values_differ(
    layer: Layer, result: Tensor, wanted: Tensor, results: Results, sizes: Tensor
) -> str | None:
    """Compare results that are numbers, not decisions."""
    difference = float((result - wanted).abs().max())
    size = float(sizes.max())
    if difference <= TOLERANCE * size:
        return None
    return (
        f"layer {layer.name} ({layer.where}) differs from the network by "
        f"{difference:.3g} where sums of values that reach {size:.3g} are taken"
    )


@dataclass(frozen=True)
class FloatKind:
    """The front end's part of a kind of layer.

    Attributes:
        run: computes a layer in floating point.
        starts: the operations that become a layer of this kind if no layer before takes them in,
            with the number of dimensions of their results: 3 for a map, 1 for a vector or a mask.
        absorbs: the operations that a layer of this kind may take in, if they are the only reader
            of its result.
        size: for kinds whose results are not sums alone: the function that takes the place of
            :attr:`run` in :func:`acsgen.frontend.execute.result_sizes`.
        differs: tells a wrong result from a rounded one.
        handlers: by operator name, functions that translate operators of PyTorch that only this
            kind needs (those that several kinds need are in :mod:`acsgen.frontend.ops`).
    """

    run: Run
    starts: Mapping[tuple[type[og.Op], int], Start]
    absorbs: Mapping[type[og.Op], Absorb]
    size: Run | None = None
    differs: Differs = values_differ
    handlers: Mapping[str, Handler] = field(default_factory=dict)


FLOAT_KINDS: Registry[FloatKind] = Registry("kind of layer")
