"""Inputs that can be built and are probably a mistake: a warning says so."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from acsgen.data.remedies import labels_beyond
from acsgen.frontend.passes.constants import PREFIX
from acsgen.ir.layers import LayerGraph


def warn_of_doubts(
    layers: LayerGraph,
    source: str,
    calibration: NDArray[np.uint8],
    test: NDArray[np.uint8],
    labels: NDArray[np.int64] | None,
) -> None:
    """Warn of labels, images and weights that cannot be meant.

    Args:
        layers: the network.
        source: name of the data set.
        calibration: its images uint8 ``[N, C, H, W]`` that ranges are measured on.
        test: those that accuracy is measured on, likewise.
        labels: of ``test``; None where there are none.

    Warns:
        UserWarning: one for each doubt.
    """
    doubts = (
        *_of_labels(layers, source, labels),
        *_of_pixels(source, "calibration", calibration, "ranges cannot be measured on them"),
        *_of_pixels(source, "test", test, "no test"),
        *_of_weights(layers),
    )
    for doubt in doubts:
        warnings.warn(doubt, stacklevel=2)


def _of_labels(layers: LayerGraph, source: str, labels: NDArray[np.int64] | None) -> Iterator[str]:
    classes = layers[layers.outputs[-1]].shape[0]
    if classes == 1:
        yield (
            "the network has one class, so that every prediction is 0: accuracy and agreement say "
            "nothing"
        )
    if labels is None:
        return
    if labels.max() >= classes:
        yield labels_beyond(labels, classes, source)
    if len(labels) > 1 and len(np.unique(labels)) == 1:
        yield f"all images of {source} have the label {labels[0]}"


def _of_pixels(source: str, name: str, pixels: NDArray[np.uint8], therefore: str) -> Iterator[str]:
    lowest, highest = int(pixels.min()), int(pixels.max())
    if lowest == highest:
        yield f"all pixels of the {name} images of {source} are {lowest}: {therefore}"


def _of_weights(layers: LayerGraph) -> Iterator[str]:
    for layer in layers:
        if layer.name.startswith(PREFIX):
            continue  # It makes constants, and has its bias alone.
        for field in fields(layer):
            value = getattr(layer, field.name)
            if field.name == "weight" and isinstance(value, np.ndarray) and not np.any(value):
                yield f"{layer.where}: all weights are zero"
