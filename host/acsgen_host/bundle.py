"""A bundle: the folder that ``acsgen build`` writes, as far as the board needs it.

``program/`` has the words that the engine reads and ``program.json``, which describes them;
``vectors/`` has images and the results that the engine must give for them; ``manifest.json`` has
the digests of all.  Everything is checked on loading, so that a file that was cut off on its way to
the board is not taken for a network.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from . import isa, words
from .arguments import path_of
from .budget import BudgetProfile
from .digests import damaged_files
from .errors import BundleError, Problem
from .exits import BundleExit
from .files import read_file
from .jsontext import load_json

#: Has the digests of all files; its layout is that of the whole directory.
MANIFEST = "manifest.json"
FORMAT = 2

#: The description first, then the words of the program and of the parameters.
PROGRAM_FILES = ("program/program.json", "program/program.bin", "program/params.bin")

#: Packed images, and the result buffers behind the header.
VECTOR_FILES = ("vectors/images.bin", "vectors/expected.bin")

#: Classes of the images, where the build knew them.
LABELS_FILE = "vectors/labels.npy"

#: Made on the board by a measurement; not there before.
BUDGET_FILE = "program/budget.json"

COPY_AGAIN = "copy the whole build directory again, or build it again"


class BundleOutput(NamedTuple):
    """A result that leaves the network: ``classes`` int32 from word ``address`` of the result."""

    name: str
    classes: int
    address: int

    @property
    def words(self) -> int:
        """Words that it takes, two values to a word."""
        return words.words_for(self.classes, 32)


class BundleGate(NamedTuple):
    """A gate of a bundle: the places of its thresholds and its mask, the unit of its accumulator.

    Addresses count 64-bit words: of the parameter buffer, and of the result buffer.
    ``acc_scale`` ``(channels,)`` is the real value of one accumulator unit.  ``order``
    ``(channels,)`` has the channel of each bit of the mask and of each threshold, as they lie in
    memory: the engine keeps channels together that are mostly used together.
    """

    name: str
    channels: int
    threshold_address: int
    mask_address: int
    alpha: float
    acc_scale: np.ndarray
    order: np.ndarray

    @property
    def threshold_words(self) -> int:
        """Words that the thresholds take, two to a word."""
        return words.words_for(self.channels, 32)

    @property
    def mask_words(self) -> int:
        """Words that the mask takes, 64 channels to a word."""
        return words.words_for(self.channels, 1)


class Vectors(NamedTuple):
    """Images with their true results.

    ``images`` is uint8 ``[N, C, H, W]``; ``expected`` uint64 ``[N, words]``, the result buffer
    behind the header.
    """

    images: np.ndarray
    expected: np.ndarray


class Bundle(NamedTuple):
    """A network for one engine.

    Attributes:
        path: the build directory.
        model: name of the network.
        spec_hash: version of the instruction set.
        lane_groups: of the engine it was compiled for.
        feature_kib: of the same.
        program: uint64 words.
        params: uint64 words, thresholds as trained.
        shape: of an image, (C, H, W).
        outputs: in the order in which they are computed, by name; a run may leave some of them
            out, and the last one that it computes is the network's answer.
        gates: in the order in which they run, by name.
        exits: early exits in the order in which they run, by the output that is the answer there.
        layers: the layer of every instruction.
        result_words: size of the result buffer.
        budget: mean work by strictness, where it was measured.
    """

    path: Path
    model: str
    spec_hash: int
    lane_groups: int
    feature_kib: int
    program: np.ndarray
    params: np.ndarray
    shape: tuple[int, int, int]
    outputs: dict[str, BundleOutput]
    gates: dict[str, BundleGate]
    exits: dict[str, BundleExit]
    layers: tuple[str, ...]
    result_words: int
    budget: BudgetProfile | None

    @property
    def image_words(self) -> int:
        """Words of a packed image: every row is padded to whole words."""
        return words.image_words(self.shape)

    @classmethod
    def load(cls, folder: str | Path) -> Bundle:
        """Read a build directory.

        Raises :class:`BundleError` with everything that is missing or damaged.
        """
        path = path_of(folder, "bundle")
        _check_files(path, PROGRAM_FILES)
        description = path / PROGRAM_FILES[0]
        data = _read_json(description)
        if data.get("spec_hash") != isa.SPEC_HASH:
            found = data.get("spec_hash")
            other = f"{found:#010x}" if isinstance(found, int) else "none"
            raise BundleError(
                Problem(
                    str(path),
                    f"made for instruction set {other}, this driver is for {isa.SPEC_HASH:#010x}",
                    "use the acsgen_host that lies in the build directory, or build it again",
                )
            )
        try:
            bundle = _bundle(cls, path, data)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise _damaged(description, f"does not describe a program: {error}") from error
        _check_ranges(bundle)
        return bundle

    def labels(self) -> np.ndarray | None:
        """Return the classes of the vectors' images, int64 ``[N]``; None where they are not known.

        Raises :class:`BundleError` if the file is damaged.
        """
        path = self.path / LABELS_FILE
        if not path.is_file():
            return None
        try:
            labels = np.load(str(path), allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise _damaged(path, f"cannot be read: {error}") from error
        if labels.shape != (len(self.vectors().images),) or labels.dtype.kind not in "iu":
            raise _damaged(path, "does not have a class for each image")
        return labels.astype(np.int64)  # type: ignore[no-any-return]

    def vectors(self) -> Vectors:
        """Read the golden vectors.

        Raises :class:`BundleError` if they are missing or damaged.
        """
        _check_files(self.path, VECTOR_FILES)
        images, expected = (np.fromfile(str(self.path / n), np.uint8) for n in VECTOR_FILES)
        image_bytes = self.image_words * isa.WORD_BYTES
        expected_bytes = (self.result_words - len(isa.RESULT_HEADER)) * isa.WORD_BYTES
        count, rest = divmod(len(images), image_bytes)
        if rest or not count or len(expected) != count * expected_bytes:
            raise _damaged(
                self.path / VECTOR_FILES[0],
                f"and {VECTOR_FILES[1]} have {len(images)} and {len(expected)} bytes, "
                f"not a multiple of {image_bytes} and {expected_bytes}",
            )
        return Vectors(
            words.unpack_images(images, self.shape),
            expected.view("<u8").astype(np.uint64).reshape(count, -1),
        )


def _read_json(path: Path) -> dict[str, Any]:
    try:
        data = load_json(read_file(path).decode("utf-8"))
    except OSError as error:
        raise BundleError(
            Problem(
                str(path),
                f"cannot be read: {error.strerror}",
                "give the directory that acsgen build wrote",
            )
        ) from error
    except ValueError as error:
        raise _damaged(path, "is not JSON") from error
    if not isinstance(data, dict):
        raise _damaged(path, "does not describe a program")
    return data


def _check_files(path: Path, names: tuple[str, ...]) -> None:
    """Compare sizes and digests of files with those in the manifest."""
    manifest = _read_json(path / MANIFEST)
    files = manifest.get("files")
    if manifest.get("format") != FORMAT or not isinstance(files, dict):
        raise BundleError(
            Problem(
                str(path / MANIFEST),
                f"has layout {manifest.get('format')!r}, this driver reads layout {FORMAT}",
                "use the acsgen_host that lies in the build directory, or build it again",
            )
        )
    problems = damaged_files(path, files, names, COPY_AGAIN)
    if problems:
        raise BundleError(problems)


def _bundle(cls: Any, path: Path, data: dict[str, Any]) -> Bundle:
    image, engine = data["image"], data["engine"]
    program, params = (np.fromfile(str(path / n), "<u8") for n in PROGRAM_FILES[1:])
    gates = [
        BundleGate(
            str(gate["name"]),
            _natural(gate["channels"]),
            _natural(gate["threshold_address"]),
            _natural(gate["mask_address"]),
            float(gate["alpha"]),
            np.asarray(gate["acc_scale"], np.float64),
            np.array([_natural(channel) for channel in gate["order"]], np.int64),
        )
        for gate in data["gates"]
    ]
    outputs = [
        BundleOutput(str(output["name"]), _natural(output["classes"]), _natural(output["address"]))
        for output in data["outputs"]
    ]
    exits = [
        BundleExit(
            str(exit["name"]),
            str(exit["output"]),
            _natural(exit["instruction"]),
            float(exit["threshold"]),
            _natural(exit["threshold_address"]),
            float(exit["acc_scale"]),
            _natural(exit["macs_before"]),
            _natural(exit["macs_after"]),
        )
        for exit in data["exits"]
    ]
    bundle = cls(
        path=path,
        model=str(data["model"]),
        spec_hash=data["spec_hash"],
        lane_groups=_natural(engine["lane_groups"]),
        feature_kib=_natural(engine["feature_kib"]),
        program=program.astype(np.uint64),
        params=params.astype(np.uint64),
        shape=(_natural(image["channels"]), _natural(image["height"]), _natural(image["width"])),
        outputs={output.name: output for output in outputs},
        gates={gate.name: gate for gate in gates},
        exits={exit.output: exit for exit in exits},
        layers=tuple(str(line["layer"]) for line in data["lines"]),
        result_words=_natural(data["result_words"]),
        budget=_budget(path / BUDGET_FILE),
    )
    if len(bundle.gates) != len(gates):
        raise ValueError("two gates of one name")
    if len(bundle.outputs) != len(outputs):
        raise ValueError("two outputs of one name")
    if len(bundle.exits) != len(exits) or not set(bundle.exits) <= set(bundle.outputs):
        raise ValueError("two exits with one answer, or one without")
    return bundle  # type: ignore[no-any-return]


def _budget(path: Path) -> BudgetProfile | None:
    if not path.is_file():
        return None
    try:
        return BudgetProfile.from_json(_read_json(path))
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(path, "does not describe a budget") from error


def _natural(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"not a natural number: {value!r}")
    return value


def _check_ranges(bundle: Bundle) -> None:
    """Check that everything the driver will read and write lies in the buffers."""
    wrong = []
    header = len(isa.RESULT_HEADER)
    for output in bundle.outputs.values():
        if output.address < header or output.address + output.words > bundle.result_words:
            wrong.append(f"the output {output.name} lies outside the result buffer")
        if not output.classes:
            wrong.append(f"the output {output.name} has no classes")
    if 0 in bundle.shape or not bundle.outputs:
        wrong.append("it has no image, or no output")
    if len(bundle.program) != isa.INSTRUCTION_WORDS * len(bundle.layers) or not bundle.layers:
        wrong.append("its program and its list of layers differ in length")
    for gate in bundle.gates.values():
        if gate.acc_scale.shape != (gate.channels,) or not np.all(gate.acc_scale > 0):
            wrong.append(f"{gate.name} has other scales than channels")
        if sorted(gate.order.tolist()) != list(range(gate.channels)):
            wrong.append(f"{gate.name} does not have every channel once in its order")
        if not 0.0 <= gate.alpha <= 1.0:
            wrong.append(f"{gate.name} has an alpha outside [0, 1]")
        if gate.threshold_address + gate.threshold_words > len(bundle.params):
            wrong.append(f"the thresholds of {gate.name} lie outside the parameters")
        if gate.mask_address < header or gate.mask_address + gate.mask_words > bundle.result_words:
            wrong.append(f"the mask of {gate.name} lies outside the result buffer")
    for exit in bundle.exits.values():
        if not 0.0 <= exit.threshold < math.inf or not 0.0 <= exit.acc_scale < math.inf:
            wrong.append(f"the exit {exit.name} has a threshold or a scale that is none")
        if exit.threshold_address >= len(bundle.params) and exit.acc_scale:
            wrong.append(f"the threshold of the exit {exit.name} lies outside the parameters")
        if exit.instruction >= len(bundle.layers):
            wrong.append(f"the exit {exit.name} lies outside the program")
    if wrong:
        where = str(bundle.path / PROGRAM_FILES[0])
        raise BundleError([Problem(where, what, COPY_AGAIN) for what in wrong])


def _damaged(where: Path, what: str) -> BundleError:
    return BundleError(Problem(str(where), what, COPY_AGAIN))
