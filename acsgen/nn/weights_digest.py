"""The digest of a network's weights, which a model file carries and its reader checks."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import torch
from torch import Tensor


def weights_digest(state: Mapping[str, Tensor]) -> str:
    """Return ``sha256:HEX`` of all tensors of a state dict: their names, types, shapes and bits.

    The order of the entries, their device and their memory layout make no difference.
    """
    digest = hashlib.sha256()
    for name in sorted(state):
        value = state[name].detach().cpu().contiguous()
        head = f"{name} {value.dtype} {list(value.shape)}\n"
        digest.update(head.encode())
        # As bytes, because NumPy has no bfloat16.
        digest.update(value.reshape(-1).view(torch.uint8).numpy().tobytes())
    return f"sha256:{digest.hexdigest()}"
