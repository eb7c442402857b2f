"""Reads the clock of a C simulation (``sim/csim/acs_counting.hpp``)."""

from __future__ import annotations

import ctypes

import numpy as np

from acsgen.engines.loop_counts import Claim, LoopCounts


class Counter:
    """Reads the clock of a library."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        library.acs_claim_name.restype = ctypes.c_char_p
        library.acs_count_loops.restype = ctypes.POINTER(ctypes.c_uint64)
        self.claims = tuple(
            Claim(
                library.acs_claim_name(number).decode(),
                library.acs_claim_interval(number),
                library.acs_claim_depth(number),
            )
            for number in range(library.acs_claims())
        )

    def read(self) -> LoopCounts:
        """Return the counts of the last run."""
        shape = (self._library.acs_count_instructions(), len(self.claims), 3)
        words = np.ctypeslib.as_array(self._library.acs_count_loops(), shape)
        return LoopCounts(
            self.claims, words.astype(np.int64), int(self._library.acs_count_cycles())
        )
