"""What the figures of a sweep depend on besides its settings: code, packages, files."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
from collections.abc import Iterator
from pathlib import Path

import acsgen
from acsgen.support.assets import asset

#: Packages whose version may change a figure.
_PACKAGES = ("torch", "numpy", "scipy", "scikit-learn", "hls4ml")

_ASSETS = ("hw", "templates", "host", "sim")

#: Sources, and not what a run of them leaves behind.
_SOURCES = frozenset((".py", ".yaml", ".j2", ".sv", ".v", ".vh", ".cpp", ".hpp", ".h", ".tcl"))


@functools.cache
def code_digest() -> str:
    """Return the SHA-256 of this acsgen and of the packages that compute for it."""
    found = hashlib.sha256(acsgen.__version__.encode())
    for package in _PACKAGES:
        found.update(f"{package} {importlib.metadata.version(package)}".encode())
    for name, path in sorted(_files()):
        content = path.read_bytes()
        found.update(f"{name} {len(content)} ".encode() + content)
    return found.hexdigest()


def _files() -> Iterator[tuple[str, Path]]:
    """Yield the files of acsgen by a name that is the same wherever it is installed."""
    package = Path(acsgen.__file__).parent
    for path in package.rglob("*.py"):
        if "_assets" not in path.relative_to(package).parts:
            yield f"acsgen/{path.relative_to(package).as_posix()}", path
    for folder in _ASSETS:
        for path in asset(folder).rglob("*"):
            if path.suffix in _SOURCES and path.is_file():
                yield f"{folder}/{path.relative_to(asset(folder)).as_posix()}", path
