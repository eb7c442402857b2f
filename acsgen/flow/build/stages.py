"""Keeps every stage's result for ``--keep-stages``, numbered in the order of the road."""

from __future__ import annotations

import json
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from acsgen.compiler.listing import listing
from acsgen.frontend import describe
from acsgen.ir.integer import IntGraph
from acsgen.ir.layers import LayerGraph
from acsgen.ir.rewrites import Rewrite
from acsgen.program.program import Program

_FOLDER = "stages"


class StageLog:
    """Collects the results of the stages; :meth:`write` puts them into the build."""

    def __init__(self, keep: bool) -> None:
        self._keep = keep
        self._files: dict[str, str] = {}

    def layers(self, graph: LayerGraph, rewrites: tuple[Rewrite, ...]) -> None:
        """Keep the layer graph, with the rewrite passes that led to it."""
        passes = [asdict(rewrite) for rewrite in rewrites]
        self._add_json("1-layers.json", lambda: {**describe(graph), "rewrites": passes})

    def integers(self, graph: IntGraph) -> None:
        """Keep the integer graph: shapes, scales and shifts; the weights are in the program."""
        self._add_json("2-integers.json", lambda: [_describe_layer(layer) for layer in graph])

    def program(self, program: Program) -> None:
        """Keep the program's listing."""
        if self._keep:
            self._files["3-program.txt"] = listing(program)

    def write(self, folder: Path) -> None:
        """Write the stages into ``folder/stages``, if they are to be kept."""
        if not self._keep:
            return
        (folder / _FOLDER).mkdir()
        for name, text in self._files.items():
            (folder / _FOLDER / name).write_text(text, encoding="utf-8")

    def _add_json(self, name: str, content: Any) -> None:
        if self._keep:
            self._files[name] = json.dumps(content(), indent=1) + "\n"


def _describe_layer(layer: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {"kind": type(layer).__name__}
    for name, value in vars(layer).items():
        fields[name] = _plain(value)
    return fields


def _plain(value: Any) -> Any:
    """A field as JSON has it; of large arrays, type and shape."""
    if isinstance(value, np.ndarray):
        return value.tolist() if value.ndim == 1 else f"{value.dtype} {list(value.shape)}"
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return [_plain(part) for part in value] if isinstance(value, tuple) else value
