"""Bits of masks on tensors."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from acsgen.ir.masks import ChannelMask, bits_of


def mask_bits(mask: ChannelMask, results: Mapping[str, Tensor]) -> Tensor:
    """The bit of every channel of a map, ``[N, C]``.

    Args:
        mask: of the map; not empty.
        results: the masks ``[N, bits]``, by name.
    """
    some = next(results[part.mask] for part in mask if part.mask is not None)
    parts = bits_of(
        mask,
        bits=results.__getitem__,
        cut=lambda bits, first, count: bits[:, first : first + count],
        ones=lambda count: some.new_ones((len(some), count)),
    )
    return torch.cat(parts, dim=1)
