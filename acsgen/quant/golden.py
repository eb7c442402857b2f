"""The golden model: runs an integer graph exactly as :mod:`acsgen.ir.integer` defines it.

Every other executor (C-simulation, RTL, board) must give the same words.  Images are taken in small
batches; each operator is one function from integer tensors to integer tensors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from acsgen.errors import Problem, UserError
from acsgen.ir.integer import (
    SIGMOID_TABLE,
    IntArray,
    IntConv,
    IntEltwise,
    IntFlatten,
    IntGate,
    IntGlobalAvg,
    IntGraph,
    IntInput,
    IntLayer,
    IntLinear,
    IntLogits,
    IntPool,
    IntScale,
)
from acsgen.quant.arithmetic import exact_dtype, requantize, round_shift, unfold
from acsgen.quant.contract import violations
from acsgen.quant.thresholds import Thresholds

Keep = Literal["all", "logits"]
_Values = dict[str, Tensor]
_Operator = Callable[[_Values], Tensor]


@dataclass(frozen=True)
class GoldenResult:
    """Integer results of a run over N images.

    Attributes:
        values: by layer name, ``[N, *shape]``: maps and vectors int16, masks uint8, logits int32.
            With ``keep="logits"`` only the masks and the logits are there.
        logits: ``[N, classes]`` int32.
        masks: the masks alone, by gate name, uint8 ``[N, C]``.
    """

    values: dict[str, NDArray[np.generic]] = field(repr=False)
    logits: NDArray[np.int32] = field(repr=False)
    masks: dict[str, NDArray[np.uint8]] = field(repr=False)

    @property
    def predictions(self) -> NDArray[np.int64]:
        """Class of each image; the lowest index wins a tie."""
        return np.asarray(self.logits.argmax(axis=1), np.int64)


class GoldenModel:
    """Executor of an integer graph.

    Raises:
        ValueError: the graph breaks the arithmetic contract (:mod:`acsgen.quant.contract`).
    """

    def __init__(self, graph: IntGraph) -> None:
        broken = violations(graph)
        if broken:
            raise ValueError("not a valid integer graph:\n" + "\n".join(broken))
        self.graph = graph
        self._operators = {layer.name: _operator(graph, layer) for layer in graph.layers[1:]}
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
            thresholds: int32 ``(C,)`` by gate name; gates not named use the graph's.
            keep: ``all`` layer results, or masks and ``logits`` only.
            batch: images computed at once; changes speed and memory, not results.

        Raises:
            UserError: images of another shape or type than the graph's input.
            ValueError: thresholds for no gate of the graph, or of another shape.
        """
        pixels = check_images(images, self.graph.input.shape)
        bounds = self._thresholds(thresholds or {})
        always = (IntGate, IntLogits)
        kept = [item.name for item in self.graph if keep == "all" or isinstance(item, always)]
        parts: dict[str, list[Tensor]] = {name: [] for name in kept}
        for start in range(0, len(pixels), batch):
            values = self._run_batch(pixels[start : start + batch], bounds, set(kept))
            for name in kept:
                parts[name].append(values[name])
        results = {name: torch.cat(part).numpy() for name, part in parts.items()}
        return GoldenResult(
            values=results,
            logits=results[self.graph.logits.name],
            masks={gate.name: results[gate.name] for gate in self.graph.gates},
        )

    def _run_batch(self, pixels: Tensor, bounds: _Values, kept: set[str]) -> _Values:
        values: _Values = {self.graph.input.name: pixels.to(torch.int16)}
        for layer in self.graph.layers[1:]:
            if isinstance(layer, IntGate):
                acc = self._operators[layer.name](values)
                values[layer.name] = (acc > bounds[layer.name]).to(torch.uint8)
            else:
                values[layer.name] = self._operators[layer.name](values)
            for name in set(layer.inputs) - kept:
                if self._last_reader[name] == layer.name:
                    del values[name]
        return values

    def _thresholds(self, given: Thresholds) -> _Values:
        gates = {gate.name: gate for gate in self.graph.gates}
        unknown = sorted(set(given) - set(gates))
        if unknown:
            raise ValueError(f"not a gate of {self.graph.name}: {', '.join(unknown)}")
        bounds = {}
        for name, gate in gates.items():
            threshold = np.asarray(given.get(name, gate.threshold))
            if threshold.shape != gate.shape:
                raise ValueError(f"{name} takes {gate.shape} thresholds, got {threshold.shape}")
            bounds[name] = _int64(threshold)
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


def _operator(graph: IntGraph, layer: IntLayer) -> _Operator:
    """The function from earlier results to the layer's; a gate's gives its accumulators."""
    if isinstance(layer, IntConv):
        return _conv(graph, layer)
    if isinstance(layer, IntEltwise):
        return partial(_eltwise, layer)
    if isinstance(layer, IntPool):
        return partial(_max_pool if layer.mode == "max" else _avg_pool, layer)
    if isinstance(layer, IntGlobalAvg):
        return partial(_global_avg, layer)
    if isinstance(layer, IntFlatten):
        return lambda values: values[layer.x].flatten(1)
    if isinstance(layer, IntScale):
        return partial(_scale, layer)
    if isinstance(layer, IntLinear):
        return _linear(layer, _accumulator(graph, layer))
    if isinstance(layer, IntLogits):
        return _logits(layer, _accumulator(graph, layer))
    if isinstance(layer, IntGate):
        return _accumulator(graph, layer)
    raise TypeError(f"{layer.name}: {type(layer).__name__} is no layer of an integer graph")


def _int64(array: IntArray) -> Tensor:
    return torch.as_tensor(np.asarray(array, np.int64))


def _residual(values: _Values, layer: IntConv | IntEltwise, shift: Tensor | int) -> Tensor | int:
    """The residual term of the sum that is requantized, in units of ``2**-shift``."""
    if layer.residual is None:
        return 0
    scaled = values[layer.residual].to(torch.int64) * layer.res_mult
    return scaled << (shift - 14)


def _conv(graph: IntGraph, layer: IntConv) -> _Operator:
    source = graph[layer.x]
    dtype = exact_dtype(layer.weight, source.signed)
    rows = torch.as_tensor(layer.weight.astype(np.int16)).to(dtype)
    weight = rows.reshape(layer.groups, len(rows) // layer.groups, -1)
    pad_value = torch.zeros(source.shape[0], dtype=torch.int64)
    if isinstance(source, IntInput):
        pad_value = _int64(source.pad_value)
    kernel = layer.weight.shape[-1]

    def column(array: IntArray) -> Tensor:
        return _int64(array).view(-1, 1, 1)

    bias, masked_bias = column(layer.bias), column(layer.masked_bias)
    mult, shift = column(layer.mult), column(layer.shift)

    def run(values: _Values) -> Tensor:
        x = values[layer.x].to(dtype)
        windows = unfold(x, kernel, layer.stride, layer.pad, pad_value)
        sums = weight @ windows.reshape(len(x), layer.groups, -1, windows.shape[-1])
        acc = sums.view(len(x), *layer.shape).to(torch.int64).add_(bias)
        if layer.mask is not None:
            active = values[layer.mask].to(torch.bool)[:, :, None, None]
            acc = torch.where(active, acc, masked_bias)
        return requantize(acc.mul_(mult) + _residual(values, layer, shift), shift, layer.signed)

    return run


def _eltwise(layer: IntEltwise, values: _Values) -> Tensor:
    acc = values[layer.x].to(torch.int64)
    if layer.mask is not None:
        mask = values[layer.mask].to(torch.int64)
        acc = acc * mask.view(mask.shape + (1,) * (acc.dim() - 2))
    total = acc * layer.mult + _residual(values, layer, layer.shift)
    return requantize(total, layer.shift, layer.signed)


def _max_pool(layer: IntPool, values: _Values) -> Tensor:
    """Maximum over the valid pixels: PyTorch pads with minus infinity, and float32 holds 8 bits."""
    x = values[layer.x].to(torch.float32)
    return F.max_pool2d(x, layer.kernel, layer.stride, layer.pad).to(torch.int16)


def _avg_pool(layer: IntPool, values: _Values) -> Tensor:
    x = values[layer.x].to(torch.float32)
    zeros = torch.zeros(x.shape[1], dtype=torch.int64)
    windows = unfold(x, layer.kernel, layer.stride, layer.pad, zeros).to(torch.int64)
    total = windows.sum(dim=2).view(len(x), *layer.shape)
    return requantize(total * layer.mult, layer.shift, layer.signed)


def _global_avg(layer: IntGlobalAvg, values: _Values) -> Tensor:
    total = values[layer.x].sum(dim=(2, 3), dtype=torch.int64)
    return requantize(total * layer.mult, layer.shift, layer.signed)


def _scale(layer: IntScale, values: _Values) -> Tensor:
    vector = values[layer.vector].to(torch.int64)[:, :, None, None]
    product = values[layer.x].to(torch.int64) * vector
    return requantize(product * layer.mult, layer.shift, layer.signed)


def _accumulator(graph: IntGraph, layer: IntLinear | IntLogits | IntGate) -> _Operator:
    """``bias + weight @ x``, int64 ``[N, O]``."""
    dtype = exact_dtype(layer.weight, graph[layer.x].signed)
    weight = torch.as_tensor(layer.weight.astype(np.int16)).to(dtype)
    bias = _int64(layer.bias)

    def run(values: _Values) -> Tensor:
        return (values[layer.x].to(dtype) @ weight.T).to(torch.int64) + bias

    return run


def _linear(layer: IntLinear, accumulate: _Operator) -> _Operator:
    mult, shift = _int64(layer.mult), _int64(layer.shift)
    table = torch.as_tensor(SIGMOID_TABLE.astype(np.int16))

    def run(values: _Values) -> Tensor:
        acc = accumulate(values)
        if layer.sigmoid:
            argument = requantize(acc * mult, shift, signed=True)
            return table[argument.to(torch.int64) + 128]
        return requantize(acc * mult, shift, layer.signed)

    return run


def _logits(layer: IntLogits, accumulate: _Operator) -> _Operator:
    mult, shift = _int64(layer.mult), _int64(layer.shift)
    return lambda values: round_shift(accumulate(values) * mult, shift).to(torch.int32)
