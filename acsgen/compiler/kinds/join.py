"""Vectors one behind the other: placement, without an instruction of its own."""

from __future__ import annotations

import numpy as np

from acsgen.compiler.kinds.base import (
    COMPILER_KINDS,
    CompilerKind,
    Limits,
    VectorFormat,
    kind_of,
    no_constants,
)
from acsgen.compiler.layout import Layouts
from acsgen.compiler.placement import misplaced
from acsgen.ir.integer import IntFlatten, IntGraph
from acsgen.ir.kinds.join import IntJoin
from acsgen.isa.generated import WORD_BYTES


def _limits(graph: IntGraph, layer: IntJoin) -> Limits:
    """The entries of a joined vector are those of its parts, and no instruction copies one."""
    for part in misplaced(graph, layer):
        yield f"joins {part}, which is a part of another vector", "join a copy of it"
    for part in layer.vectors:
        if isinstance(graph[part], IntFlatten):
            yield f"joins {part}, a flattened map", "join a linear layer of it"


def _vector_format(graph: IntGraph, layouts: Layouts, layer: IntJoin) -> VectorFormat:
    places, words = [], 0
    for name in layer.vectors:
        part = graph[name]
        stored = kind_of(part).vector_format(graph, layouts, part)
        places.append(stored.places + words * WORD_BYTES)
        words += stored.words
    return VectorFormat(np.concatenate(places), words)


COMPILER_KINDS.add(
    IntJoin.KIND,
    CompilerKind(
        limits=_limits,
        leaves_out_zeros=False,
        constants=no_constants,
        vector_format=_vector_format,
        lower=None,
        remark="",
        instruction=None,
    ),
)
