"""Looks at the pickles of a file from strangers before anything reads them.

``torch.load`` with ``weights_only=True`` runs nobody's code, but it reads a pickle opcode by opcode
in Python, and a pickle of nothing but marks packs a thousandfold: a file of 50 KB would keep it
busy for minutes.  A model's pickle has some thirty opcodes for each of its tensors.
"""

from __future__ import annotations

import itertools
import pickletools
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

#: A pickle of a model may have so many bytes and opcodes: ten thousand tensors and more.  Weights
#: are not in it, but in parts of their own.
MAX_PICKLE_BYTES = 16 * 2**20
MAX_OPCODES = 500_000

#: Pickles at the start of a file of the first versions of ``torch.save``: a magic number, the
#: version, the system, the object, and the keys of the weights behind them.
_PICKLES_OF_OLD_TORCH = 5


def check_pickles(source: Path | IO[bytes]) -> None:
    """Refuse a file of ``torch.save`` whose pickles are larger than any model's.

    Args:
        source: the file, or its content; what is neither a zip file nor a pickle passes.

    Raises:
        ValueError: too many bytes or opcodes.
    """
    with _opened(source) as file:
        if not zipfile.is_zipfile(file):
            file.seek(0)
            _check(file, _PICKLES_OF_OLD_TORCH)
            return
        with zipfile.ZipFile(file) as archive:
            for part in archive.infolist():
                if not part.filename.endswith(".pkl"):
                    continue
                if part.file_size > MAX_PICKLE_BYTES:
                    raise ValueError(
                        f"its part {part.filename} unpacks to {part.file_size:,} bytes of pickle, "
                        f"and a model's has {MAX_PICKLE_BYTES:,} at most"
                    )
                with archive.open(part) as pickle:
                    _check(pickle, 1)


def _check(file: IO[bytes], pickles: int) -> None:
    """Count opcodes up to the end, or to a place where no opcode is: others describe damage."""
    opcodes = 0
    for _ in range(pickles):
        rest = MAX_OPCODES + 1 - opcodes
        try:
            opcodes += sum(1 for _ in itertools.islice(pickletools.genops(file), rest))
        except ValueError:
            return
        if opcodes > MAX_OPCODES:
            raise ValueError(
                f"its pickle has more than {MAX_OPCODES:,} opcodes, and no model's has"
            )


@contextmanager
def _opened(source: Path | IO[bytes]) -> Iterator[IO[bytes]]:
    if isinstance(source, Path):
        with source.open("rb") as file:
            yield file
    else:
        yield source
        source.seek(0)
