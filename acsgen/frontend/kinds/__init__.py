"""The front end's part of each kind of layer: a file for every kind of :mod:`acsgen.ir.kinds`.

A kind without a file here is an error at import.
"""

from __future__ import annotations

from collections.abc import Mapping

from acsgen.frontend import opgraph as og
from acsgen.frontend.kinds.base import FLOAT_KINDS, FloatKind, Start
from acsgen.ir.kinds import KINDS
from acsgen.ir.kinds.base import Layer

__all__ = ["FLOAT_KINDS", "STARTS", "FloatKind", "kind_of"]

FLOAT_KINDS.find_all(__name__, KINDS)


def kind_of(layer: Layer) -> FloatKind:
    """The front end's part of a layer's kind."""
    return FLOAT_KINDS[layer.KIND]


def _starts() -> Mapping[tuple[type[og.Op], int], Start]:
    found: dict[tuple[type[og.Op], int], Start] = {}
    for name, kind in FLOAT_KINDS.items():
        for place, start in kind.starts.items():
            if place in found:
                operation, dimensions = place
                raise ImportError(
                    f"two kinds of layer, one of them '{name}', start with the operation "
                    f"{operation.__name__} of {dimensions} dimensions"
                )
            found[place] = start
    layers = {op for op in og.Op.__subclasses__() if not op.rewritten} - {og.Unknown}
    startless = layers - {operation for operation, _ in found}
    if startless:
        names = ", ".join(sorted(operation.__name__ for operation in startless))
        raise ImportError(f"no kind of layer starts with the operation {names}")
    return found


#: By operation and number of dimensions of its result: the maker of the layer that starts with it.
STARTS = _starts()
