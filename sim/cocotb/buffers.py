"""The four buffers of a run, in the order in which the engine's modules number them."""

from __future__ import annotations

from acsgen.isa.generated import BUFFER_REGISTERS

BUFFERS = ("program", "params", "image", "result")

#: For each of them the registers of its address and of its size in words.
REGISTERS = tuple(BUFFER_REGISTERS[name] for name in BUFFERS)
