"""Outcomes that other sweeps have found already, in the cache folder of the user.

An entry's name is a digest of everything that its figures depend on.  A cache that cannot be read
or written costs time and nothing else.
"""

from __future__ import annotations

import contextlib
import os
from hashlib import sha256
from pathlib import Path

from acsgen.flow.sweep.state import Record, from_bytes, to_bytes
from acsgen.support.buildcache import cache_folder
from acsgen.support.errors import UserError
from acsgen.support.fsutil import write_whole

#: The entries used least recently make room for new ones.
_MAX_ROWS, _MAX_MODELS = 20_000, 64

#: Before the bytes of a model file.
_DIGEST_BYTES = 32


class Cache:
    """The cache; one that is not ``used`` is empty, and keeps nothing."""

    def __init__(self, used: bool) -> None:
        self._folder = cache_folder() / "sweep" if used else None

    def row(self, name: str, key: str) -> Record | None:
        """Return the record of an entry, for the point ``key``."""
        content = self._read(f"{name}.json")
        record = None if content is None else from_bytes(content)
        return None if record is None else record.model_copy(update={"key": key})

    def keep_row(self, name: str, record: Record) -> None:
        """Keep a record."""
        self._write(f"{name}.json", to_bytes(record), _MAX_ROWS)

    def model(self, name: str) -> bytes | None:
        """Return a model file."""
        content = self._read(f"{name}.pt") or b""
        head, model = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
        return model if sha256(model).digest() == head else None

    def keep_model(self, name: str, content: bytes) -> None:
        """Keep a model file."""
        self._write(f"{name}.pt", sha256(content).digest() + content, _MAX_MODELS)

    def _read(self, name: str) -> bytes | None:
        if self._folder is None:
            return None
        path = self._folder / name
        with contextlib.suppress(OSError):
            content = path.read_bytes()
            os.utime(path)
            return content
        return None

    def _write(self, name: str, content: bytes, limit: int) -> None:
        if self._folder is None:
            return
        with contextlib.suppress(OSError, UserError):
            self._folder.mkdir(parents=True, exist_ok=True)
            write_whole(self._folder / name, content)
            _make_room(self._folder, Path(name).suffix, limit)


def _make_room(folder: Path, suffix: str, limit: int) -> None:
    entries = [*folder.glob(f"*{suffix}")]
    if len(entries) <= limit:
        return
    entries.sort(key=lambda path: path.stat().st_mtime)
    for path in entries[:-limit]:
        path.unlink(missing_ok=True)
