"""Shared by the benches of the engine: clock and reset, registers, buffers, a watch on the run."""

from __future__ import annotations

import cocotb
import numpy as np
from buffers import REGISTERS
from cocotb.clock import Clock
from cocotb.handle import ModifiableObject
from cocotb.triggers import ClockCycles, First, RisingEdge, Timer
from cocotbext.axi import AxiLiteBus, AxiLiteMaster
from ports import bind_ports

from acsgen.isa.generated import Register

#: Where program, parameters, image and result lie, as in ``acsgen.engines.rtl.engine``: far apart
#: and not aligned to 4 KiB.
ADDRESSES = (0x10_0000_0F00, 0x20_0000_0D38, 0x30_0000_0FE8, 0x40_0000_0FC0)
POISON = 0xDEADBEEFDEADBEEF
DONE, IDLE, READY, AUTO_RESTART = 1 << 1, 1 << 2, 1 << 3, 1 << 7
PERIOD_NS = 10


class Hung(AssertionError):
    """The engine did not finish in time."""


class Host:
    """Drives the engine's registers over AXI4-Lite."""

    def __init__(self, dut: ModifiableObject) -> None:
        self.dut = dut
        bind_ports(dut)
        self.edges = 0
        self.written_at = 0
        self.interrupted_at = 0
        self.interrupts = 0
        dut.rst_n.value = 0
        cocotb.start_soon(Clock(dut.clk, PERIOD_NS, "ns").start())
        self.registers = AxiLiteMaster(
            AxiLiteBus.from_prefix(dut, "s_axil"), dut.clk, dut.rst_n, reset_active_level=False
        )
        cocotb.start_soon(self._watch())

    async def _watch(self) -> None:
        """Note the edges at which a register write is taken and the interrupt is first seen."""
        dut, edge, before = self.dut, RisingEdge(self.dut.clk), 0
        pins = (
            (dut.s_axil_awvalid, dut.s_axil_awready),
            (dut.s_axil_wvalid, dut.s_axil_wready),
        )
        while True:
            await edge
            if any(int(valid.value) and int(ready.value) for valid, ready in pins):
                self.written_at = self.edges
            level = int(dut.irq.value)
            if level and not before:
                self.interrupted_at = self.edges
                self.interrupts += 1
            before = level
            self.edges += 1

    async def reset(self, cycles: int = 4) -> None:
        """Hold reset."""
        self.dut.rst_n.value = 0
        await ClockCycles(self.dut.clk, cycles)
        self.dut.rst_n.value = 1
        await ClockCycles(self.dut.clk, 2)

    async def write(self, offset: int, value: int) -> None:
        """Write a register."""
        await self.registers.write_dword(offset, value)

    async def read(self, offset: int) -> int:
        """Read a register."""
        return int(await self.registers.read_dword(offset))

    async def point_at(self, buffers: list[np.ndarray], trace: bool = False) -> None:
        """Write addresses and sizes of the four buffers."""
        for (pointer, size), address, words in zip(REGISTERS, ADDRESSES, buffers, strict=True):
            await self.write(pointer, address & 0xFFFFFFFF)
            await self.write(pointer + 4, address >> 32)
            await self.write(size, len(words))
        await self.write(Register.TRACE, int(trace))

    async def interrupts_on(self, on: bool = True) -> None:
        """Let the end of a run raise the interrupt, or not."""
        await self.write(Register.GIE, int(on))
        await self.write(Register.IER, int(on))

    async def start(self) -> None:
        """Set the start bit."""
        await self.write(Register.CONTROL, 1)

    async def wait(self, cycles: int) -> None:
        """Wait for the interrupt; clear it and the done bit."""
        timeout = Timer(cycles * PERIOD_NS, "ns")
        if not int(self.dut.irq.value):
            first = await First(RisingEdge(self.dut.irq), timeout)
            if first is timeout:
                raise Hung(f"no end after {cycles} cycles")
        await RisingEdge(self.dut.clk)  # for the watch to see it
        await self.write(Register.ISR, await self.read(Register.ISR))
        await self.read(Register.CONTROL)

    async def poll(self, cycles: int) -> None:
        """Wait for the done bit without interrupts."""
        for _ in range(0, cycles, 50):
            if await self.read(Register.CONTROL) & DONE:
                return
            await ClockCycles(self.dut.clk, 40)
        raise Hung(f"no end after {cycles} cycles")
