"""The product of a block's one decision and a channel mask becomes one mask.

MGL2S (Wang et al. 2020) decides twice: a layer gate whether a block runs, and where it does, a
channel gate which of its channels. The engine has one mask for a result, so the channel gate has to
be closed where the block does not run. Its logits get a term more: the decision as a vector of ones
or zeros, joined with what the gate reads, weighs so much that without it no channel opens. For
that, what the gate reads has to be zero then: the map that it averages is masked by the decision as
well, and so is what only the masked convolution reads. All of the block, its channel gate included,
is then dead where it does not run (:mod:`.dead_layers`).

Any other product of masks becomes one mask after the other.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

import numpy as np
from acsgen_host.thresholds import logit

from acsgen.frontend.opgraph import (
    Add,
    Affine,
    AndMasks,
    ApplyMask,
    Array,
    ChannelGate,
    Conv,
    GlobalAvg,
    Join,
    Linear,
    Op,
    OpGraph,
    Relu,
)
from acsgen.frontend.passes.base import Pass, fresh
from acsgen.frontend.passes.constants import constant_map, make_pixel

#: Entries of the vector that says whether a block runs: a word of the engine's vector memory.
_COUNT = 8
#: A closed channel's logit lies this far below the threshold, and below that of the second number.
_MARGIN, _LOWEST_THRESHOLD = 3.0, 0.01


def _run(graph: OpGraph) -> OpGraph:
    masks = [op for op in graph.ops if isinstance(op, AndMasks)]
    for mask in reversed(masks):  # A product of three masks is one of a product.
        graph = _closed_with_the_block(graph, mask) or _one_after_the_other(graph, mask)
    return graph


def _one_after_the_other(graph: OpGraph, mask: AndMasks) -> OpGraph:
    changes: dict[str, tuple[Op, ...]] = {}
    for op in graph.ops:
        if isinstance(op, ApplyMask) and op.mask == mask.name:
            first = fresh(graph, f"{op.name}.first")
            changes[op.name] = (
                ApplyMask(first, "", op.where, op.shape, op.x, mask.x),
                ApplyMask(op.name, op.node, op.where, op.shape, first, mask.y),
            )
    return graph.replaced(changes)


@dataclass(frozen=True)
class _Gate:
    """A gate whose logits are a linear layer of the average of a map.

    Attributes:
        gate: the gate.
        average: of the map.
        weight: of the linear layer, ``(C, I)``.
        bias: likewise, ``(C,)``.
        between: names of the operations from the average to the gate.
    """

    gate: ChannelGate
    average: GlobalAvg
    weight: Array
    bias: Array
    between: tuple[str, ...] = field(default=())


def _closed_with_the_block(graph: OpGraph, mask: AndMasks) -> OpGraph | None:
    """The graph with a channel gate that is closed where a decision is; None without such."""
    ops, uses = graph.by_name(), graph.use_counts()
    order = {op.name: place for place, op in enumerate(graph.ops)}
    runs = ops[mask.y]
    found = _linear_gate(ops, uses, mask.x)
    if found is None or mask.shape == (1,):
        return None
    if not isinstance(runs, ChannelGate) or runs.shape != (1,):
        return None
    if order[runs.name] > order[found.average.name] or found.gate.threshold <= 0.0:
        return None
    gate, average = found.gate, found.average
    changes: dict[str, tuple[Op, ...]] = {}

    # What the gate reads, and whether the block runs.
    parts = ("map", "runs", "flag", "joined", "logits")
    names = {part: fresh(graph, f"{gate.name}.{part}") for part in parts}
    before = graph.ops[: order[runs.name]]
    pixel = make_pixel(before, gate.where)
    if pixel is None:
        return None
    lowest = min(logit(gate.threshold), logit(_LOWEST_THRESHOLD)) - _MARGIN
    needed = np.maximum(found.bias - lowest, _MARGIN)
    shares = np.repeat(needed[:, None] / _COUNT, _COUNT, axis=1)
    weight = np.concatenate([found.weight, shares], axis=1)
    place = gate.where
    changes[average.name] = (
        ApplyMask(names["map"], "", average.where, ops[average.x].shape, average.x, runs.name),
        GlobalAvg(average.name, "", average.where, average.shape, names["map"]),
    )
    taken = {op.name for op in graph.ops} | {op.name for op in pixel}
    one = constant_map(np.ones(_COUNT), place, taken)
    shape, width = (_COUNT, 1, 1), average.shape[0] + _COUNT
    changes[gate.name] = (
        *pixel,
        *one,
        ApplyMask(names["runs"], "", place, shape, one[-1].name, runs.name),
        GlobalAvg(names["flag"], "", place, (_COUNT,), names["runs"]),
        Join(names["joined"], "", place, (width,), (average.name, names["flag"])),
        Linear(
            names["logits"],
            "",
            place,
            gate.shape,
            names["joined"],
            weight=weight,
            bias=found.bias - needed,
        ),
        ChannelGate(gate.name, "", place, gate.shape, names["logits"], gate.threshold),
    )
    for op in graph.ops:
        if isinstance(op, ApplyMask) and op.mask == mask.name:
            changes[op.name] = (replace(op, mask=gate.name),)
            for part in _read_alone(ops, uses, op.x):
                # Where the block does not run, no part of it equals the network's own any more.
                unnamed = replace(part, node="")
                changes[part.name] = (unnamed,)
                if isinstance(unnamed, Conv):
                    read = ops[unnamed.x]
                    masked = fresh(graph, f"{part.name}.running")
                    changes[part.name] = (
                        ApplyMask(masked, "", read.where, read.shape, read.name, runs.name),
                        replace(unnamed, x=masked),
                    )
    return graph.replaced(changes)


def _linear_gate(ops: dict[str, Op], uses: Counter[str], name: str) -> _Gate | None:
    gate = ops[name]
    if not isinstance(gate, ChannelGate) or uses[name] != 1:
        return None
    size = gate.shape[0]
    weight, bias, below = np.eye(size), np.zeros(size), ops[gate.x]
    while isinstance(below, (Affine, Linear)) and uses[below.name] == 1:
        step = below.weight if isinstance(below, Linear) else np.diag(below.scale)
        offset = below.bias if isinstance(below, Linear) else below.offset
        weight, bias, below = weight @ step, weight @ offset + bias, ops[below.x]
    if not isinstance(below, GlobalAvg) or uses[below.name] != 1 or uses[below.x] != 1:
        return None
    return _Gate(gate, below, weight, bias)


def _read_alone(ops: dict[str, Op], uses: Counter[str], name: str) -> list[Op]:
    """The operations that make a map that is masked, back to convolutions that alone read a map.

    A map is also made by both terms of a sum: the branch and the shortcut of a block that is masked
    behind its ReLU, as where a shortcut may be negative. It is empty where there is no such
    convolution.
    """
    op = ops[name]
    if uses[name] != 1:
        return []
    if isinstance(op, Conv):
        return [op] if uses[op.x] == 1 else []
    terms = op.inputs if isinstance(op, (Add, Affine, Relu)) else ()
    behind = [part for term in terms for part in _read_alone(ops, uses, term)]
    return [*behind, op] if behind else []


PASS = Pass(
    "join-masks",
    "a channel mask times a block's decision becomes a channel mask that is closed with the block",
    _run,
)
