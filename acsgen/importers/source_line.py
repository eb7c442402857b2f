"""The place of an operation in the user's source, from the stack trace that an export keeps."""

from __future__ import annotations

import re

_FRAME = re.compile(r'File "([^"\n]+)", line (\d+)')
#: PyTorch's own layers have a path in the network, which says more than a line of PyTorch's source.
_IN_TORCH = re.compile(r"[/\\_]torch[/\\_](nn|_\w+|functional)")


def source_line(trace: str) -> str:
    """Return ``net.py:12`` for the innermost line of ``trace``; "" if there is none, or torch's."""
    frames = _FRAME.findall(trace)
    if not frames or _IN_TORCH.search(frames[-1][0]):
        return ""
    file, line = frames[-1]
    name = file.replace("\\", "/").rsplit("/", 1)[-1]
    return f"{name}:{line}"
