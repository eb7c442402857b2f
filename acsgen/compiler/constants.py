"""Turns the layers' constants into the parameter buffer, and says where everything went."""

from __future__ import annotations

from acsgen.compiler.kinds import kind_of
from acsgen.compiler.layout import Layouts
from acsgen.compiler.params import Constants, ParamsBuilder
from acsgen.ir.integer import IntGraph


def build_constants(graph: IntGraph, layouts: Layouts) -> Constants:
    """Return the parameter buffer of ``graph``, whose flattened maps lie as ``layouts`` says."""
    builder = ParamsBuilder()
    for layer in graph:
        kind_of(layer).constants(graph, layouts, layer, builder)
    return builder.finish()
