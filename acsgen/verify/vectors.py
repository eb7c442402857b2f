"""Golden vectors of a build: its images, and the result of every layer on them.

``images.bin`` and ``expected.bin`` hold words that cross the bus, for the test bench of the HLS
project and the driver.  ``golden.npz`` holds the same images and the golden model's result of every
layer, so that a build is checked again without the network it came from:

* ``images`` uint8 ``[N, C, H, W]``;
* ``output0``, ``output1``, ... int32 ``[N, classes]``, in the order of the program's outputs;
* ``mask0``, ``mask1``, ... uint8 ``[N, channels]``, in the order of the program's gates;
* ``layer0``, ``layer1``, ... int8 or uint8 ``[N, *shape]``, in the order of its traces;
* ``decision.NAME`` uint8 and ``sum.NAME`` int32 ``[N, 1]``: what the entropy NAME in front of an
  exit decided, and what it compared with its threshold;
* ``ran.NAME`` bool ``[N]``: whether layer NAME ran for each image, where it does not always run.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar, cast

import numpy as np
from acsgen_host.words import as_bytes, pack_image
from numpy.typing import NDArray

from acsgen.ir.results import GoldenResult
from acsgen.program.program import Program, Trace
from acsgen.support.archives import read_arrays
from acsgen.support.errors import Problem, UserError
from acsgen.verify.compare import expected_words

IMAGES_FILE = "images.bin"
EXPECTED_FILE = "expected.bin"
GOLDEN_FILE = "golden.npz"
#: Begins the names of arrays that say for which images a layer ran.
RAN = "ran."

#: Begins the names of arrays with decisions in front of exits.
DECISION = "decision."

#: Begins the names of arrays with what was compared for them.
SUM = "sum."

VECTOR_FILES = (IMAGES_FILE, EXPECTED_FILE, GOLDEN_FILE)


@dataclass(frozen=True)
class Vectors:
    """Images uint8 ``[N, C, H, W]`` and the golden model's results on them."""

    images: NDArray[np.uint8] = field(repr=False)
    golden: GoldenResult = field(repr=False)

    def head(self, count: int) -> Vectors:
        """Return the first ``count`` images with their results."""
        return Vectors(self.images[:count], self.golden.head(count))


def save_vectors(folder: Path, program: Program, vectors: Vectors) -> None:
    """Write the three files into ``folder``, which must exist."""
    images, golden = vectors.images, vectors.golden
    packed = np.concatenate([pack_image(image) for image in images])
    expected = np.concatenate([expected_words(program, golden, i) for i in range(len(images))])
    (folder / IMAGES_FILE).write_bytes(as_bytes(packed).tobytes())
    (folder / EXPECTED_FILE).write_bytes(as_bytes(expected).tobytes())
    arrays: dict[str, NDArray[np.generic]] = {"images": images}
    for index, output in enumerate(program.outputs):
        arrays[f"output{index}"] = golden.outputs[output.name]
    for index, gate in enumerate(program.gates):
        arrays[f"mask{index}"] = golden.masks[gate.name]
    for name, bits in golden.decisions.items():
        arrays[DECISION + name] = bits
    for name, sums in golden.sums.items():
        arrays[SUM + name] = sums
    for index, trace in enumerate(program.traces):
        stored = np.int8 if trace.signed else np.uint8
        arrays[f"layer{index}"] = golden.values[trace.layer].astype(stored)
    for name, ran in golden.ran.items():
        arrays[RAN + name] = ran
    np.savez_compressed(folder / GOLDEN_FILE, **arrays)  # type: ignore[arg-type]


def load_vectors(folder: Path, program: Program) -> Vectors:
    """Return the vectors saved in ``folder`` for ``program``.

    Raises :class:`UserError` if they are damaged or another program's.
    """
    path = folder / GOLDEN_FILE
    image = program.image
    try:
        stored = read_arrays(path)
        images = _array(stored["images"], np.uint8, (image.channels, image.height, image.width))
        outputs = {
            output.name: _array(stored[f"output{index}"], np.int32, (output.classes,))
            for index, output in enumerate(program.outputs)
        }
        masks = {
            gate.name: _array(stored[f"mask{index}"], np.uint8, (gate.channels,))
            for index, gate in enumerate(program.gates)
        }
        layers = {
            trace.layer: _layer(stored[f"layer{index}"], trace)
            for index, trace in enumerate(program.traces)
        }
        ran = {
            key[len(RAN) :]: _array(stored[key], np.bool_, ())
            for key in stored
            if key.startswith(RAN)
        }
        deciders = [exit.decision for exit in program.exits if exit.decision]
        decisions = {name: _array(stored[DECISION + name], np.uint8, (1,)) for name in deciders}
        sums = {name: _array(stored[SUM + name], np.int32, (1,)) for name in deciders}
        results: list[NDArray[np.generic]] = [
            *(
                array
                for part in (outputs, masks, layers, ran, decisions, sums)
                for array in part.values()
            )
        ]
        if {len(result) for result in results} != {len(images)}:
            raise ValueError("not as many results as images")
        if not len(images):
            raise ValueError("no images")
    except (OSError, LookupError, ValueError) as error:
        raise UserError(
            Problem(str(path), f"does not hold this program's vectors: {error}", "build it again")
        ) from error
    values: dict[str, NDArray[np.generic]] = {**layers, **masks, **outputs}
    return Vectors(images, GoldenResult(values, outputs, masks, ran, decisions, sums))


_Scalar = TypeVar("_Scalar", bound=np.generic)


def _array(
    stored: NDArray[np.generic], dtype: type[_Scalar], shape: tuple[int, ...]
) -> NDArray[_Scalar]:
    """Return ``stored`` after a check that it holds N results of ``shape``."""
    if stored.dtype != dtype or not stored.ndim or stored.shape[1:] != shape:
        wanted = f"{np.dtype(dtype)} [N, {', '.join(map(str, shape))}]"
        raise ValueError(f"{stored.dtype} {list(stored.shape)} in place of {wanted}")
    return cast("NDArray[_Scalar]", stored)


def _layer(stored: NDArray[np.generic], trace: Trace) -> NDArray[np.int16]:
    if trace.signed:
        return _array(stored, np.int8, trace.shape).astype(np.int16)
    return _array(stored, np.uint8, trace.shape).astype(np.int16)
