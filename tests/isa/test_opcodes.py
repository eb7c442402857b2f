"""Every opcode of the specification has its place in the hand-written parts of both engines."""

from __future__ import annotations

import re

import pytest

from acsgen.isa.generated import Opcode
from acsgen.support.assets import asset

pytestmark = pytest.mark.unit

#: By what a file does: its path, and the text by which it names an opcode.
PLACES = {
    "C++ judges": (("templates", "hls", "acs_check.cpp"), r"case acs_isa::OP_{}:"),
    "C++ starts": (("templates", "hls", "acs_sequencer.cpp"), r"case acs_isa::OP_{}:"),
    "SystemVerilog judges": (("hw", "rtl", "acs_check.sv"), r"^ *OP_{}:"),
}

#: All but END, which every engine knows by itself.
OPCODES = [opcode for opcode in Opcode if opcode is not Opcode.END]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("opcode", OPCODES, ids=lambda opcode: opcode.name)
def test_an_opcode_is_not_forgotten(opcode: Opcode, place: str) -> None:
    """One that no check knows is taken as it is, and one that nothing starts is passed over."""
    path, text = PLACES[place]
    source = asset(*path).read_text(encoding="utf-8")
    assert re.search(text.format(opcode.name), source, flags=re.MULTILINE), "/".join(path)
