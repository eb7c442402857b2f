"""The relation of layers that move a window over a map."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from acsgen.ir.grammar import Relation, Sources, relation


@relation("the result has a pixel for every window that fits the padded source")
def _windows(layer: Any, sources: Sources) -> Iterator[str]:
    kernel = layer.weight.shape[-1] if hasattr(layer, "weight") else layer.kernel
    fit = [
        (size + 2 * layer.pad - kernel) // layer.stride + 1 for size in sources[layer.x].shape[1:]
    ]
    if fit != list(layer.shape[1:]):
        yield f"{layer.shape[1]}x{layer.shape[2]} pixels, {fit[0]}x{fit[1]} windows fit"


#: Of layers with ``stride``, ``pad``, and a side of the window: ``kernel``, or that of ``weight``.
WINDOWS: Relation = _windows
