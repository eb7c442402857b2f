"""A pool of large windows or steps is several small ones, one behind the other.

* Where kernel and stride have a common factor, windows of this factor that do not overlap go
  first: a pool of 8 is three of 2. This holds for averages, too.
* A maximum over a large window is one over smaller windows, which overlap.
* Of a stride of 4 every second result of stride 2 is taken.
"""

from __future__ import annotations

from dataclasses import replace
from math import gcd
from typing import Literal

from acsgen.frontend.opgraph import Op, OpGraph, Pool
from acsgen.frontend.passes.base import Pass, fresh
from acsgen.isa.generated import MAX_KERNEL, MAX_STRIDE

_MAX: Literal["max"] = "max"


def _run(graph: OpGraph) -> OpGraph:
    changes: dict[str, tuple[Op, ...]] = {}
    for op in graph.ops:
        if isinstance(op, Pool):
            steps = _steps(op)
            if len(steps) > 1:
                changes[op.name] = _chain(graph, op, steps)
    return graph.replaced(changes)


def _steps(pool: Pool) -> list[Pool]:
    """Pools, without sizes yet, that are the pool one behind the other; itself if it stays."""
    kernel, stride, pad = pool.kernel, pool.stride, pool.pad
    common = gcd(kernel, stride)
    factor = next((f for f in range(2, MAX_KERNEL + 1) if common % f == 0), 0)
    large = kernel > MAX_KERNEL or stride == kernel == 2 * MAX_STRIDE
    if large and factor and not pad and common < kernel * 2 and kernel > factor:
        first = replace(pool, kernel=factor, stride=factor)
        return [first, *_steps(replace(pool, kernel=kernel // factor, stride=stride // factor))]
    if kernel > MAX_KERNEL and pool.mode == _MAX:
        inside = min(pad, MAX_KERNEL // 2)
        first = replace(pool, kernel=MAX_KERNEL, stride=1, pad=inside)
        rest = replace(pool, kernel=kernel - MAX_KERNEL + 1, pad=pad - inside)
        return [first, *_steps(rest)]
    if kernel <= MAX_KERNEL and stride > MAX_STRIDE and stride % (2 * MAX_STRIDE) == 0:
        # One pixel is its own maximum.
        rest = replace(pool, mode=_MAX, kernel=1, stride=stride // MAX_STRIDE, pad=0)
        return [replace(pool, stride=MAX_STRIDE), *_steps(rest)]
    return [pool]


def _chain(graph: OpGraph, op: Pool, steps: list[Pool]) -> tuple[Op, ...]:
    ops: list[Op] = []
    x, (channels, *sizes) = op.x, graph.by_name()[op.x].shape
    for number, step in enumerate(steps):
        sizes = [(size + 2 * step.pad - step.kernel) // step.stride + 1 for size in sizes]
        last = number == len(steps) - 1
        name = op.name if last else fresh(graph, f"{op.name}.step{number}")
        node, shape = op.node if last else "", (channels, *sizes)
        ops.append(replace(step, name=name, node=node, shape=shape, x=x))
        x = name
    return tuple(ops)


PASS = Pass(
    "split-pools", "a pool of stride 4 or 8, or of a large kernel, becomes several small ones", _run
)
