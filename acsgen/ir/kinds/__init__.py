"""Kinds of layers: each a file of its own, found when this is imported.

A file has both dataclasses of its kind, that of the layer graph and that of the integer graph, and
the facts that every later stage may ask for. The stages that know kinds have a file of the same
name each (``acsgen/frontend/kinds``, ``acsgen/quant/kinds``, ``acsgen/compiler/kinds``), and a file
that is missing there is an error at import.
"""

from acsgen.ir.kinds.base import KINDS, LayerKind

__all__ = ["KINDS", "LayerKind"]

KINDS.find_all(__name__)
