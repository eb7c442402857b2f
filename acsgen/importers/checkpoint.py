"""Reads an acsgen checkpoint (``.pt``), and exports the network that it holds."""

from __future__ import annotations

import warnings
import zipfile
from pathlib import Path

import torch

from acsgen.importers.network import ImportedNetwork, imported_network
from acsgen.nn.checkpoint import load_checkpoint


def is_checkpoint(path: Path) -> bool:
    """Whether the file is a zip that looks like the output of ``torch.save``."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError):
        return False
    return any(name.count("/") == 1 and name.endswith("/data.pkl") for name in names)


def import_checkpoint(path: Path) -> ImportedNetwork:
    """Read a checkpoint.

    Raises:
        UserError: see :func:`acsgen.nn.load_checkpoint`; or NaN or infinite weights.
    """
    loaded = load_checkpoint(path)
    example = loaded.model.example_input()  # type: ignore[operator]
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exported = torch.export.export(loaded.model.eval(), (example,), strict=False)
    return imported_network(path, exported, loaded.meta, "checkpoint")
