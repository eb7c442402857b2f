"""From what a user gives to what an accelerator is made of: the way to the engine, the network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .arguments import path_of, shown
from .backend import Backend
from .bundle import Bundle
from .errors import BackendError, InputError, Problem
from .locate import find_bundle, open_bitstream

#: What the driver asks of a way to an engine, as :class:`acsgen_host.backend.Backend` has it.
WAY = ("engine", "hold", "read", "write", "allocate", "wait", "reset", "close")


def open_source(source: Any, bundle: Any) -> tuple[Backend, Bundle]:
    """Return the way to the engine and the network, as :class:`Accelerator` takes them.

    The bundle is checked before a board is.
    """
    network: Bundle | None = bundle if hasattr(bundle, "spec_hash") else None
    given = None if bundle is None or network is not None else path_of(bundle, "bundle")
    if all(hasattr(source, name) for name in WAY):
        if network is not None:
            return source, network
        if given is None:
            remedy = "pass Bundle.load(FOLDER), or the path of a .bit alone"
            raise InputError(Problem("bundle", "is missing", remedy))
        return source, Bundle.load(given)
    path = _path(source)
    try:
        bitstream, folder = find_bundle(path, given if network is None else network.path)
        loaded = Bundle.load(folder) if network is None else network
        return open_bitstream(bitstream, folder), loaded
    except OSError as error:
        # Such as a folder that only others may read, or a name that is too long.
        where = shown(str(error.filename or path)).strip("'")
        remedy = "give the .bit of the folder that acsgen bitstream wrote, and be root"
        what = f"cannot be read: {error.strerror}"
        raise BackendError(Problem(where, what, remedy)) from error


def open_bundle(build: Any) -> Bundle:
    """Return the bundle of a folder, of a ``.bit``, or the one that is given."""
    if isinstance(build, Bundle):
        return build
    folder = path_of(build, "build")
    if folder.suffix == ".bit" and folder.is_file():
        folder = find_bundle(folder)[1]
    return Bundle.load(folder)


def _path(source: Any) -> Path:
    """Return the path that a source is; raises :class:`InputError` with what it is instead."""
    try:
        return path_of(source, "source")
    except InputError:
        if isinstance(source, (str, bytes)):
            raise
        what = f"must be the path of a .bit or a back end, not {shown(source)}"
        remedy = 'Accelerator("NAME.bit"), or without a board Accelerator.simulate(FOLDER)'
        if hasattr(source, "ip_dict"):
            remedy = "pass PynqBackend(overlay), from acsgen_host.pynq_backend"
        elif isinstance(source, Bundle):
            remedy = f'Accelerator("NAME.bit", bundle), or Accelerator.simulate("{source.path}")'
        raise InputError(Problem("source", what, remedy)) from None
