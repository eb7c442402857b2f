"""Conditions of quantizing a layer graph; all problems are reported at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

import numpy as np

from acsgen.ir.layers import Layer, LayerGraph
from acsgen.quant.kinds import kind_of
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
    yield from kind_of(layer).problems(layer, graph.input)
