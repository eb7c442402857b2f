"""Families: the results whose channels' scales keep the same ratios, and the layers that read them.

Layers with one multiplier (averages, sums of two maps) keep the ratios of the scales of what they
read.  Layers with a multiplier for each channel are free to choose them: they are the *roots*.  A
sum of two maps binds the roots of both, which then choose alike.  A concatenation of maps or of
vectors binds nothing: the layers behind it read their family as a part of their inputs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from acsgen.ir.kinds.join import Join
from acsgen.ir.layers import Concat, Conv, Eltwise, Layer, LayerGraph, Linear
from acsgen.quant.kinds import kind_of

Floats = NDArray[np.float64]

#: A result, and the first of its channels that are meant: others are behind a concatenation.
Key = tuple[str, int]


@dataclass
class Member:
    """A result of a family, or the part of it that its family fills.

    Attributes:
        reach: largest magnitudes by channel, ``(C,)``.
        levels: the largest integer.
        clip: the real value that it saturates at, if its network says so.
        sources: the members that it keeps the ratios of, and the share of the error of each in it.
        readers: the layers that take its scales into their weights, and the variances of their sums
            ``(O,)``; they have only the weights that meet the member.
    """

    reach: Floats
    levels: int
    clip: float | None
    sources: list[tuple[Key, float]]
    readers: list[tuple[Layer, Floats]] = field(default_factory=list)


@dataclass(frozen=True)
class Statistics:
    """What is known of a network's results.

    Attributes:
        reaches: largest magnitudes of every map and vector, by channel, room included.
        variances: of the weighted sums of every layer with weights, by output, over images and
            pixels.
        levels: the largest integer, by sign.
        weight_max: the largest magnitude of an integer weight.
    """

    reaches: Mapping[str, Floats]
    variances: Mapping[str, Floats]
    levels: Mapping[bool, int]
    weight_max: int


def roots_of(graph: LayerGraph, layer: Layer) -> list[Layer] | None:
    """The layers that choose their scales together with ``layer``, itself included, in execution
    order; None if one of the maps that are added up cannot choose."""
    bound = _bound(graph, layer)
    if not any(_is_sum(other) for other in bound):
        return [layer]
    # A clip is the top of the range of all channels, and fits no ratios.
    sources = [other for other in bound if len(_tied(other)) == 1]
    if all(_is_root(source) and _clip(source) is None for source in sources):
        return sources
    return None


def is_bound(graph: LayerGraph, layer: Layer) -> bool:
    """Whether a sum of two maps needs the ratios of a layer's scales as they are."""
    return any(_is_sum(other) for other in _bound(graph, layer))


def _bound(graph: LayerGraph, layer: Layer) -> list[Layer]:
    """The layers whose scales have the same ratios, in execution order."""
    names = {layer.name}
    while more := {name for tied in map(_tied, graph) if names & tied for name in tied} - names:
        names |= more
    return [other for other in graph if other.name in names]


def family_of(graph: LayerGraph, roots: list[Layer], known: Statistics) -> dict[Key, Member] | None:
    """The results that share the ratios of the roots' scales, in execution order; None if a layer
    reads one of them that cannot take in scales that differ."""
    channels = roots[0].shape[0]
    if any(root.shape[0] != channels for root in roots):
        return None
    signs: dict[Key, bool] = {}
    family: dict[Key, Member] = {}

    def add(
        key: Key, layer: Layer, reach: Floats, signed: bool, *sources: tuple[Key, float]
    ) -> None:
        signs[key] = signed
        family[key] = Member(reach, known.levels[signed], _clip(layer), list(sources))

    chosen = {root.name for root in roots}
    for layer in graph:
        if layer.name in chosen:
            add((layer.name, 0), layer, known.reaches[layer.name], _own_sign(layer))
        if isinstance(layer, (Concat, Join)):
            start = 0
            for name in layer.inputs:
                for key in [key for key in family if key[0] == name]:
                    part = family[key]
                    add((layer.name, start + key[1]), layer, part.reach, signs[key], (key, 1.0))
                start += graph[name].shape[0]
            continue
        read = [key for key in family if key[0] in layer.inputs and key[0] != layer.name]
        sources: list[tuple[Key, float]] = []
        for key in read:
            fields = [name for name in layer.READS if getattr(layer, name) == key[0]]
            if kind_of(layer).sums is not None and "x" in fields:
                family[key].readers += _meeting(layer, graph[key[0]], key[1], family[key], known)
                fields.remove("x")
            for name in fields:
                share = _share(layer, name, graph[key[0]])
                if share is None:
                    return None
                sources.append((key, share))
        for start in sorted({key[1] for key, _ in sources}):
            parts = [(key, share) for key, share in sources if key[1] == start]
            ratio = layer.shape[0] // graph[parts[0][0][0]].shape[0]
            size = len(family[parts[0][0]].reach) * ratio
            whole = known.reaches[layer.name]
            signed = any(signs[key] for key, _ in parts) or isinstance(layer, Conv)
            signed = signed and not getattr(layer, "relu", False)
            reach = whole[start * ratio : start * ratio + size]
            add((layer.name, start * ratio), layer, reach, signed, *parts)
    return family


def _tied(layer: Layer) -> set[str]:
    """The results that have scales of the same ratios because of a layer, its own included."""
    if isinstance(layer, Conv | Eltwise) and layer.residual is not None:
        return {layer.name, layer.residual} | ({layer.x} if isinstance(layer, Eltwise) else set())
    if kind_of(layer).sums is not None or "x" not in layer.READS:
        return {layer.name}
    return {layer.name, layer.x}  # type: ignore[attr-defined]


def _is_sum(layer: Layer) -> bool:
    """Whether it adds two results that were scaled before."""
    return isinstance(layer, Eltwise) and layer.residual not in (None, layer.x)


def _is_root(layer: Layer) -> bool:
    if isinstance(layer, Linear):
        return layer.activation != "sigmoid"
    return isinstance(layer, Conv) and layer.residual is None


def _own_sign(layer: Layer) -> bool:
    if isinstance(layer, Linear):
        return layer.activation == "none"
    return not getattr(layer, "relu", False)


def _clip(layer: Layer) -> float | None:
    clip: float | None = getattr(layer, "clip", None)
    return clip


def _share(layer: Layer, read_as: str, source: Layer) -> float | None:
    """The share of the variance of a source's error in a layer's result; None where its scales have
    to be equal."""
    if read_as == "residual" or (read_as == "x" and _is_sum(layer)):
        return 1.0
    return kind_of(layer).passes_error(layer, source) if read_as == "x" else None


def _meeting(
    layer: Layer, source: Layer, start: int, member: Member, known: Statistics
) -> Iterator[tuple[Layer, Floats]]:
    """A reader with the weights that meet a member, and the variances of its sums; nothing where
    groups do not end where the member does."""
    variance = known.variances[layer.name]
    inputs, size = source.shape[0], len(member.reach)
    if size == inputs:
        yield layer, variance
        return
    weight = np.asarray(layer.weight)  # type: ignore[attr-defined]
    groups = getattr(layer, "groups", 1)
    if groups == 1:
        met = weight[:, start : start + size]
        yield replace(layer, weight=met), variance  # type: ignore[call-arg]
        return
    width = inputs // groups
    if start % width == 0 and size % width == 0:
        each = len(weight) // groups
        outs = slice(start // width * each, (start + size) // width * each)
        part = replace(layer, weight=weight[outs], groups=size // width)  # type: ignore[call-arg]
        yield part, variance[outs]
