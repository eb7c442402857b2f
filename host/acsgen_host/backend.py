"""The interface of a way to an engine: registers, memory, waiting.

:mod:`acsgen_host.pynq_backend` is the one for boards.  Simulations of the engine have the same
interface, so that the driver that runs on the board is the one that is tested.
"""

from __future__ import annotations

from typing import ContextManager, Hashable, Protocol

import numpy as np


class Buffer(Protocol):
    """Memory that the processors and the engine share, but not their caches.

    Attributes:
        words: the processors' view, uint64.
        address: where the engine finds it, in bytes; may be above 4 GiB.
    """

    words: np.ndarray
    address: int

    def flush(self, start: int = 0, count: int = -1) -> None:
        """Let the engine see ``count`` words from ``start``; all that follow if negative."""

    def invalidate(self) -> None:
        """Let the processors see the engine's writes."""

    def free(self) -> None:
        """Give the memory back."""


class Backend(Protocol):
    """The way to one engine.

    Attributes:
        name: for messages.
        engine: equal for all back ends of this process that lead to the same engine.
        has_interrupt: whether :meth:`wait` can be woken by the engine.
    """

    name: str
    engine: Hashable
    has_interrupt: bool

    def hold(self) -> ContextManager[None]:
        """Keep other processes from the engine, and require that its design is still loaded.

        No other method that reaches the engine is called outside of it; it is not entered twice.

        Raises:
            EngineTaken: another design is in its place.
            EngineBusy: another process does not let go of it.
        """

    def read(self, offset: int) -> int:
        """Return the 32-bit register at a byte offset."""

    def write(self, offset: int, value: int) -> None:
        """Write the 32-bit register at a byte offset."""

    def allocate(self, words: int) -> Buffer:
        """Return a contiguous buffer of so many 64-bit words.

        Raises :class:`~acsgen_host.errors.BackendError` where there is no memory.
        """

    def wait(self, seconds: float, interrupt: bool) -> None:
        """Let time pass: until the engine's interrupt if asked for, or a moment otherwise.

        Never longer than ``seconds``; it may return early for no reason, so that the caller looks
        at the registers either way.
        """

    def reset(self) -> bool:
        """Bring the engine into the state after power-up; False where that is not possible.

        Buffers stay, registers do not.
        """

    def close(self) -> None:
        """Release everything that this object holds; buffers are freed before."""
