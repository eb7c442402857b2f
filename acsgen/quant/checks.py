"""What a layer graph must satisfy before it can be quantized; all problems are reported at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from acsgen.ir.layers import Conv, Input, Layer, LayerGraph
from acsgen.isa.generated import PAD_VALUES
from acsgen.support.errors import Problem, UserError


def check_quantizable(graph: LayerGraph) -> None:
    """Refuse networks that have no integer form.

    Raises:
        UserError: weights that are no finite numbers; an image normalization without inverse; an
            image with different borders in more channels than the engine has pad values; a layer
            other than a convolution that reads the raw image.
    """
    problems = [problem for layer in graph for problem in _problems(graph, layer)]
    if problems:
        raise UserError(problems)


def pad_pixels(source: Input) -> NDArray[np.float64]:
    """The pixel ``(C,)`` float64 that normalizes to zero, not rounded and not cut to 0..255."""
    return -np.asarray(source.offset, np.float64) / np.asarray(source.scale, np.float64)


def pad_values(source: Input) -> NDArray[np.uint8]:
    """The pixel ``(C,)`` uint8 nearest to the one that normalizes to zero."""
    return np.asarray(np.clip(np.rint(pad_pixels(source)), 0, 255), np.uint8)


def _problems(graph: LayerGraph, layer: Layer) -> Iterator[Problem]:
    for field in fields(layer):
        value = getattr(layer, field.name)
        if isinstance(value, np.ndarray) and not np.all(np.isfinite(value)):
            count = int(np.sum(~np.isfinite(value)))
            yield Problem(
                layer.where,
                f"{field.name} has {count} values that are NaN or infinite",
                "the checkpoint is damaged or its training diverged; use another",
            )
    if isinstance(layer, Input) and np.any(np.asarray(layer.scale) == 0):
        yield Problem(
            layer.where,
            "the normalization multiplies an image channel by zero",
            "leave the channel out of the network's input",
        )
    source = graph.layers[0]
    if source.name in layer.inputs and isinstance(source, Input):
        yield from _reader_problems(source, layer)


def _reader_problems(source: Input, layer: Layer) -> Iterator[Problem]:
    if not isinstance(layer, Conv):
        yield Problem(
            layer.where,
            "reads the image itself, which only convolutions can",
            "put a convolution (1x1 will do) before it",
        )
    elif layer.pad and np.all(np.asarray(source.scale) != 0):
        further = pad_values(source)[PAD_VALUES - 1 :]
        if len(set(further.tolist())) > 1:
            yield Problem(
                layer.where,
                f"pads image channels {PAD_VALUES - 1} and above with different values "
                f"{sorted(set(further.tolist()))}; the engine has one for all of them",
                "normalize these channels alike, or use no padding",
            )
