"""The model file (`*.pt`): architecture, configuration, float32 weights and their origin.

It is read with ``weights_only=True``, so that opening somebody's model never runs their code.  A
digest of the weights is checked, because PyTorch's reader does not notice a changed bit.  Files of
version 1, which have no digest, are read with a warning.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

import torch
from pydantic import BaseModel, ValidationError
from torch import Tensor, nn

from acsgen.nn.networks import ARCHITECTURES
from acsgen.nn.other_files import refuse_other_file
from acsgen.nn.torch_files import FORMAT, read_plain, save_plain
from acsgen.nn.weights_digest import weights_digest
from acsgen.support.errors import Problem, UserError

VERSION = 2
_WITHOUT_DIGEST = 1
_LISTED = 5

#: Weights that a network may have: 2 GiB of them. VGG-19 has 144 million.
MAX_WEIGHTS = 2**29

#: Letters of a name that a message shows.
_SHOWN = 80
_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_INTEGERS = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)


@dataclass(frozen=True)
class LoadedModel:
    """A checkpoint that was read: the model in eval mode, and the file's description of it."""

    model: nn.Module
    arch: str
    config: BaseModel
    meta: dict[str, Any]


def validation_problems(error: ValidationError, where: str) -> list[Problem]:
    """The problems of a pydantic validation error, each placed at ``where: dotted.field``."""
    problems = []
    for item in error.errors():
        field = ".".join(str(part) for part in item["loc"])
        message = item["msg"].removeprefix("Value error, ")
        problems.append(Problem(f"{where}: {field}" if field else where, message))
    return problems


def build_model(arch: str, config: Mapping[str, Any], where: str) -> tuple[nn.Module, BaseModel]:
    """A freshly initialised network of architecture ``arch``.

    Raises:
        UserError: unknown architecture or bad configuration, or more than :data:`MAX_WEIGHTS`
            weights; problems are placed at ``where``.
    """
    if arch not in ARCHITECTURES:
        what = f"unknown architecture '{arch}'"
        raise UserError([Problem(where, what, ARCHITECTURES.known())])
    architecture = ARCHITECTURES[arch]
    try:
        parsed = architecture.config.model_validate(dict(config))
    except ValidationError as error:
        raise UserError(validation_problems(error, f"{where}: config")) from None
    # Without memory for a weight: a few words in a file are enough to ask for more than there is.
    with torch.device("meta"):
        outline = architecture.build(parsed)
    weights = sum(value.numel() for value in outline.state_dict().values())
    if weights > MAX_WEIGHTS:
        what = f"makes a network of {weights:,} weights, and {MAX_WEIGHTS:,} is the most"
        raise UserError([Problem(f"{where}: config", what, "choose fewer layers or channels")])
    return architecture.build(parsed), parsed


def round_weights(model: nn.Module) -> None:
    """Round the weights of convolutions and linear layers, in place, to what float16 can hold.

    Raises:
        UserError: a weight is beyond its range.
    """
    for name, rounded in _halved(model).items():
        model.get_parameter(name).data.copy_(rounded)


def _halved(model: nn.Module) -> dict[str, Tensor]:
    """The weights of convolutions and linear layers as float16, by name, on the CPU.

    Raises:
        UserError: a weight is beyond its range.
    """
    halved = {}
    for name, parameter in model.named_parameters():
        if parameter.dim() > 1:
            halved[name] = parameter.detach().half().cpu()
            if not bool(torch.isfinite(halved[name]).all()):
                most = torch.finfo(torch.float16).max
                what = f"has weights above {most:g}, which float16 does not hold"
                raise UserError([Problem(name, what, "store float32")])
    return halved


def save_checkpoint(
    path: Path,
    model: nn.Module,
    arch: str,
    config: BaseModel,
    meta: Mapping[str, Any],
    half: bool = False,
) -> None:
    """Write a model file (atomically: a reader sees the old file or the new one).

    Args:
        path: the ``.pt`` file; its folder must exist.
        model: weights are stored as they are, moved to the CPU.
        arch: a key of :data:`acsgen.nn.networks.ARCHITECTURES`.
        config: the architecture's configuration.
        meta: plain values only (str, int, float, bool, None, list, dict).
        half: store the weights of convolutions and linear layers as float16; they are read as
            what :func:`round_weights` makes of them.

    Raises:
        UserError: the disk is full, or the folder cannot be written; or a weight is beyond the
            range of float16.
    """
    state = {name: value.detach().cpu() for name, value in model.state_dict().items()}
    if half:
        state |= _halved(model)
    content = {
        "format": FORMAT,
        "version": VERSION,
        "arch": arch,
        "config": config.model_dump(mode="json"),
        "state_dict": state,
        "digest": weights_digest(state),
        "meta": dict(meta),
    }
    save_plain(path, content)


def load_checkpoint(path: str | Path) -> LoadedModel:
    """Read a model file.

    Returns:
        The model on the CPU, in eval mode, with the file's configuration and metadata.

    Raises:
        UserError: the file is missing, damaged, unsafe, of another kind, or does not fit its own
            architecture; all problems found are listed.
    """
    path = Path(path)
    where = str(path)
    refuse_other_file(path)
    content = read_plain(path)
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        remedy = "acsgen models are written by acsgen.nn.save_checkpoint or acsgen train"
        raise UserError([Problem(where, "not an acsgen checkpoint", remedy)])
    version = content.get("version")
    if type(version) is not int or version not in (_WITHOUT_DIGEST, VERSION):
        shown = str(version)[:20] if type(version) in (int, str) else type(version).__name__
        what = f"checkpoint version {shown}; this acsgen reads {_WITHOUT_DIGEST} and {VERSION}"
        raise UserError([Problem(where, what, "use the acsgen that wrote the file, or a newer")])
    arch, config, state, meta = (content.get(k) for k in ("arch", "config", "state_dict", "meta"))
    problems = [
        Problem(where, f"'{key}' should be a {kind.__name__}, found {type(value).__name__}")
        for key, value, kind in (
            ("arch", arch, str),
            ("config", config, dict),
            ("state_dict", state, dict),
            ("meta", meta, dict),
        )
        if not isinstance(value, kind)
    ]
    if problems:
        raise UserError(problems)
    model, parsed = build_model(str(arch), _as_dict(config), where)
    load_state(model, _as_dict(state), where)
    _check_digest(content, version, where)
    return LoadedModel(model.eval(), str(arch), parsed, _as_dict(meta))


def _check_digest(content: dict[str, Any], version: int, where: str) -> None:
    """Compare the weights, known to be plain tensors, with the digest that the file carries."""
    if version == _WITHOUT_DIGEST and "digest" not in content:
        warnings.warn(
            f"{where} was written before model files had a digest of their weights, so damage to "
            "them would go unseen; save it again with acsgen.nn.save_checkpoint",
            stacklevel=3,
        )
    elif content.get("digest") != weights_digest(content["state_dict"]):
        what = "damaged: its weights do not match the digest that was saved with them"
        raise UserError([Problem(where, what, "copy the file again, or train again")])


def _as_dict(value: object) -> dict[str, Any]:
    assert isinstance(value, dict)
    return value


def load_state(model: nn.Module, state: dict[str, Any], where: str) -> None:
    """Load weights into ``model``; only counters of batches may be missing.

    Raises:
        UserError: missing, unexpected, odd or not finite weights; all are listed.
    """
    expected = model.state_dict()
    required = [key for key in expected if not key.endswith("num_batches_tracked")]
    missing = [key for key in required if key not in state]
    unexpected = [str(key) for key in state if key not in expected]
    shapes = []
    odd = []
    not_finite = []
    negative = []
    for key, value in state.items():
        if key not in expected:
            continue
        if not _is_plain(value, expected[key].is_floating_point()):
            kind = value.dtype if isinstance(value, Tensor) else type(value).__name__
            odd.append(f"{key} ({kind})")
        elif value.shape != expected[key].shape:
            shapes.append(f"{key} ({tuple(value.shape)} for {tuple(expected[key].shape)})")
        elif not bool(torch.isfinite(value.to(expected[key].dtype)).all()):
            not_finite.append(key)
        elif key.endswith("running_var") and bool((value < 0).any()):
            negative.append(key)
    remedy = "the weights belong to another architecture or configuration"
    problems = []
    for label, names in (
        ("missing weights", missing),
        ("unexpected weights", unexpected),
        ("weights of another shape", shapes),
        ("not ordinary tensors", odd),
    ):
        if names:
            problems.append(Problem(where, f"{label}: {_shorten(names)}", remedy))
    for label, names in (("NaN or infinite", not_finite), ("negative", negative)):
        if names:
            what = f"{label} values in {_shorten(names)}"
            problems.append(Problem(where, what, "the training run diverged; train again"))
    if problems:
        raise UserError(problems)
    model.load_state_dict(state, strict=False)


def _is_plain(value: object, floating: bool) -> TypeGuard[Tensor]:
    """Whether a value is a dense tensor of numbers: not sparse, quantized or without data."""
    return (
        isinstance(value, Tensor)
        and value.layout is torch.strided
        and value.device.type == "cpu"
        and value.dtype in (_FLOATS if floating else _INTEGERS)
    )


def _shorten(names: list[str]) -> str:
    shown = ", ".join(
        name if len(name) <= _SHOWN else f"{name[:_SHOWN]}..." for name in names[:_LISTED]
    )
    return f"{shown} and {len(names) - _LISTED} more" if len(names) > _LISTED else shown
