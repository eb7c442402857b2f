"""What the accelerators of this process that run on one engine have in common.

An engine has one set of registers and runs one program at a time.  Each run therefore holds the
engine's lock from the first register that it writes until its result is copied.  The buffers of a
run whose end was not seen stay allocated here, because the engine may still write into them even
where the accelerator that they belong to is closed or forgotten.
"""

from __future__ import annotations

import os
import threading
from typing import Iterable, MutableMapping
from weakref import WeakValueDictionary

from .backend import Backend, Buffer


class EngineShare:
    """One engine.

    Attributes:
        lock: held by the thread that uses the engine's registers.
        unfinished: whether a run was started whose end was not seen.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.unfinished = False
        self._used: list[Buffer] = []
        self._orphans: list[Buffer] = []

    def begin(self, buffers: Iterable[Buffer]) -> None:
        """Note that the engine is about to be started on these buffers."""
        self._used = list(buffers)
        self.unfinished = True
        _unfinished.add(self)

    def end(self) -> None:
        """Note that the engine is idle, and free the buffers that only waited for that."""
        self.unfinished = False
        self._used = []
        orphans, self._orphans = self._orphans, []
        _unfinished.discard(self)
        for buffer in orphans:
            buffer.free()

    def uses(self, buffers: Iterable[Buffer]) -> bool:
        """Return whether a run that may still go on uses one of these buffers."""
        known = {id(buffer) for buffer in self._used}
        return self.unfinished and any(id(buffer) in known for buffer in buffers)

    def adopt(self, buffers: Iterable[Buffer]) -> None:
        """Keep buffers of an accelerator that closes until the engine is seen idle."""
        self._orphans += buffers


_guard = threading.Lock()
_shares: MutableMapping[object, EngineShare] = WeakValueDictionary()

#: These must outlive their accelerators.
_unfinished: set[EngineShare] = set()


def shared(backend: Backend) -> EngineShare:
    """Return the share of the engine that a back end leads to."""
    with _guard:
        share = _shares.get(backend.engine)
        if share is None:
            share = _shares[backend.engine] = EngineShare()
        return share


def _forget() -> None:
    """Begin anew in a process that was forked.

    A lock may be held by a thread that this process does not have, and the buffers are not its own.
    """
    global _guard
    _guard = threading.Lock()
    _shares.clear()
    _unfinished.clear()


os.register_at_fork(after_in_child=_forget)
