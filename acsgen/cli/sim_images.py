"""``acsgen sim --images FILE``, ``--alpha``: other images, or other thresholds of gates.

A build has golden results for its own images and its own masks only, so that nothing is compared
here: the engine's own predictions and counters are shown.
"""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from acsgen_host.files import check_regular
from numpy.typing import NDArray

from acsgen.data.npz import label_problems
from acsgen.data.remedies import labels_beyond, remedy_for_images
from acsgen.support.archives import read_arrays
from acsgen.support.errors import Problem, UserError

if TYPE_CHECKING:
    from acsgen.engines.base import Engine
    from acsgen.program.words import Words
    from acsgen.verify.builddir import BuildDirectory


@dataclass(frozen=True)
class FreeRun:
    """The engine's outcome for one image: its class, and the words of its result header."""

    prediction: int
    counters: dict[str, int]


def read_images(path: Path, shape: tuple[int, ...]) -> tuple[NDArray[np.uint8], Any]:
    """Return images uint8 ``[N, *shape]`` and labels ``[N]``, or None, of an .npz or .npy file.

    Raises:
        UserError: the file cannot be read, or its images are others than the network takes.
    """
    try:
        check_regular(path)
        if zipfile.is_zipfile(path):
            arrays = read_arrays(path, ("images", "labels"))
            if "images" not in arrays:
                raise ValueError("it has no array images")
            images, labels = arrays["images"], arrays.get("labels")
        else:
            images, labels = np.load(path, allow_pickle=False), None
    except Exception as error:  # on a damaged file the parsers raise exceptions of any type
        remedy = "write it with numpy.savez(path, images=uint8 [N, C, H, W])"
        raise UserError(Problem(str(path), f"cannot be read as images: {error}", remedy)) from None
    if images.shape == shape:
        images = images[None]
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1:] != shape or not len(images):
        found = f"{images.dtype} {list(images.shape)}"
        wanted = f"uint8 [N, {', '.join(map(str, shape))}]"
        remedy = f"the build takes {wanted}"
        fix = remedy_for_images(images, shape)
        raise UserError(Problem(str(path), f"holds {found}", f"{remedy}; {fix}" if fix else remedy))
    problems = [] if labels is None else label_problems(labels, len(images), str(path))
    if problems:
        raise UserError(problems)
    return images, labels


def accuracy_of(
    predictions: Sequence[int],
    labels: NDArray[np.integer[Any]] | None,
    classes: int,
    source: str,
) -> float | None:
    """Return the share of right predictions; None without labels.

    Warns of labels that no prediction can have.
    """
    if labels is None:
        return None
    if labels.max() >= classes:
        warnings.warn(labels_beyond(labels, classes, source), stacklevel=2)
    return float(np.mean(np.asarray(predictions) == labels))


def run_free(
    build: BuildDirectory,
    engine: Engine,
    images: NDArray[np.uint8],
    alpha: float | None,
    params: Words,
    words: Words,
    on_image: Callable[[int], None],
) -> list[FreeRun]:
    """Run images on an engine, with the thresholds of one alpha if it is given.

    Args:
        build: the build.
        engine: where to run them.
        images: uint8 ``[N, C, H, W]``.
        alpha: of all gates; None leaves them as built.
        params: parameter buffer, with the thresholds of exits.
        words: program buffer, with the limits of exits.
        on_image: called with the number of images done.
    """
    from acsgen_host import Bundle, thresholds
    from acsgen_host.result import decode
    from acsgen_host.words import pack_image

    bundle = Bundle.load(build.path)
    params = np.array(params)
    if alpha is not None:
        for name, integers in thresholds.resolve(bundle.gates, alpha).items():
            gate = bundle.gates[name]
            start, packed = gate.threshold_address, thresholds.pack_gate(gate, integers)
            params[start : start + len(packed)] = packed
    program = build.program
    found = []
    for index, image in enumerate(images):
        run = engine.run(words, params, pack_image(image), program.result_words)
        result = decode(bundle, run.result, 0.0)
        found.append(FreeRun(int(result.prediction), run.counters))
        on_image(index + 1)
    return found
