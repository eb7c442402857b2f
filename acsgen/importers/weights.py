"""Weights of other code bases become acsgen's model files, by the layout of their keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel
from torch import Tensor, nn

from acsgen.importers.layouts import LAYOUTS, Reading, Weights
from acsgen.nn.checkpoint import MAX_WEIGHTS, build_model, load_state
from acsgen.nn.other_files import refuse_other_file
from acsgen.nn.torch_files import FORMAT, read_plain
from acsgen.support.errors import Problem, UserError

#: Names that training scripts give to the weights among the other entries of a checkpoint.
_STATES = ("state_dict", "model_state_dict", "model", "net", "network")
_PARALLEL = "module."
_COUNTER = "num_batches_tracked"
_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
#: Of the network itself, not of the file: the normalization of the pixels.
_OWN = ("normalize.mean", "normalize.std")


@dataclass(frozen=True)
class ImageOptions:
    """What no shape tells, in place of what the code base has.

    Attributes:
        size: height and width of the images.
        mean: of each channel, for pixels in [0, 1].
        std: likewise.
    """

    size: int | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None


@dataclass(frozen=True)
class ImportedWeights:
    """Weights in the architecture of acsgen that they belong to.

    Attributes:
        model: in eval mode.
        arch: a key of :data:`acsgen.nn.networks.ARCHITECTURES`.
        config: the architecture's configuration.
        layout: name of the layout, a key of :data:`acsgen.importers.layouts.LAYOUTS`.
        title: the layout in words.
        remarks: what no shape tells, and was taken as the code base has it.
        left: what was left out, by its reason: keys of weights, or other entries of the file.
    """

    model: nn.Module
    arch: str
    config: BaseModel
    layout: str
    title: str
    remarks: tuple[str, ...]
    left: Mapping[str, tuple[str, ...]]


def import_weights(
    path: str | Path, images: ImageOptions | None = None, ignore_unknown: bool = False
) -> ImportedWeights:
    """Read a checkpoint or state_dict of a code base that acsgen knows by its keys.

    Args:
        path: file of ``torch.save``. It is read with ``weights_only=True``: none of its code runs.
        images: size and normalization of the images; by default those of the code base.
        ignore_unknown: leave out weights that the layout does not know.

    Raises:
        UserError: unreadable or unsafe file, unknown layout; missing weights, weights of another
            shape, copies that differ, or unknown ones, all of which are listed.
    """
    path = Path(path)
    where = str(path)
    refuse_other_file(path, weights_wanted=True)
    tensors, others = _state(read_plain(path), where)
    weights = Weights(_without_prefix(tensors), where)
    name = _recognize(weights)
    reading = LAYOUTS[name].read(weights)
    config = reading.config | _image_config(reading, images or ImageOptions(), where)
    model, parsed = build_model(reading.arch, config, where)
    state, used, problems = _arrange(reading, weights, model)
    unknown = [
        key
        for key in weights.tensors
        if key not in used | reading.unused.keys() | reading.copies.keys()
    ]
    problems += _different_copies(reading, weights)
    if unknown and not ignore_unknown:
        what = f"{len(unknown)} unknown weights: {', '.join(unknown)}"
        remedy = "the network has parts that this layout lacks; --ignore-unknown leaves them out"
        problems.append(Problem(where, what, remedy))
    if problems:
        raise UserError(problems)
    load_state(model, state, where)
    left = _by_reason(reading, others, unknown)
    return ImportedWeights(
        model.eval(), reading.arch, parsed, name, LAYOUTS[name].title, tuple(reading.remarks), left
    )


def _state(content: object, where: str) -> tuple[dict[str, Tensor], list[str]]:
    """The weights of a file, and the names of its other entries."""
    if not isinstance(content, dict):
        what = f"a {type(content).__name__}, not weights by their keys"
        raise UserError(Problem(where, what, "save network.state_dict()"))
    if content.get("format") == FORMAT:
        what = "is an acsgen checkpoint already"
        raise UserError(Problem(where, what, "give it to acsgen build"))
    for name in _STATES:
        if isinstance(content.get(name), dict) and _has_tensors(content[name]):
            return _tensors(content[name], where), [str(key) for key in content if key != name]
    if not _has_tensors(content):
        known = ", ".join(_STATES)
        what = "has no weights, neither at its top nor under one of " + known
        raise UserError(Problem(where, what, "save network.state_dict()"))
    return _tensors(content, where), []


def _has_tensors(content: dict[Any, Any]) -> bool:
    return any(isinstance(value, Tensor) for value in content.values())


def _tensors(content: dict[Any, Any], where: str) -> dict[str, Tensor]:
    odd = [
        f"{key} ({value.dtype if isinstance(value, Tensor) else type(value).__name__})"
        for key, value in content.items()
        if not isinstance(key, str) or not _is_plain(key, value)
    ]
    if odd:
        what = f"not ordinary tensors: {', '.join(odd)}"
        raise UserError(Problem(where, what, "save network.state_dict() in float32"))
    weights = sum(value.numel() for value in content.values())
    if weights > MAX_WEIGHTS:  # one number can stand for a tensor of any size
        what = f"has {weights:,} weights, and {MAX_WEIGHTS:,} is the most"
        raise UserError(Problem(where, what, "import a smaller network"))
    return dict(content)


def _is_plain(key: str, value: object) -> bool:
    """Whether a value is a dense tensor of floats, or a counter of batches."""
    return (
        isinstance(value, Tensor)
        and value.layout is torch.strided
        and value.device.type == "cpu"
        and (value.dtype in _FLOATS or key.endswith(_COUNTER))
    )


def _without_prefix(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    if not all(key.startswith(_PARALLEL) for key in tensors):
        return tensors
    return {key.removeprefix(_PARALLEL): value for key, value in tensors.items()}


def _recognize(weights: Weights) -> str:
    fitting = [name for name, layout in LAYOUTS.items() if layout.recognizes(weights)]
    if len(fitting) == 1:
        return fitting[0]
    known = "; ".join(layout.title for layout in LAYOUTS.values())
    shown = ", ".join(list(weights.tensors)[:8])
    what = f"no known layout of weights; its first keys are {shown}"
    remedy = f"known: {known}. Load others into their network, and torch.export it"
    raise UserError(Problem(weights.where, what, remedy))


def _image_config(reading: Reading, images: ImageOptions, where: str) -> dict[str, Any]:
    mean, std = reading.statistics
    statistics = {"mean": images.mean or mean, "std": images.std or std}
    channels = reading.config["in_channels"]
    wrong = [f"--{name}" for name, values in statistics.items() if len(values) != channels]
    if wrong:
        what = f"the network reads {channels} channels"
        remedy = f"give {' and '.join(wrong)} with {channels} numbers, separated by commas"
        raise UserError(Problem(where, what, remedy))
    return {"image_size": images.size or reading.image_size, **statistics}


def _arrange(
    reading: Reading, weights: Weights, model: nn.Module
) -> tuple[dict[str, Any], set[str], list[Problem]]:
    """The state dict of ``model``, the keys of the file that went into it, and what is wrong."""
    state: dict[str, Any] = {}
    used: set[str] = set()
    missing, shapes = [], []
    for key, own in model.state_dict().items():
        theirs = reading.key_in_file(key)
        if key in _OWN:
            state[key] = own
        elif theirs is None:
            missing.append(f"one for {key}")
        elif theirs in weights:
            used.add(theirs)
            value = weights.tensors[theirs]
            if tuple(_lean(value.shape)) == tuple(_lean(own.shape)):
                value = value.reshape(own.shape).to(own.dtype)
                change = reading.transforms.get(key)
                state[key] = value if change is None else change(value)
            else:
                shapes.append(f"{theirs} ({list(value.shape)} for {list(own.shape)})")
        elif not key.endswith(_COUNTER):
            missing.append(theirs)
    problems = []
    if missing:
        what = f"missing weights: {', '.join(missing)}"
        problems.append(Problem(weights.where, what, "save the whole network's state_dict"))
    if shapes:
        what = f"weights of another shape: {', '.join(shapes)}"
        remedy = f"the other weights make a {reading.arch} of these shapes"
        problems.append(Problem(weights.where, what, remedy))
    return state, used, problems


def _lean(shape: Sequence[int]) -> Sequence[int]:
    """A shape without the kernel of a 1x1 convolution, which is a linear layer behind a mean."""
    return shape[:2] if len(shape) == 4 and tuple(shape[2:]) == (1, 1) else shape


def _different_copies(reading: Reading, weights: Weights) -> list[Problem]:
    different = [
        copy
        for copy, original in reading.copies.items()
        if original not in weights
        or not torch.equal(weights.tensors[copy], weights.tensors[original])
    ]
    if not different:
        return []
    what = f"copies that differ from their originals: {', '.join(different)}"
    remedy = "the code base saves one module under two names; the file was put together by hand"
    return [Problem(weights.where, what, remedy)]


def _by_reason(
    reading: Reading, others: Sequence[str], unknown: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for key, reason in reading.unused.items():
        found.setdefault(reason, []).append(key)
    for copy in reading.copies:
        found.setdefault("the same weights under a second name", []).append(copy)
    if others:
        found["entries about the training run"] = list(others)
    if unknown:
        found["unknown"] = list(unknown)
    return {reason: tuple(keys) for reason, keys in found.items()}
