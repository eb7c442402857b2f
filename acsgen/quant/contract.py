"""What an integer graph must satisfy so that no executor overflows: the contract, checked.

The golden model refuses a graph that breaks it, and the quantizer never makes one.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike

from acsgen.ir.integer import (
    INT32_MAX,
    INT32_MIN,
    IntConv,
    IntEltwise,
    IntGate,
    IntGlobalAvg,
    IntGraph,
    IntLayer,
    IntLinear,
    IntLogits,
    IntPool,
    IntScale,
)
from acsgen.isa.generated import MULT_MAX, SHIFT_MAX, SHIFT_MIN
from acsgen.quant.arithmetic import largest_partial_sum

WEIGHT_MAX = 127


def violations(graph: IntGraph) -> list[str]:
    """Every way in which ``graph`` leaves the ranges of :mod:`acsgen.ir.integer`, in words.

    Accumulators are bounded for every possible input: ``|bias|`` plus the largest partial sum of
    products must stay below 2^31.
    """
    signed = {layer.name: layer.signed for layer in graph}
    return [f"{layer.name}: {text}" for layer in graph for text in _of_layer(layer, signed)]


def _of_layer(layer: IntLayer, signed: dict[str, bool]) -> Iterable[str]:
    if isinstance(layer, (IntConv, IntLinear, IntLogits, IntGate)):
        yield from _outside("weight", layer.weight, -WEIGHT_MAX, WEIGHT_MAX)
        reach = largest_partial_sum(layer.weight, signed[layer.x]) + np.abs(
            layer.bias.astype(np.int64)
        )
        if reach.max(initial=0) > INT32_MAX:
            channel = int(reach.argmax())
            yield f"accumulator of output {channel} can reach {reach[channel]}, beyond int32"
    if isinstance(layer, IntConv):
        yield from _outside("masked_bias", layer.masked_bias, INT32_MIN, INT32_MAX)
    if isinstance(layer, IntGate):
        yield from _outside("threshold", layer.threshold, INT32_MIN, INT32_MAX)
    if isinstance(layer, (IntConv, IntEltwise)):
        yield from _outside("res_mult", layer.res_mult, 0, MULT_MAX)
    takes_constants = (IntConv, IntEltwise, IntGlobalAvg, IntScale, IntLinear, IntLogits)
    if isinstance(layer, takes_constants) or (isinstance(layer, IntPool) and layer.mode == "avg"):
        yield from _outside("mult", layer.mult, 0, MULT_MAX)
        yield from _outside("shift", layer.shift, SHIFT_MIN, SHIFT_MAX)


def _outside(what: str, values: ArrayLike, low: int, high: int) -> Iterable[str]:
    array = np.asarray(values)
    if array.size and (array.min() < low or array.max() > high):
        yield f"{what} in {array.min()}..{array.max()}, allowed {low}..{high}"
