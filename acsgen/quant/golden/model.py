"""The golden model: runs an integer graph exactly as :mod:`acsgen.ir.integer` defines it.

Every other executor (C-simulation, RTL, board) must give the same words.  Images are taken in small
batches; the arithmetic of a kind of layer is in its file of :mod:`acsgen.quant.kinds`.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from acsgen.ir.grammar import Stores
from acsgen.ir.integer import IntEntropy, IntExit, IntGate, IntGraph
from acsgen.ir.results import GoldenResult
from acsgen.quant.golden.operators import Values, operator
from acsgen.quant.thresholds import Thresholds
from acsgen.support.errors import Problem, UserError

Keep = Literal["all", "outputs"]


class GoldenModel:
    """Executor of an integer graph."""

    def __init__(self, graph: IntGraph) -> None:
        self.graph = graph
        sources = {layer.name: layer for layer in graph}
        self._operators = {layer.name: operator(layer, sources) for layer in graph}
        self._last_reader = {name: layer.name for layer in graph for name in layer.inputs}

    def run(
        self,
        images: NDArray[np.uint8] | Tensor,
        thresholds: Thresholds | None = None,
        keep: Keep = "all",
        batch: int = 16,
    ) -> GoldenResult:
        """Run the graph.

        Args:
            images: uint8 ``[N, C, H, W]``, raw pixels.
            thresholds: int32 ``(C,)`` by the name of a gate or of an entropy in front of an exit;
                those not named use the graph's.
            keep: ``all`` layer results, or masks and ``outputs`` only.
            batch: images computed at once; changes speed and memory, not results.

        Raises:
            UserError: images of another shape or type than the graph's input.
            ValueError: thresholds for no gate of the graph, or of another shape.
        """
        pixels = check_images(images, self.graph.input.shape)
        bounds = self._thresholds(thresholds or {})
        always = (Stores.MASK, Stores.WIDE)
        kept = [item.name for item in self.graph if keep == "all" or item.stores in always]
        parts: dict[str, list[Tensor]] = {name: [] for name in kept}
        entropies = [item.name for item in self.graph.deciders if isinstance(item, IntEntropy)]
        sums: dict[str, list[Tensor]] = {name: [] for name in entropies}
        for start in range(0, len(pixels), batch):
            values = self._run_batch(pixels[start : start + batch], bounds, set(kept), sums)
            for name in kept:
                parts[name].append(values[name])
        results = {name: torch.cat(part).numpy() for name, part in parts.items()}
        return GoldenResult(
            values=results,
            outputs={name: results[name] for name in self.graph.outputs},
            masks={gate.name: results[gate.name] for gate in self.graph.gates},
            ran=self._ran(results),
            decisions={name: results[name] for name in entropies},
            sums={name: torch.cat(part).to(torch.int32).numpy() for name, part in sums.items()},
        )

    def _ran(self, results: dict[str, NDArray[np.generic]]) -> dict[str, NDArray[np.bool_]]:
        """For every layer behind an exit, whether it ran for each image, ``[N]``."""
        ran: dict[str, NDArray[np.bool_]] = {}
        going: NDArray[np.bool_] | None = None
        for layer in self.graph:
            if going is not None:
                ran[layer.name] = going
            if isinstance(layer, IntExit):
                stays = results[layer.name][:, 0] == 0
                going = stays if going is None else going & stays
        return ran

    def _run_batch(
        self, pixels: Tensor, bounds: Values, kept: set[str], sums: dict[str, list[Tensor]]
    ) -> Values:
        """The results that are kept; what entropies are compared with goes to ``sums``."""
        values: Values = {self.graph.input.name: pixels}
        for layer in self.graph:
            result = self._operators[layer.name](values)
            if layer.name in sums:
                sums[layer.name].append(result)
            if isinstance(layer, (IntGate, IntEntropy)):
                result = (result > bounds[layer.name]).to(torch.uint8)
            values[layer.name] = result
            for name in set(layer.inputs) - kept:
                if self._last_reader[name] == layer.name:
                    del values[name]
        return values

    def _thresholds(self, given: Thresholds) -> Values:
        gates = {gate.name: gate for gate in self.graph.deciders}
        unknown = sorted(set(given) - set(gates))
        if unknown:
            raise ValueError(f"not a gate or an exit of {self.graph.name}: {', '.join(unknown)}")
        bounds = {}
        for name, gate in gates.items():
            threshold = np.asarray(given.get(name, gate.threshold))
            if threshold.shape != gate.shape:
                raise ValueError(f"{name} takes {gate.shape} thresholds, got {threshold.shape}")
            bounds[name] = torch.as_tensor(threshold.astype(np.int64))
        return bounds


def check_images(images: NDArray[np.uint8] | Tensor, shape: tuple[int, ...]) -> Tensor:
    """The images as a uint8 tensor ``[N, *shape]``.

    Raises:
        UserError: another type or shape, or no image at all.
    """
    tensor = images if isinstance(images, Tensor) else torch.from_numpy(np.array(images))
    given = f"{str(tensor.dtype).removeprefix('torch.')} {list(tensor.shape)}"
    wanted = f"uint8 [N, {', '.join(map(str, shape))}]"
    if tensor.dtype != torch.uint8 or tensor.shape[1:] != shape:
        what = f"expected {wanted}, got {given}"
        raise UserError(Problem("images", what, "give raw pixels in the network's input shape"))
    if len(tensor) < 1:
        raise UserError(Problem("images", f"no image: expected {wanted} with N >= 1, got {given}"))
    return tensor
