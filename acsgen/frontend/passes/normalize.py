"""Passes around the image: absorb its normalization, copy it where no convolution reads it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from acsgen.frontend.opgraph import Affine, Array, Conv, Image, Op, OpGraph, reading

_FLOAT_RANGE_LIMIT = 0.5


def normalize_image(graph: OpGraph, takes_floats: bool) -> tuple[OpGraph, float]:
    """Turn the affine steps between the image and the rest of the network into the Image's own.

    Args:
        graph: with an Image that passes pixels on unchanged.
        takes_floats: the network's input has a floating-point type.

    Returns:
        The new graph, and what a byte is multiplied with to make the network's input
        (:func:`pixel_scale`).
    """
    image, scale, offset, absorbed = _leading_affine(graph)
    factor = pixel_scale(scale) if takes_floats else 1.0
    node = absorbed[-1].node if absorbed else image.node
    normalized = replace(image, node=node, scale=scale * factor, offset=offset)
    renamed = {op.name: image.name for op in absorbed}
    ops = [
        normalized if op is image else reading(op, renamed)
        for op in graph.ops
        if op.name not in renamed
    ]
    outputs = tuple(renamed.get(name, name) for name in graph.outputs)
    return OpGraph(graph.name, tuple(ops), outputs), factor


def pixel_scale(scale: Array) -> float:
    """The convention for a network whose input is floating point: 1/255 or 1.

    ``scale`` is what the network itself multiplies its input with.  By torchvision's convention
    (ToTensor) such networks take pixels in 0..1, and a normalization, if there is one, divides by a
    standard deviation below 1.  Only a network that scales down by 2 or more (it divides by 255)
    was made for pixels in 0..255.
    """
    return 1.0 if bool((np.abs(scale) < _FLOAT_RANGE_LIMIT).all()) else 1.0 / 255.0


def _leading_affine(graph: OpGraph) -> tuple[Image, Array, Array, list[Affine]]:
    """The Image, and the chain of affine steps that is the only reader of it and of one another."""
    image = graph.ops[0]
    assert isinstance(image, Image)
    scale, offset = image.scale, image.offset
    chain: list[Affine] = []
    last = image.name
    while last not in graph.outputs:
        readers = [op for op in graph.ops if last in op.inputs]
        if len(readers) != 1 or not isinstance(readers[0], Affine):
            break
        step = readers[0]
        scale, offset = scale * step.scale, offset * step.scale + step.offset
        chain.append(step)
        last = step.name
    return image, scale, offset, chain


def copy_image(graph: OpGraph) -> OpGraph:
    """Insert an identity convolution for the readers of the image that are no convolutions.

    The engine stores the image un-normalized; only a convolution undoes that.
    """
    image = graph.ops[0]
    others = {op.name for op in graph.ops if image.name in op.inputs and not isinstance(op, Conv)}
    if not others:
        return graph
    channels = image.shape[0]
    taken = {op.name for op in graph.ops}
    name = next(n for n in (f"{image.name}.copy{'_' * i}" for i in range(9)) if n not in taken)
    copy = depthwise(
        Op(name, image.node, image.where, image.shape),
        image.name,
        np.ones(channels),
        np.zeros(channels),
    )
    ops: list[Op] = [image, copy]
    ops += [reading(op, {image.name: name}) if op.name in others else op for op in graph.ops[1:]]
    return OpGraph(graph.name, tuple(ops), graph.outputs)


def depthwise(place: Op, x: str, scale: Array, offset: Array) -> Conv:
    """A 1x1 depthwise convolution that computes ``x * scale + offset``, named as ``place``."""
    channels = scale.shape[0]
    return Conv(
        name=place.name,
        node=place.node,
        where=place.where,
        shape=place.shape,
        x=x,
        weight=scale.reshape(channels, 1, 1, 1),
        bias=offset,
        stride=1,
        pad=0,
        groups=channels,
    )
