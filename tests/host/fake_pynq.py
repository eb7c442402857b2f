"""A board for the real pynq package: a ``pynq.Device`` whose engine and memory are simulated.

pynq itself is not touched: the overlay, MMIO, buffers, the parser of the .hwh and the drivers of
the interrupt controller are its own.  This module takes the place of the hardware and the Linux
kernel: registers at physical addresses, DDR behind caches, an AXI interrupt controller, and its UIO
device.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pynq
import pynq.interrupt
import pynq.pl_server
import pynq.ps
import pytest
from acsgen_host import isa
from acsgen_host.simulation.board import GARBAGE, INTERRUPT_EDGES, SimulatedBoard
from pynq.buffer import PynqBuffer
from pynq.metadata.runtime_metadata_parser import RuntimeMetadataParser
from pynq.pl_server import embedded_device, global_state
from pynqmetadata.frontends import Metadata

ENGINE_BASE = 0x43C0_0000
INTC_BASE = 0x4180_0000
SLCR_BASE = 0xF800_0000
WINDOW = 0x1_0000

#: Clock registers that pynq reads when it loads an overlay: PLLs at 20 times the crystal, every
#: clock of the programmable logic divided by 5 and by 2.
SLCR_RESET = {
    **dict.fromkeys((0x100, 0x104, 0x108), 20 << 12),
    **dict.fromkeys((0x120, 0x170, 0x180, 0x190, 0x1A0), 2 << 20 | 5 << 8),
}

#: Edges that a read over the processors' bus takes in an engine's time: 0.2 us. The register that a
#: driver polls has the edges of its sleep between two looks too, or some of them.
ACCESS_EDGES = 20
POLL_EDGES = 500

#: The line of the processing system's first interrupt from the programmable logic.
FIRST_IRQ = 61


class InterruptController:
    """The registers of an AXI interrupt controller with one level-sensitive input."""

    ISR, IPR, IER, IAR, SIE, CIE, MER = 0x00, 0x04, 0x08, 0x0C, 0x10, 0x14, 0x1C

    def __init__(self, board: SimulatedBoard) -> None:
        self._board = board
        self._enabled = 0
        self._master = 0

    @property
    def _pending(self) -> int:
        return int(self._board.device.interrupt)

    @property
    def irq(self) -> bool:
        return self._master == 3 and bool(self._pending & self._enabled)

    def read(self, offset: int) -> int:
        values = {
            self.ISR: self._pending,
            self.IPR: self._pending & self._enabled,
            self.IER: self._enabled,
            self.MER: self._master,
        }
        return values.get(offset, 0)

    def write(self, offset: int, value: int) -> None:
        if offset == self.IER:
            self._enabled = value
        elif offset == self.SIE:
            self._enabled |= value
        elif offset == self.CIE:
            self._enabled &= ~value
        elif offset == self.MER:
            self._master = value


class UioController:
    """Takes the place of pynq's object of the same name, which opens a device file."""

    def __init__(self, board: SimulatedBoard, controller: InterruptController) -> None:
        self._board = board
        self._controller = controller
        self._events: list[Any] = []

    def add_event(self, event: Any, number: int) -> None:
        if not self._events:
            asyncio.get_event_loop().call_soon(self._look)
        self._events.append(event)

    def forget(self) -> None:
        """Wake nobody any more: the event loop outlives the board."""
        self._events = []

    def _look(self) -> None:
        """Act as the kernel does when the line rises, once for every time it is unmasked."""
        if not self._events:
            return
        if not self._controller.irq:
            self._board.advance(INTERRUPT_EDGES, True)
        if not self._controller.irq:
            asyncio.get_event_loop().call_later(1e-3, self._look)
            return
        events, self._events = self._events, []
        for event in events:
            event.set()


class FakeDevice(pynq.Device):
    """The device of a simulated board."""

    def __init__(self, board: SimulatedBoard, interrupt: bool) -> None:
        super().__init__(f"acsgen-simulated-{os.getpid()}")
        self.capabilities = {"REGISTER_RW": True}
        self.arch = pynq.ps.ZYNQ_ARCH
        self.name = "simulated"
        self.board = board
        self.downloads = 0
        self.flushes: list[tuple[int, int]] = []
        self._slcr: dict[int, int] = {}
        self._bases: dict[int, int] = {}
        self._controller = InterruptController(board)
        self._uio = UioController(board, self._controller) if interrupt else None

    @contextlib.contextmanager
    def active(self) -> Any:
        """Make this pynq's device, with its interrupt line, and nothing of it afterwards."""
        pynq.Device.active_device = self
        controllers = pynq.interrupt._InterruptController
        # Without UIO there is no entry, and pynq's search finds no interrupt of that number.
        devices = {} if self._uio is None else {FIRST_IRQ: self._uio}
        saved = controllers._uio_devices, pynq.interrupt.get_uio_irq
        controllers._uio_devices = devices
        pynq.interrupt.get_uio_irq = lambda irq: None
        controllers._controllers.clear()
        controllers._last_timestamp = None
        if hasattr(pynq.ps.Clocks, "_real_instance"):
            del pynq.ps.Clocks._real_instance
        try:
            yield self
        finally:
            if self._uio is not None:
                self._uio.forget()
            # Buffers that are collected later have nothing left to give back.
            self._bases.clear()
            controllers._uio_devices, pynq.interrupt.get_uio_irq = saved

    def read_registers(self, address: int, length: int) -> bytes:
        assert length % 4 == 0
        return b"".join(self._read(address + i).to_bytes(4, "little") for i in range(0, length, 4))

    def write_registers(self, address: int, data: bytes) -> None:
        for i in range(0, len(data), 4):
            self._write(address + i, int.from_bytes(data[i : i + 4], "little"))

    def _read(self, address: int) -> int:
        if ENGINE_BASE <= address < ENGINE_BASE + WINDOW:
            offset = address - ENGINE_BASE
            edges = POLL_EDGES if offset == isa.REG_CONTROL else ACCESS_EDGES
            self.board.advance(edges, False)
            return self.board.device.read(offset)
        if INTC_BASE <= address < INTC_BASE + WINDOW:
            return self._controller.read(address - INTC_BASE)
        assert SLCR_BASE <= address < SLCR_BASE + WINDOW, f"a read of {address:#x}"
        return self._slcr.get(address - SLCR_BASE, SLCR_RESET[address - SLCR_BASE])

    def _write(self, address: int, value: int) -> None:
        if ENGINE_BASE <= address < ENGINE_BASE + WINDOW:
            self.board.device.write(address - ENGINE_BASE, value)
        elif INTC_BASE <= address < INTC_BASE + WINDOW:
            self._controller.write(address - INTC_BASE, value)
        else:
            assert SLCR_BASE <= address < SLCR_BASE + WINDOW, f"a write of {address:#x}"
            self._slcr[address - SLCR_BASE] = value

    def allocate(self, shape: Any, dtype: Any, **kwargs: Any) -> PynqBuffer:
        assert not kwargs
        count = int(np.prod(shape)) * np.dtype(dtype).itemsize
        address = self.board.allocate(count)
        host = np.full(count, GARBAGE, np.uint8)
        self._bases[id(host)] = address
        weakref.finalize(host, self._free, id(host))
        return PynqBuffer(shape, dtype, buffer=host, device=self, device_address=address, bo=host)

    def _free(self, key: int) -> None:
        if key in self._bases:
            self.board.free(self._bases.pop(key))

    def flush(self, bo: Any, offset: int, pointer: int, size: int) -> None:
        self.flushes.append((offset, size))
        self.board.flush(self._bases[id(bo)] + offset, bo[offset : offset + size])

    def invalidate(self, bo: Any, offset: int, pointer: int, size: int) -> None:
        self.board.invalidate(self._bases[id(bo)] + offset, bo[offset : offset + size])

    def get_bitfile_metadata(self, bitfile_name: str, partial: bool = False) -> Any:
        return RuntimeMetadataParser(Metadata(input=str(Path(bitfile_name).with_suffix(".hwh"))))

    def download(self, bitstream: Any, parser: Any = None) -> None:
        """A bitstream's load resets the logic; the DDR keeps its content."""
        self.downloads += 1
        self.board.device.reset()
        self.post_download(bitstream, parser)


class BoardDevice(FakeDevice):
    """Keeps what pynq parsed, and the state for all processes, as pynq's device of a board does."""

    def __init__(self, board: SimulatedBoard, folder: Path, patch: pytest.MonkeyPatch) -> None:
        """Let pynq keep its files in ``folder`` until ``patch`` is undone."""
        super().__init__(board, False)
        for module in (pynq.pl_server, embedded_device):
            patch.setattr(module, "__file__", str(folder / "module.py"))
        patch.setattr(global_state, "STATE_DIR", str(folder))
        # These need tools of a board's image, and a whole bitstream.
        xclbin = embedded_device.DEFAULT_XCLBIN
        patch.setattr(embedded_device, "_create_xclbin", lambda memories: xclbin)
        patch.setattr(embedded_device.BitfileHandler, "get_bin_data", lambda self: b"")

    def get_bitfile_metadata(self, bitfile_name: str, partial: bool = False) -> Any:
        return embedded_device._get_bitstream_handler(bitfile_name).get_parser(partial=partial)

    def download(self, bitstream: Any, parser: Any = None) -> None:
        embedded_device.EmbeddedDevice.gen_cache(self, bitstream, parser)
        super().download(bitstream, parser)


def write_overlay(
    folder: Path,
    vlnv: str,
    interrupt: bool,
    engines: int = 1,
    *,
    content: bytes = b"",
    base: int = ENGINE_BASE,
    registers: Mapping[str, int] | None = None,
) -> Path:
    """Write a .bit of this content and its .hwh; return the path of the .bit.

    The .hwh has the engines from ``base`` on, with these registers, or with the control register.
    """
    bit = folder / "acs.bit"
    bit.write_bytes(content)
    names = [f"acs_engine_{i}" for i in range(engines)]
    ranges = [_memrange(n, base + i * WINDOW, "s_axi_control") for i, n in enumerate(names)]
    listed = {"CTRL": 0} if registers is None else registers
    modules = [_engine(name, vlnv, interrupt and i == 0, listed) for i, name in enumerate(names)]
    if interrupt:
        ranges.append(_memrange("axi_intc_0", INTC_BASE, "s_axi"))
        modules.append(_INTC)
    text = f"""<?xml version="1.0" encoding="UTF-8"?>
<EDKSYSTEM>
 <SYSTEMINFO ARCH="zynq" DEVICE="7z020" NAME="acs"/>
 <EXTERNALPORTS/>
 <EXTERNALINTERFACES/>
 <MODULES>
  <MODULE FULLNAME="/ps7" INSTANCE="ps7" IS_PL="FALSE" MODTYPE="processing_system7"
          VLNV="xilinx.com:ip:processing_system7:5.5">
   <PARAMETERS>{_clocks()}</PARAMETERS>
   <PORTS>{_PS_IRQ if interrupt else ""}</PORTS>
   <BUSINTERFACES>
    <BUSINTERFACE NAME="M_AXI_GP0" TYPE="MASTER" VLNV="xilinx.com:interface:aximm:1.0"/>
   </BUSINTERFACES>
   <MEMORYMAP>{"".join(ranges)}</MEMORYMAP>
  </MODULE>
  {"".join(modules)}
 </MODULES>
</EDKSYSTEM>
"""
    bit.with_suffix(".hwh").write_text(text, encoding="utf-8")
    return bit


def _clocks() -> str:
    values = {}
    for clock in range(4):
        values[f"PCW_FPGA_FCLK{clock}_ENABLE"] = int(clock == 0)
        values[f"PCW_FCLK{clock}_PERIPHERAL_DIVISOR0"] = 5
        values[f"PCW_FCLK{clock}_PERIPHERAL_DIVISOR1"] = 2
        values[f"PCW_FCLK{clock}_PERIPHERAL_CLKSRC"] = "IO PLL"
    return "".join(f'<PARAMETER NAME="{n}" VALUE="{v}"/>' for n, v in values.items())


def _memrange(instance: str, base: int, port: str) -> str:
    return (
        f'<MEMRANGE ADDRESSBLOCK="Reg" BASEVALUE="{base:#x}" HIGHVALUE="{base + WINDOW - 1:#x}" '
        f'INSTANCE="{instance}" MASTERBUSINTERFACE="M_AXI_GP0" MEMTYPE="REGISTER" '
        f'SLAVEBUSINTERFACE="{port}"/>'
    )


def _engine(name: str, vlnv: str, interrupt: bool, registers: Mapping[str, int]) -> str:
    listed = "".join(
        f'<REGISTER NAME="{n}"><PROPERTY NAME="ADDRESS_OFFSET" VALUE="{offset}"/></REGISTER>'
        for n, offset in registers.items()
    )
    kind = vlnv.split(":")[2]
    port = (
        '<PORT DIR="O" NAME="interrupt" SIGIS="INTERRUPT">'
        '<CONNECTIONS><CONNECTION INSTANCE="axi_intc_0" PORT="intr"/></CONNECTIONS></PORT>'
    )
    return f"""
  <MODULE FULLNAME="/{name}" INSTANCE="{name}" MODTYPE="{kind}" VLNV="{vlnv}">
   <ADDRESSBLOCKS><ADDRESSBLOCK INTERFACE="s_axi_control" NAME="Reg" USAGE="register">
    <REGISTERS>{listed}</REGISTERS>
   </ADDRESSBLOCK></ADDRESSBLOCKS>
   <PORTS>{port if interrupt else ""}</PORTS>
   <BUSINTERFACES>
    <BUSINTERFACE NAME="s_axi_control" TYPE="SLAVE" VLNV="xilinx.com:interface:aximm:1.0"/>
   </BUSINTERFACES>
  </MODULE>"""


_PS_IRQ = (
    '<PORT DIR="I" NAME="IRQ_F2P" SIGIS="INTERRUPT">'
    '<CONNECTIONS><CONNECTION INSTANCE="axi_intc_0" PORT="irq"/></CONNECTIONS></PORT>'
)

_INTC = """
  <MODULE FULLNAME="/axi_intc_0" INSTANCE="axi_intc_0" MODTYPE="axi_intc"
          VLNV="xilinx.com:ip:axi_intc:4.1">
   <PORTS>
    <PORT DIR="I" NAME="intr" SIGIS="INTERRUPT">
     <CONNECTIONS><CONNECTION INSTANCE="acs_engine_0" PORT="interrupt"/></CONNECTIONS></PORT>
    <PORT DIR="O" NAME="irq" SIGIS="INTERRUPT">
     <CONNECTIONS><CONNECTION INSTANCE="ps7" PORT="IRQ_F2P"/></CONNECTIONS></PORT>
   </PORTS>
   <BUSINTERFACES>
    <BUSINTERFACE NAME="s_axi" TYPE="SLAVE" VLNV="xilinx.com:interface:aximm:1.0"/>
   </BUSINTERFACES>
  </MODULE>"""
