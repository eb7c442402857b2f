"""Images as a network takes them, and results as a host sees them."""

from __future__ import annotations

from typing import Any, Iterable, NamedTuple, Sequence, overload

import numpy as np

from . import isa, words
from .arguments import array, listed, shown
from .bundle import Bundle
from .errors import InputError, Problem

#: Words of the header that say how a run ended; the others are counters.
_OUTCOME = ("spec_hash", "status", "fault_index")


class Result(NamedTuple):
    """One image's results.

    Attributes:
        outputs: int32 ``(classes,)`` by name, of the outputs that the run computed, in their order.
        masks: uint8 0/1 ``(channels,)`` by gate name, of the gates that ran.
        counters: the engine's counters by name; ``cycles`` and ``stall_cycles`` are 0 where the
            engine does not count them.
        seconds: from the start to the moment the driver saw the end, so with the waiting's grain,
            and in a batch not less than the preparation of the next image takes.  Of a simulation:
            its cycles at the clock of the board.
    """

    outputs: dict[str, np.ndarray]
    masks: dict[str, np.ndarray]
    counters: dict[str, int]
    seconds: float

    @property
    def answer(self) -> str:
        """The output that is the network's answer: the last one that the run computed."""
        return list(self.outputs)[-1]

    @property
    def logits(self) -> np.ndarray:
        """The answer, int32 ``(classes,)``."""
        return self.outputs[self.answer]

    @property
    def prediction(self) -> int:
        """The class; the lowest index wins a tie."""
        return int(self.logits.argmax())


class Results(Sequence[Result]):
    """The results of a batch, in the order of its images: a sequence of :class:`Result`.

    It has the attributes of a :class:`Result`, with all N images along a first axis.
    """

    def __init__(self, results: Iterable[Result], bundle: Bundle) -> None:
        """Take the results of this bundle's network."""
        self._results = tuple(results)
        self._bundle = bundle

    def __len__(self) -> int:
        return len(self._results)

    @overload
    def __getitem__(self, index: int) -> Result: ...

    @overload
    def __getitem__(self, index: slice) -> Results: ...

    def __getitem__(self, index: int | slice) -> Result | Results:
        if isinstance(index, slice):
            return Results(self._results[index], self._bundle)
        return self._results[index]

    def __repr__(self) -> str:
        return f"<{len(self)} results of {self._bundle.model}, classes {self.prediction.tolist()}>"

    @property
    def prediction(self) -> np.ndarray:
        """The classes, ``[N]``."""
        return np.array([result.prediction for result in self._results], np.int64)

    @property
    def answer(self) -> list[str]:
        """For each image the output that is the network's answer."""
        return [result.answer for result in self._results]

    @property
    def logits(self) -> np.ndarray:
        """The answers, int32 ``[N, classes]``.

        Raises :class:`InputError` where images end at outputs of different size.
        """
        logits = [result.logits for result in self._results]
        if len({values.shape for values in logits}) > 1:
            raise InputError(
                Problem(
                    "logits",
                    "differ in size from image to image",
                    "look at the results one by one",
                )
            )
        classes = list(self._bundle.outputs.values())[-1].classes
        return np.array(logits, np.int32).reshape(len(self), -1 if logits else classes)

    @property
    def masks(self) -> dict[str, np.ndarray]:
        """The masks, uint8 0/1 ``[N, channels]`` by gate name; zero where a gate did not run."""
        return {
            name: np.array(
                [r.masks.get(name, np.zeros(gate.channels)) for r in self._results], np.uint8
            ).reshape(len(self), gate.channels)
            for name, gate in self._bundle.gates.items()
        }

    @property
    def counters(self) -> dict[str, np.ndarray]:
        """The engine's counters, int64 ``[N]`` by name."""
        names = [name for name in isa.RESULT_HEADER if name not in _OUTCOME]
        found = [result.counters for result in self._results]
        return {name: np.array([counts[name] for counts in found], np.int64) for name in names}

    @property
    def seconds(self) -> np.ndarray:
        """The times of the runs, ``[N]``; see :class:`Result`."""
        return np.array([result.seconds for result in self._results], np.float64)


def is_single(images: Any, bundle: Bundle) -> bool:
    """Return whether ``images`` is one image without an axis for more."""
    shape = getattr(images, "shape", None)
    known = hasattr(images, "__array__") and isinstance(shape, tuple)
    return known and tuple(shape or ()) == bundle.shape


def check_images(images: Any, bundle: Bundle) -> np.ndarray:
    """Return images as an array uint8 ``[N, C, H, W]``; one image may come without the N.

    A list or a generator of images is taken too, which is read to its end, and no images at all.

    Raises :class:`InputError` for anything else: a network's input must never be a guess.
    """
    wanted = "x".join(str(size) for size in bundle.shape)
    given = listed(images)
    if isinstance(given, (list, tuple)) and not given:
        return np.zeros((0, *bundle.shape), np.uint8)
    pixels = array(given, "images", f"{bundle.model} takes numpy arrays uint8 of {wanted}")
    if pixels.dtype.kind not in "biufc":
        raise InputError(
            Problem(
                "images",
                f"are {shown(given)}, {bundle.model} takes pixels, uint8 {wanted}",
                "open the files first, for example with PIL, and pass numpy arrays",
            )
        )
    if pixels.dtype != np.uint8:
        raise InputError(
            Problem(
                "images",
                f"are {pixels.dtype}, {bundle.model} takes uint8",
                "pass raw pixels, 0 to 255, as numpy.uint8, not normalized",
            )
        )
    if pixels.shape == bundle.shape:
        pixels = pixels[np.newaxis]
    if pixels.ndim != 4 or pixels.shape[1:] != bundle.shape:
        found = "x".join(str(size) for size in pixels.shape) or "of a single number"
        raise InputError(
            Problem(
                "images",
                f"have shape {found}, {bundle.model} takes {wanted} or N of these",
                _remedy_for_shape(pixels.shape, bundle.shape),
            )
        )
    return pixels


def check_labels(labels: Any, images: int, bundle: Bundle) -> np.ndarray:
    """Return the classes of so many images, int64 ``[N]``.

    Raises :class:`InputError` for anything but one class of the network for each: an accuracy that
    is counted with others says nothing.
    """
    classes = max(output.classes for output in bundle.outputs.values())
    remedy = f"pass a whole number from 0 to {classes - 1} for each image"
    given = array(listed(labels), "labels", remedy)
    if given.shape != (images,):
        found = "x".join(str(size) for size in given.shape) or "a single one"
        what = f"are {found}, and the number of labels must be that of the images, {images}"
    elif given.dtype.kind not in "iu":
        what = f"are {given.dtype}, and must be whole numbers"
    elif given.min() < 0 or given.max() >= classes:
        what = f"go from {given.min()} to {given.max()}, {bundle.model} has {classes} classes"
    else:
        return given.astype(np.int64)
    raise InputError(Problem("labels", what, remedy))


def _remedy_for_shape(found: tuple[int, ...], wanted: tuple[int, int, int]) -> str:
    """Return what makes an array of one shape one of another, where that is known."""
    channels, *size = wanted
    if found[-3:] == (*size, channels) and len(found) in (3, 4):
        axes = "2, 0, 1" if len(found) == 3 else "0, 3, 1, 2"
        return f"channels come first: pass images.transpose({axes})"
    if len(found) == 5 and found[2:] == wanted:
        return "these are batches: run them one by one, or pass numpy.concatenate(batches)"
    return "channels come first, then rows, then columns"


def decode(bundle: Bundle, buffer: np.ndarray, seconds: float) -> Result:
    """Return the content of a result buffer, uint64 words, after a good run."""
    masks = {
        gate.name: words.by_channel(
            words.mask(buffer, gate.mask_address, gate.channels), gate.order
        )
        for gate in bundle.gates.values()
        if words.written(buffer, gate.mask_address, gate.mask_words)
    }
    outputs = {
        output.name: words.logits(buffer, output.address, output.classes)
        for output in bundle.outputs.values()
        if words.written(buffer, output.address, output.words)
    }
    counters = {name: value for name, value in words.header(buffer).items() if name not in _OUTCOME}
    return Result(outputs, masks, counters, seconds)
