"""Opens a model file of any kind, which its content tells.  No file can run code here.

A new kind is a module that recognizes and reads it, and an entry of :data:`IMPORTERS`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import acsgen.nn  # noqa: F401 - registers the operator acsgen::channel_gate
from acsgen.importers.checkpoint import import_checkpoint, is_checkpoint
from acsgen.importers.network import ImportedNetwork
from acsgen.importers.pt2 import import_export_archive, is_export_archive
from acsgen.nn.other_files import refuse_other_file
from acsgen.support.user_files import require_file


@dataclass(frozen=True)
class Importer:
    """One kind of model file.

    Attributes:
        suffix: that of its files' names, which decides only by which importer a damaged file is
            described.
        recognizes: whether a file's content is of this kind.
        read: makes a program of it, or raises :class:`UserError`.
    """

    suffix: str
    recognizes: Callable[[Path], bool]
    read: Callable[[Path], ImportedNetwork]


#: Both kinds are zip files. An export archive is the easier one to recognize, and is tried first.
IMPORTERS = (
    Importer(".pt2", is_export_archive, import_export_archive),
    Importer(".pt", is_checkpoint, import_checkpoint),
)


def load_model(path: str | Path) -> ImportedNetwork:
    """Open a model file.

    Raises:
        UserError: missing, a folder, damaged, unsafe, of an unknown kind, with dynamic shapes, with
            an input other than one image, or with NaN or infinite weights.
    """
    path = Path(path)
    require_file(path, "model file", "name the .pt or .pt2")
    for importer in IMPORTERS:
        if importer.recognizes(path):
            return importer.read(path)
    refuse_other_file(path)
    # The importer that the name promises describes the fault of the content.
    promised = [importer for importer in IMPORTERS if importer.suffix == path.suffix]
    return (promised or [IMPORTERS[-1]])[0].read(path)
