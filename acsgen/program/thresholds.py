"""Gate thresholds as the parameter buffer holds them."""

from __future__ import annotations

import numpy as np

from acsgen.ir.integer import IntArray
from acsgen.program.words import Words, packed


def pack_thresholds(values: IntArray) -> Words:
    """Return int32 thresholds as words, two to a word, the first in the low half."""
    return packed(values, np.dtype("<i4"))
