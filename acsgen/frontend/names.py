"""Readable, unique, stable names for layers, from the paths of the user's modules."""

from __future__ import annotations

from collections import Counter

#: Operations that are the point of their module: ``layer1.0.conv1``, not ``layer1.0.conv1.conv``.
_PRIMARY = {"conv", "linear", "pool", "channelgate"}
_LABELS = {
    "addvectors": "sum",
    "andmasks": "both",
    "applycomplement": "kept",
    "applymask": "mask",
    "applyvector": "scale",
    "channelgate": "gate",
    "globalavg": "avgpool",
    "image": "input",
    "mulvectors": "product",
    "unknown": "op",
}


class Names:
    """Hands out names; each at most once."""

    def __init__(self) -> None:
        self._used: Counter[str] = Counter()

    def make(self, path: str, kind: str) -> str:
        """A name for an operation ``kind`` (lower case) in the module at ``path``."""
        label = _LABELS.get(kind, kind)
        bare = path if path and kind in _PRIMARY else ""
        if bare and bare not in self._used:
            return self.unique(bare)
        return self.unique(f"{path}.{label}" if path else label)

    def unique(self, name: str) -> str:
        """``name``, or with a number if it is taken."""
        candidate = name
        while candidate in self._used:
            self._used[name] += 1
            candidate = f"{name}_{self._used[name] - 1}"
        self._used[candidate] += 1
        return candidate
