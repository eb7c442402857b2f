"""Reads and writes files of ``torch.save`` that hold plain values and tensors, and nothing else.

They are read with ``weights_only=True``, so that opening somebody's file never runs their code.
"""

from __future__ import annotations

import io
import pickle
import warnings
import zipfile
from pathlib import Path

import torch

from acsgen.support.archives import check_unpacked
from acsgen.support.errors import Problem, UserError
from acsgen.support.fsutil import write_whole
from acsgen.support.pickles import check_pickles
from acsgen.support.user_files import require_file

FORMAT = "acsgen-checkpoint"
"""The entry ``format`` of acsgen's own model files."""


def read_plain(path: Path) -> object:
    """The content of a file of ``torch.save``, if it is of plain values and tensors alone.

    Raises:
        UserError: the file is missing, damaged, or would run code.
    """
    where = str(path)
    require_file(path, "model file", "name the .pt file")
    damaged = Problem(where, "not a readable PyTorch file", "it may be truncated; copy it again")
    _check_archive(path)
    _check_pickles(path)
    remedy = "save only plain values and tensors, with acsgen.nn.save_checkpoint"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if "global" in str(error).lower():
            what = "refused for safety: the file asks to run code when it is opened"
            raise UserError([Problem(where, what, remedy)]) from None
        with path.open("rb") as file:
            bare_pickle = file.read(1) == pickle.PROTO
        if bare_pickle:
            what = "refused for safety: a bare pickle, which could run code when it is opened"
            raise UserError([Problem(where, what, remedy)]) from None
        raise UserError([damaged]) from None
    except PermissionError:
        raise UserError([Problem(where, "no permission to read this file")]) from None
    except Exception:  # on a damaged file torch's parsers raise exceptions of any type
        raise UserError([damaged]) from None


def save_plain(path: Path, content: object) -> None:
    """Write a file of ``torch.save`` as a whole: a reader sees the old file or the new one.

    Raises:
        UserError: the disk is full, or the folder cannot be written.
    """
    # On a full disk, torch itself raises a RuntimeError that does not say so.
    buffer = io.BytesIO()
    torch.save(content, buffer)
    write_whole(path, buffer.getvalue())


def _check_archive(path: Path) -> None:
    """Compare every part of the zip file with its checksum, which PyTorch's reader leaves out."""
    try:
        with zipfile.ZipFile(path) as archive:
            try:
                check_unpacked(archive)
            except ValueError as error:
                what = f"not a readable PyTorch file: {error}"
                raise UserError([Problem(str(path), what, "copy the file again")]) from None
            part = archive.testzip()
    except UserError:
        raise
    except Exception:  # not a readable zip file: torch describes it
        return
    if part is not None:
        what = f"damaged: its part {part} does not match its checksum"
        raise UserError([Problem(str(path), what, "copy the file again")])


def _check_pickles(path: Path) -> None:
    """Refuse pickles that would be read without end."""
    try:
        check_pickles(path)
    except ValueError as error:
        what = f"not a readable PyTorch file: {error}"
        raise UserError(
            [Problem(str(path), what, "save the weights alone, in one state_dict")]
        ) from None
    except Exception:  # not a readable zip file: torch describes it
        return
