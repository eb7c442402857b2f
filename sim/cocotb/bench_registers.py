"""Bench of the register file: the whole map against a model, then events of the same cycle."""

from __future__ import annotations

import random

import cocotb
from axi_rules import AxiRules
from buffers import REGISTERS
from cocotb.handle import ModifiableObject
from cocotb.triggers import ClockCycles, Combine, ReadOnly, RisingEdge
from cocotbext.axi import AxiLiteBus
from streams import Stream, begin

from acsgen.isa.generated import INPUT_REGISTERS, POINTER_REGISTERS, SPEC_HASH, Register, Status

STORED = {
    *POINTER_REGISTERS,
    *(pointer + 4 for pointer in POINTER_REGISTERS),
    *INPUT_REGISTERS,
}
START, DONE, IDLE, READY, AUTO, INTERRUPT = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 7, 1 << 9
ALL = 0xF
WORDS = range(0, 256, 4)


def strobed(old: int, data: int, strobe: int) -> int:
    """Return a register after a write of some of its bytes."""
    mask = sum(0xFF << 8 * i for i in range(4) if strobe >> i & 1)
    return old & ~mask | data & mask


class Model:
    """The register map of ``s_axilite`` as Vitis HLS documents it, with the registers of acsgen."""

    def __init__(self) -> None:
        self.stored = dict.fromkeys(STORED, 0)
        self.inputs = {Register.CONFIGURATION: 0, Register.STATUS: 0, Register.FAULT_INDEX: 0}
        self.busy = self.done = self.ready = self.auto = False
        self.gie = self.ier = self.isr = 0
        self.starts = 0
        self.latched = dict(self.stored)  # arguments of the run

    @property
    def interrupt(self) -> bool:
        """Whether the interrupt is up."""
        return bool(self.gie and self.isr & self.ier)

    def write(self, address: int, data: int, strobe: int) -> None:
        """Write a register."""
        low = strobe & 1
        if address in self.stored:
            self.stored[address] = strobed(self.stored[address], data, strobe)
        elif address == Register.CONTROL and low:
            self.auto = bool(data & AUTO)
            if data & START and not self.busy:
                self.busy = True
                self._start()
        elif address == Register.GIE and low:
            self.gie = data & 1
        elif address == Register.IER and low:
            self.ier = data & 3
        elif address == Register.ISR and low:
            self.isr ^= data & 3

    def read(self, address: int) -> int:
        """Return a register; reading the control register clears done and ready."""
        if address == Register.CONTROL:
            # Start stays until the run has ended.
            value = START * self.busy | DONE * self.done | IDLE * (not self.busy)
            value |= READY * self.ready | AUTO * self.auto | INTERRUPT * self.interrupt
            self.done = self.ready = False
            return value
        plain = {
            **self.stored,
            **self.inputs,
            Register.GIE: self.gie,
            Register.IER: self.ier,
            Register.ISR: self.isr,
            Register.SPEC_HASH: SPEC_HASH,
        }
        return plain.get(address, 0)

    def end(self) -> None:
        """Finish a run."""
        self.done = self.ready = True
        self.isr |= self.ier
        self.busy = self.auto
        if self.auto:
            self._start()

    def _start(self) -> None:
        self.starts += 1
        self.latched = dict(self.stored)


class Bench:
    """The register file with a host and the engine's side."""

    def __init__(self, dut: ModifiableObject) -> None:
        self.dut = dut
        self.aw = Stream(dut, "s_axil_awvalid", "s_axil_awready", ("s_axil_awaddr",))
        self.w = Stream(dut, "s_axil_wvalid", "s_axil_wready", ("s_axil_wdata", "s_axil_wstrb"))
        self.b = Stream(dut, "s_axil_bvalid", "s_axil_bready", ("s_axil_bresp",))
        self.ar = Stream(dut, "s_axil_arvalid", "s_axil_arready", ("s_axil_araddr",))
        self.r = Stream(dut, "s_axil_rvalid", "s_axil_rready", ("s_axil_rdata", "s_axil_rresp"))
        self.starts = 0
        AxiRules(dut.clk, dut.rst_n, AxiLiteBus.from_prefix(dut, "s_axil"))
        cocotb.start_soon(self._count())

    async def _count(self) -> None:
        edge = RisingEdge(self.dut.clk)
        while True:
            await edge
            self.starts += int(self.dut.start.value)

    async def write(self, address: int, data: int, strobe: int = ALL) -> None:
        """Write a register, address and data in any order."""
        sent = self.aw.send(address), self.w.send(data, strobe)
        await Combine(*map(cocotb.start_soon, sent))
        assert await self.b.receive() == (0,)

    async def read(self, address: int) -> int:
        """Read a register."""
        asking = cocotb.start_soon(self.ar.send(address))
        value, response = await self.r.receive()
        await asking
        assert response == 0
        return value

    async def end(self) -> None:
        """Tell that the run has ended."""
        self.dut.done.value = 1
        await RisingEdge(self.dut.clk)
        self.dut.done.value = 0
        await RisingEdge(self.dut.clk)


@cocotb.test()
async def registers(dut: ModifiableObject) -> None:
    """Writes of any bytes and reads anywhere, runs ending in between, every channel with gaps."""
    await begin(dut)
    bench, model, rng = Bench(dut), Model(), random.Random("registers")
    inputs = {
        Register.CONFIGURATION: dut.configuration,
        Register.STATUS: dut.status,
        Register.FAULT_INDEX: dut.fault_index,
    }
    for address, signal in inputs.items():
        model.inputs[address] = rng.getrandbits(32)
        signal.value = model.inputs[address]
    for address in WORDS:
        assert await bench.read(address) == model.read(address), f"{address:#x} after reset"
    control = [Register.CONTROL, Register.GIE, Register.IER, Register.ISR]
    for number in range(1200):
        if number % 100 == 0:
            for stream in (bench.aw, bench.w, bench.b, bench.ar, bench.r):
                stream.busy = rng.choice([0, 0, 0.5, 0.9])
        address = rng.choice([*control, rng.choice(WORDS)])
        kind = rng.random()
        if kind < 0.5:
            data, strobe = rng.getrandbits(32), rng.choice([ALL, ALL, rng.randrange(16)])
            if address == Register.CONTROL and rng.random() < 0.8:
                data &= ~AUTO
            # The low address bits mean nothing.
            await bench.write(address | rng.randrange(4), data, strobe)
            model.write(address, data, strobe)
        elif kind < 0.9 or not model.busy:
            found, wanted = await bench.read(address | rng.randrange(4)), model.read(address)
            assert found == wanted, f"{address:#x}: {found:#x}, not {wanted:#x}"
        else:
            await bench.end()
            model.end()
        await ClockCycles(dut.clk, 2)
        assert int(dut.irq.value) == model.interrupt
        assert bench.starts == model.starts, f"operation {number}"
        for index, (pointer, size) in enumerate(REGISTERS):
            found = int(dut.pointers.value) >> 64 * index & 2**64 - 1
            assert found == model.latched[pointer + 4] << 32 | model.latched[pointer]
            assert int(dut.sizes.value) >> 32 * index & 2**32 - 1 == model.latched[size]
        assert int(dut.trace.value) == (model.latched[Register.TRACE] != 0)


@cocotb.test()
async def at_once(dut: ModifiableObject) -> None:
    """Reads beside writes: neither waits for the other, and each write is answered once."""
    await begin(dut)
    bench, rng = Bench(dut), random.Random("at once")
    for _ in range(4):
        for stream in (bench.aw, bench.w, bench.b, bench.ar, bench.r):
            stream.busy = rng.choice([0, 0.5])
        values = [rng.getrandbits(32) for _ in range(40)]

        async def all_writes(values: list[int] = values) -> None:
            for value in values:
                await bench.write(Register.IMAGE, value)

        writing = cocotb.start_soon(all_writes())
        seen = []
        while not writing.done():
            assert await bench.read(Register.SPEC_HASH) == SPEC_HASH
            seen.append(await bench.read(Register.IMAGE))
        # The values read are those written, in the same order.
        places = [values.index(value) for value in seen if value in values]
        assert places == sorted(places)
        assert await bench.read(Register.IMAGE) == values[-1]
    # Address first and data first, far apart.
    for first, second in ((bench.aw.send, bench.w.send), (bench.w.send, bench.aw.send)):
        value = rng.getrandbits(32)
        arguments = {bench.aw.send: (Register.PARAMS,), bench.w.send: (value, ALL)}
        await first(*arguments[first])
        await ClockCycles(dut.clk, 9)
        assert not int(dut.s_axil_bvalid.value)
        await second(*arguments[second])
        assert await bench.b.receive() == (0,)
        assert await bench.read(Register.PARAMS) == value
    # Without a wait for answers the second write waits, and is not lost.
    sends = [(Register.PARAMS, 1), (Register.IMAGE, 2), (Register.RESULT, 3)]

    async def pipelined() -> None:
        for address, value in sends:
            both = bench.aw.send(address), bench.w.send(value, ALL)
            await Combine(*map(cocotb.start_soon, both))

    sending = cocotb.start_soon(pipelined())
    await ClockCycles(dut.clk, 20)
    for _ in sends:
        assert await bench.b.receive() == (0,)
    await sending
    assert [await bench.read(address) for address, _ in sends] == [1, 2, 3]


@cocotb.test()
async def end_of_a_run(dut: ModifiableObject) -> None:
    """The end at every edge around a read of the control register: done is seen exactly once."""
    await begin(dut)
    bench = Bench(dut)
    await bench.write(Register.GIE, 1)
    await bench.write(Register.IER, 1)
    for delay in range(8):
        await bench.write(Register.CONTROL, START)
        ending = cocotb.start_soon(bench.end())
        if delay >= 4:
            await ending
        await ClockCycles(dut.clk, max(0, delay - 4))
        seen = [await bench.read(Register.CONTROL) for _ in range(3)]
        await ending
        assert sum(bool(value & DONE) for value in seen) == 1, delay
        assert seen[-1] & (START | IDLE) == IDLE
        # The interrupt comes with done and goes with the toggle.
        assert int(dut.irq.value)
        await bench.write(Register.ISR, 1)
        await ReadOnly()
        assert not int(dut.irq.value)
        await RisingEdge(dut.clk)


@cocotb.test()
async def toggles_at_the_end(dut: ModifiableObject) -> None:
    """A write to ISR at any edge around the end of a run: enabled events are kept."""
    await begin(dut)
    bench = Bench(dut)
    await bench.write(Register.GIE, 1)
    await bench.write(Register.IER, 1)
    for delay in range(6):
        await bench.write(Register.CONTROL, START)

        async def end(delay: int = delay) -> None:
            await ClockCycles(dut.clk, delay + 1)
            await bench.end()

        ending = cocotb.start_soon(end())
        # Bit 1, which is not enabled, is toggled; bit 0 comes with the end.
        await bench.write(Register.ISR, 2)
        await ending
        assert await bench.read(Register.ISR) == 3, delay
        await bench.write(Register.ISR, 3)
        assert await bench.read(Register.ISR) == 0
        await bench.read(Register.CONTROL)


@cocotb.test()
async def starts_at_the_end(dut: ModifiableObject) -> None:
    """A start written before the end of a run is dropped; at the end, or later, it counts."""
    await begin(dut)
    bench = Bench(dut)
    kept = []
    for delay in range(9):
        await bench.write(Register.CONTROL, START)
        await ClockCycles(dut.clk, 3)
        starts, edges = bench.starts, {}

        async def note(edges: dict[str, int] = edges) -> None:
            """Note the edges at which the run ends, and at which the register is written."""
            number = 0
            while len(edges) < 2:
                await RisingEdge(dut.clk)
                number += 1
                if int(dut.done.value):
                    edges.setdefault("done", number)
                if int(dut.s_axil_bvalid.value):
                    edges.setdefault("written", number - 1)  # the answer is seen an edge later

        async def end(delay: int = delay) -> None:
            await ClockCycles(dut.clk, delay + 1)
            await bench.end()

        noting, ending = cocotb.start_soon(note()), cocotb.start_soon(end())
        await ClockCycles(dut.clk, 3)
        await bench.write(Register.CONTROL, START)
        await Combine(noting, ending)
        await ClockCycles(dut.clk, 4)
        again = bench.starts - starts
        assert again == int(edges["written"] >= edges["done"]), f"{delay}: {edges}"
        kept.append(edges["written"] - edges["done"])
        if again:
            await bench.end()
    assert {-1, 0, 1} <= set(kept), kept


@cocotb.test()
async def given_up(dut: ModifiableObject) -> None:
    """A run that the bus let down ends with a status and its instruction, until the next start."""
    await begin(dut)
    bench = Bench(dut)
    dut.status.value, dut.fault_index.value, dut.index.value = Status.OK, 5, 77
    await bench.write(Register.CONTROL, START)
    await ClockCycles(dut.clk, 9)
    dut.gave_up.value = 1
    await RisingEdge(dut.clk)
    dut.gave_up.value = 0
    await RisingEdge(dut.clk)
    dut.index.value = 0
    assert await bench.read(Register.CONTROL) & (DONE | IDLE) == DONE | IDLE
    assert await bench.read(Register.STATUS) == Status.BUS_TIMEOUT
    assert await bench.read(Register.FAULT_INDEX) == 77
    await bench.write(Register.CONTROL, START)
    await bench.end()
    assert await bench.read(Register.STATUS) == Status.OK
    assert await bench.read(Register.FAULT_INDEX) == 5
