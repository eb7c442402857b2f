"""Names the on-chip memories and registers that loads and stores of LLVM IR touch."""

from __future__ import annotations

import re

from acsgen.engines.hlscheck.ir import Function, Instruction

_CONSTANT_ADDRESS = re.compile(
    r"getelementptr (?:inbounds )?(?:nuw )?\(.*?(@[\w.$]+)((?:, i\d+ \d+)*)\)"
)
_INDICES = re.compile(r", i\d+ (\S+?)(?=,|$)")


class Objects:
    """Gives every address a name: a variable, and the members and constant elements on the way.

    An index that is no constant chooses an element of the array before it; the name is that of the
    array.
    """

    def __init__(self, function: Function) -> None:
        self._values = function.values

    def of(self, access: Instruction) -> str:
        """Return the name of the place that a load or store touches."""
        constant = _CONSTANT_ADDRESS.search(access.text)
        if constant:
            return f"{constant[1]}{_path(constant[2])}"
        return self._name(access.operands[-1])

    def chosen(self, access: Instruction) -> bool:
        """Whether an index that is no constant takes part in the address."""
        made = self._values.get(access.operands[-1])
        while made is not None and made.opcode in ("getelementptr", "bitcast"):
            if made.opcode == "getelementptr" and len(made.operands) > 1:
                return True
            made = self._values.get(made.operands[0])
        return False

    def _name(self, pointer: str) -> str:
        made = self._values.get(pointer)
        if made is None or made.opcode not in ("getelementptr", "bitcast"):
            return pointer
        if made.opcode == "bitcast":
            return self._name(made.operands[0])
        inner = _CONSTANT_ADDRESS.search(made.text)
        base = f"{inner[1]}{_path(inner[2])}" if inner else self._name(made.operands[0])
        return base + _path(made.text.rsplit(")", 1)[-1] if inner else made.text)


def _path(indices: str) -> str:
    """The members and elements of a list of indices, up to the first that is no constant."""
    path = ""
    for index in _INDICES.findall(indices):
        if not index.isdecimal():
            return path + "[]"
        path += f".{index}"
    return path
