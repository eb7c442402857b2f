"""Inputs that can be built and are probably a mistake: a warning says so."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import fields

import numpy as np

from acsgen.flow.build.images import BuildImages
from acsgen.ir.layers import LayerGraph


def warn_of_doubts(layers: LayerGraph, images: BuildImages) -> None:
    """Warn of labels, images and weights that cannot be meant.

    Warns:
        UserWarning: one for each doubt.
    """
    for doubt in (*_of_labels(layers, images), *_of_images(images), *_of_weights(layers)):
        warnings.warn(doubt, stacklevel=2)


def _of_labels(layers: LayerGraph, images: BuildImages) -> Iterator[str]:
    classes = layers[layers.outputs[-1]].shape[0]
    if classes == 1:
        yield (
            "the network has one class, so that every prediction is 0: accuracy and agreement say "
            "nothing"
        )
    if images.labels is None:
        return
    beyond = int(np.sum(images.labels >= classes))
    if beyond:
        yield (
            f"{beyond} of {len(images.labels)} labels of {images.source} are beyond the network's "
            f"classes, 0 to {classes - 1} (the highest is {images.labels.max()}): they count as "
            "wrong predictions"
        )
    if len(images.labels) > 1 and len(np.unique(images.labels)) == 1:
        yield f"all images of {images.source} have the label {images.labels[0]}"


def _of_images(images: BuildImages) -> Iterator[str]:
    for name, pixels in (("calibration", images.calibration), ("test", images.test)):
        lowest, highest = int(pixels.min()), int(pixels.max())
        if lowest == highest:
            yield (
                f"all pixels of the {name} images of {images.source} are {lowest}: "
                + ("ranges cannot be measured on them" if name == "calibration" else "no test")
            )


def _of_weights(layers: LayerGraph) -> Iterator[str]:
    for layer in layers:
        for field in fields(layer):
            value = getattr(layer, field.name)
            if field.name == "weight" and isinstance(value, np.ndarray) and not np.any(value):
                yield f"{layer.where}: all weights are zero"
