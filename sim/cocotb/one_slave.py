"""One slave for several masters, as slow to take things as AXI4 allows: a transfer at a time.

It serves the ports in any order, reads and writes alike; while it serves one burst, nothing else is
taken, and nothing is buffered.  A master must not keep a burst waiting for another one.
"""

from __future__ import annotations

import random
from typing import Any

import cocotb
from cocotb.handle import ModifiableObject
from cocotb.triggers import RisingEdge
from cocotbext.axi import AxiBus, MemoryInterface

from acsgen.isa.generated import WORD_BYTES


class OneSlave:
    """A slave on the named ports, out of reset for good."""

    def __init__(
        self,
        clock: ModifiableObject,
        buses: list[AxiBus],
        memory: MemoryInterface,
        rng: random.Random,
    ) -> None:
        self.edge, self.buses, self.memory, self.rng = RisingEdge(clock), buses, memory, rng
        for bus in buses:
            for side, names in (
                (bus.read.ar, ("arready",)),
                (bus.read.r, ("rvalid", "rresp", "rlast", "rdata", "rid")),
                (bus.write.aw, ("awready",)),
                (bus.write.w, ("wready",)),
                (bus.write.b, ("bvalid", "bresp", "bid")),
            ):
                for name in names:
                    getattr(side, name).value = 0
        cocotb.start_soon(self._run())

    async def _run(self) -> None:
        while True:
            await self.edge
            offers: list[tuple[Any, Any]] = []
            for bus in self.buses:
                if int(bus.read.ar.arvalid.value):
                    offers.append((self._read, bus.read))
                if int(bus.write.aw.awvalid.value):
                    offers.append((self._write, bus.write))
            if offers:
                serve, side = self.rng.choice(offers)
                await serve(side)

    async def _read(self, side: Any) -> None:
        address, beats = int(side.ar.araddr.value), int(side.ar.arlen.value) + 1
        side.ar.arready.value = 1
        await self.edge
        side.ar.arready.value = 0
        for beat in range(beats):
            word = await self.memory.read(address + WORD_BYTES * beat, WORD_BYTES)
            side.r.rdata.value = int.from_bytes(word, "little")
            side.r.rlast.value = int(beat == beats - 1)
            side.r.rvalid.value = 1
            await self.edge
            while not int(side.r.rready.value):
                await self.edge
            side.r.rvalid.value = 0

    async def _write(self, side: Any) -> None:
        address, beats = int(side.aw.awaddr.value), int(side.aw.awlen.value) + 1
        side.aw.awready.value = 1
        await self.edge
        side.aw.awready.value = 0
        for beat in range(beats):
            side.w.wready.value = 1
            await self.edge
            while not int(side.w.wvalid.value):
                await self.edge
            side.w.wready.value = 0
            if int(side.w.wstrb.value):
                word = int(side.w.wdata.value).to_bytes(WORD_BYTES, "little")
                await self.memory.write(address + WORD_BYTES * beat, word)
        side.b.bvalid.value = 1
        await self.edge
        while not int(side.b.bready.value):
            await self.edge
        side.b.bvalid.value = 0
