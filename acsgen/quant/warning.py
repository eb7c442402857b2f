"""What the quantizer warns of."""

from __future__ import annotations

import warnings


class QuantizationWarning(UserWarning):
    """The network can be quantized, but probably not to what its author meant."""


def warn(message: str) -> None:
    """Issue a :class:`QuantizationWarning`."""
    warnings.warn(message, QuantizationWarning, stacklevel=2)
