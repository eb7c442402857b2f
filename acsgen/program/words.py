"""The type of the buffers that cross the bus; :mod:`acsgen_host.words` describes their content."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: 64-bit words.
Words = NDArray[np.uint64]
