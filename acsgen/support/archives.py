"""Reads zip files from strangers: arrays of an ``.npz``, and archives that unpack without end."""

from __future__ import annotations

import zipfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
from acsgen_host.files import check_regular
from numpy.typing import NDArray

#: An archive may unpack to so many bytes, or to so many times its own size.
MAX_BYTES = 4 * 2**30
MAX_RATIO = 100


def check_unpacked(archive: zipfile.ZipFile) -> None:
    """Refuse an archive that would fill the memory, before any of it is unpacked.

    Raises:
        ValueError: its parts are far larger than it is.
    """
    unpacked = sum(part.file_size for part in archive.infolist())
    packed = sum(part.compress_size for part in archive.infolist())
    if unpacked > MAX_BYTES and unpacked > MAX_RATIO * packed:
        raise ValueError(f"it would unpack to {unpacked:,} bytes")


def read_arrays(path: Path, wanted: Collection[str] | None = None) -> dict[str, NDArray[Any]]:
    """Return the arrays of an ``.npz`` file by name.

    Args:
        path: the file.
        wanted: names; those that the file does not have are left out. All if None.

    Raises:
        OSError: the file cannot be opened.
        ValueError: it is damaged, it holds Python objects or something other than arrays, or there
            is not the memory for it.
    """
    check_regular(path)
    with path.open("rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                check_unpacked(archive)
            content = np.load(file, allow_pickle=False)
            names = content.files if wanted is None else [n for n in wanted if n in content.files]
            arrays = {name: content[name] for name in names}
        except OSError:
            raise
        except Exception as error:  # on a damaged file the parsers raise exceptions of any type
            raise ValueError(str(error) or type(error).__name__) from error
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray):
            raise ValueError(f"its part {name} is not an array")
    return arrays
