"""The warning of the quantizer."""

from __future__ import annotations

import warnings


class QuantizationWarning(UserWarning):
    """The network can be quantized, but probably not to the network that its author meant."""


def warn(message: str) -> None:
    """Issue a :class:`QuantizationWarning`."""
    warnings.warn(message, QuantizationWarning, stacklevel=2)
