"""Recognizes files that are no acsgen model, and says what to do with each.  Nothing is run."""

from __future__ import annotations

import pickle
import pickletools
import re
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import torch
from torch import Tensor

from acsgen.nn.torch_files import FORMAT
from acsgen.support.errors import Problem, UserError
from acsgen.support.pickles import check_pickles

EXPORT = (
    "network.eval()\n"
    "program = torch.export.export(network, (torch.zeros(1, C, H, W),))\n"
    'torch.export.save(program, "mine.pt2")'
)
"""The three lines that make a file for acsgen of a network in PyTorch."""

_EXPORT_IT = f"export the network, in the Python that defines it:\n{EXPORT}"
_IMPORT_THEM = (
    "acsgen import reads those of the code bases that it knows; load others into their network, "
    f"with network.load_state_dict, and export it:\n{EXPORT}"
)
_FROM_SAFETENSORS = (
    "load them into their network, with safetensors.torch.load_model(network, FILE), and export "
    f"it:\n{EXPORT}"
)
_TAKES_PROGRAMS = "acsgen build and acsgen eval take it; here an architecture of acsgen is needed"
_IMAGES = "give a model file here, and images as --dataset npz:FILE"

#: Parts of a zip file that only torch.export writes.
_PROGRAM = re.compile(r"serialized_exported_program\.json|(.*/)?models/[^/]*\.json")

#: A pickle of one of the first versions of torch.save: its magic number is a pickle of its own.
_OLD_TORCH = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
_PICKLES_OF_OLD_TORCH = 4
#: First byte: the field ``ir_version``; behind its value one of the other fields of ONNX's model.
_ONNX_FIELDS = (0x12, 0x1A, 0x22, 0x28, 0x32, 0x3A, 0x42)
_ONNX_VERSIONS = range(1, 64)
#: Classes that a pickle of tensors in plain containers names.
_PLAIN_CLASSES = ("collections OrderedDict", "torch.", "torch ", "numpy", "_codecs encode")
_BUILTINS = ("__builtin__ ", "builtins ")


@dataclass(frozen=True)
class _Other:
    """A file that is no model file of acsgen.

    Attributes:
        what: in words.
        remedy: what to do; by default to export the network.
        weights: whether it is one that ``acsgen import`` reads.
    """

    what: str
    remedy: str = _EXPORT_IT
    weights: bool = False


def refuse_other_file(path: Path, weights_wanted: bool = False) -> None:
    """Raise :class:`UserError` for a file that is none of acsgen's kinds; return if it may be one.

    Args:
        path: the file; one that is not there is left to its reader.
        weights_wanted: let weights without their network pass.
    """
    if not path.is_file():
        return
    other = _in_zip(path) if zipfile.is_zipfile(path) else _by_first_bytes(path)
    if other is not None and not (other.weights and weights_wanted):
        what = f"not an acsgen checkpoint, but {other.what}"
        raise UserError(Problem(str(path), what, other.remedy))


def _weights(what: str) -> _Other:
    return _Other(f"weights without their network ({what})", _IMPORT_THEM, weights=True)


def _by_first_bytes(path: Path) -> _Other | None:
    with path.open("rb") as file:
        head = file.read(64)
        if head.startswith(_OLD_TORCH):
            file.seek(0)
            return _of_pickle(file, _PICKLES_OF_OLD_TORCH, path)
    if head[:1] == pickle.PROTO:
        what = "a pickle that torch.save did not write"
        return _Other(
            f"{what}, refused for safety: a file like this can run code when it is opened"
        )
    if not head:
        return _Other("an empty file", "copy it again")
    if len(head) > 2 and head[0] == 0x08 and head[1] in _ONNX_VERSIONS and head[2] in _ONNX_FIELDS:
        return _Other("an ONNX file, which acsgen does not read")
    if head.startswith(b"\x89HDF\r\n"):
        return _Other("an HDF5 file, as Keras writes it")
    if head[4:8] == b"TFL3":
        return _Other("a TensorFlow Lite file")
    if head[8:10] == b'{"':
        return _Other("weights without their network (safetensors)", _FROM_SAFETENSORS)
    if head.startswith(b"version https://git-lfs"):
        return _Other("a pointer of Git LFS to the file", "fetch the file itself: git lfs pull")
    if head.lstrip().lower().startswith((b"<!doctype html", b"<html")):
        return _Other("a page of HTML", "the download gave an answer in its place; get the file")
    return None


def _in_zip(path: Path) -> _Other | None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if any(name.endswith("/constants.pkl") or "/code/__torch__" in name for name in names):
                return _Other("a TorchScript file, which acsgen does not read")
            if any(_PROGRAM.fullmatch(name) for name in names):
                return _Other("an exported program (.pt2)", _TAKES_PROGRAMS)
            if "model.weights.h5" in names:
                return _Other("a file of Keras")
            if names and all(name.endswith(".npy") for name in names):
                return _Other("arrays of NumPy (.npz)", _IMAGES)
            data = [n for n in names if n.count("/") == 1 and n.endswith("/data.pkl")]
            if len(data) != 1:
                return None
            with archive.open(data[0]) as file:
                return _of_pickle(file, 1, path)
    except (zipfile.BadZipFile, OSError, ValueError, KeyError, RuntimeError, NotImplementedError):
        return None


def _of_pickle(file: IO[bytes], pickles: int, path: Path) -> _Other | None:
    """Say what the output of ``torch.save`` is, from the names in it and from its plain parts."""
    classes: list[str] = []
    try:
        check_pickles(path)
        for _ in range(pickles):
            for kind, text in _names(file):
                if kind == "text" and text == FORMAT:
                    return None
                if kind == "class":
                    classes.append(text)
    except Exception:  # a damaged pickle, or an endless one; those who read it describe it
        return None
    layers = [name for name in classes if name.startswith("torch.nn.modules")]
    strange = [name for name in classes if not name.startswith(_PLAIN_CLASSES)]
    if layers or strange:
        what = "a whole pickled module" if layers else "a pickled Python object"
        first = next((n for n in strange if not n.startswith(_BUILTINS)), (layers or strange)[0])
        return _Other(
            f"{what} ({first.replace(' ', '.')}), refused for safety: a file like this can run "
            "code when it is opened"
        )
    return _of_content(_plain_content(path))


def _names(file: IO[bytes]) -> Iterator[tuple[str, str]]:
    """Yield ``("class", "module name")`` and ``("text", ...)`` for a pickle's opcodes."""
    texts: list[str] = []
    for opcode, argument, _ in pickletools.genops(file):
        if opcode.name in ("GLOBAL", "INST"):
            yield "class", str(argument)
        elif opcode.name == "STACK_GLOBAL":
            yield "class", " ".join(texts[-2:])
        elif isinstance(argument, str):
            texts.append(argument)
            yield "text", argument


def _plain_content(path: Path) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, OSError, ValueError, KeyError, EOFError):
        return None


def _of_content(content: Any) -> _Other | None:
    if isinstance(content, Tensor):
        return _Other("a tensor")
    if not isinstance(content, dict) or not content:
        return None
    if all(isinstance(value, Tensor) for value in content.values()):
        return _weights("a state_dict")
    inside = [
        str(key)
        for key, value in content.items()
        if isinstance(value, dict) and any(isinstance(item, Tensor) for item in value.values())
    ]
    if inside:
        return _weights(f"a training checkpoint; see its {inside[0]!r}")
    return None
