"""The operators of the integer graph: for each kind of layer, a function from integers to integers.

The arithmetic is defined in :mod:`acsgen.ir.integer`.  The golden model runs these operators one
after the other; the quantizer uses the bare sums to choose biases.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from acsgen.ir.integer import (
    SIGMOID_TABLE,
    IntArray,
    IntConv,
    IntEltwise,
    IntFlatten,
    IntGate,
    IntGlobalAvg,
    IntInput,
    IntLayer,
    IntLinear,
    IntLogits,
    IntPool,
    IntScale,
)
from acsgen.isa.generated import SHIFT_MIN
from acsgen.quant.arithmetic import exact_dtype, requantize, round_shift, unfold

#: Results by layer name, ``[N, *shape]``.
Values = dict[str, Tensor]
Operator = Callable[[Values], Tensor]
Weighted = IntConv | IntLinear | IntLogits | IntGate


def operator(layer: IntLayer, sources: dict[str, IntLayer]) -> Operator:
    """The function from earlier results to the layer's result; of a gate, to its accumulators.

    Maps and vectors are int16, logits int32, accumulators int64.

    Args:
        layer: any layer but the input.
        sources: at least the layers that ``layer`` reads, by name.
    """
    if isinstance(layer, IntConv):
        return _conv(layer, sums(layer, sources))
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
        return _linear(layer, sums(layer, sources))
    if isinstance(layer, IntLogits):
        return _logits(layer, sums(layer, sources))
    if isinstance(layer, IntGate):
        return _gate(layer, sums(layer, sources))
    raise TypeError(f"{layer.name}: {type(layer).__name__} is no layer of an integer graph")


def sums(layer: Weighted, sources: dict[str, IntLayer]) -> Operator:
    """The function from earlier results to ``sum w*x``, int64 ``[N, *layer.shape]``.

    Bias and mask are not in it.
    """
    source = sources[layer.x]
    dtype = exact_dtype(layer.weight, source.signed)
    rows = torch.as_tensor(layer.weight.astype(np.int16)).to(dtype)
    if not isinstance(layer, IntConv):
        return lambda values: (values[layer.x].to(dtype) @ rows.T).to(torch.int64)
    weight = rows.reshape(layer.groups, len(rows) // layer.groups, -1)
    kernel, stride, pad, shape = layer.weight.shape[-1], layer.stride, layer.pad, layer.shape
    pad_value = torch.zeros(source.shape[0], dtype=torch.int64)
    if isinstance(source, IntInput):
        pad_value = _int64(source.pad_value)

    def run(values: Values) -> Tensor:
        x = values[layer.x].to(dtype)
        windows = unfold(x, kernel, stride, pad, pad_value)
        total = weight @ windows.reshape(len(x), len(weight), -1, windows.shape[-1])
        return total.view(len(x), *shape).to(torch.int64)

    return run


def _int64(array: IntArray) -> Tensor:
    return torch.as_tensor(np.asarray(array, np.int64))


def _residual(values: Values, layer: IntConv | IntEltwise, shift: Tensor | int) -> Tensor | int:
    """The residual term of the sum that is requantized, in units of ``2**-shift``."""
    if layer.residual is None:
        return 0
    scaled = values[layer.residual].to(torch.int64) * layer.res_mult
    return scaled << (shift - SHIFT_MIN)


def _conv(layer: IntConv, weighted: Operator) -> Operator:
    def column(array: IntArray) -> Tensor:
        return _int64(array).view(-1, 1, 1)

    bias, masked_bias = column(layer.bias), column(layer.masked_bias)
    mult, shift = column(layer.mult), column(layer.shift)

    def run(values: Values) -> Tensor:
        acc = weighted(values).add_(bias)
        if layer.mask is not None:
            active = values[layer.mask].to(torch.bool)[:, :, None, None]
            acc = torch.where(active, acc, masked_bias)
        return requantize(acc.mul_(mult) + _residual(values, layer, shift), shift, layer.signed)

    return run


def _eltwise(layer: IntEltwise, values: Values) -> Tensor:
    acc = values[layer.x].to(torch.int64)
    if layer.mask is not None:
        mask = values[layer.mask].to(torch.int64)
        acc = acc * mask.view(mask.shape + (1,) * (acc.dim() - 2))
    total = acc * layer.mult + _residual(values, layer, layer.shift)
    return requantize(total, layer.shift, layer.signed)


def _max_pool(layer: IntPool, values: Values) -> Tensor:
    """Maximum over the valid pixels: PyTorch pads with minus infinity, and float32 holds 8 bits."""
    x = values[layer.x].to(torch.float32)
    return F.max_pool2d(x, layer.kernel, layer.stride, layer.pad).to(torch.int16)


def _avg_pool(layer: IntPool, values: Values) -> Tensor:
    x = values[layer.x].to(torch.float32)
    zeros = torch.zeros(x.shape[1], dtype=torch.int64)
    windows = unfold(x, layer.kernel, layer.stride, layer.pad, zeros).to(torch.int64)
    total = windows.sum(dim=2).view(len(x), *layer.shape)
    return requantize(total * layer.mult, layer.shift, layer.signed)


def _global_avg(layer: IntGlobalAvg, values: Values) -> Tensor:
    total = values[layer.x].sum(dim=(2, 3), dtype=torch.int64)
    return requantize(total * layer.mult, layer.shift, layer.signed)


def _scale(layer: IntScale, values: Values) -> Tensor:
    vector = values[layer.vector].to(torch.int64)[:, :, None, None]
    product = values[layer.x].to(torch.int64) * vector
    return requantize(product * layer.mult, layer.shift, layer.signed)


def _gate(layer: IntGate, weighted: Operator) -> Operator:
    bias = _int64(layer.bias)
    return lambda values: weighted(values) + bias


def _linear(layer: IntLinear, weighted: Operator) -> Operator:
    bias, mult, shift = _int64(layer.bias), _int64(layer.mult), _int64(layer.shift)
    table = torch.as_tensor(SIGMOID_TABLE.astype(np.int16))

    def run(values: Values) -> Tensor:
        acc = weighted(values) + bias
        if layer.sigmoid:
            argument = requantize(acc * mult, shift, signed=True)
            return table[argument.to(torch.int64) + 128]
        return requantize(acc * mult, shift, layer.signed)

    return run


def _logits(layer: IntLogits, weighted: Operator) -> Operator:
    bias, mult, shift = _int64(layer.bias), _int64(layer.mult), _int64(layer.shift)
    return lambda values: round_shift((weighted(values) + bias) * mult, shift).to(torch.int32)
