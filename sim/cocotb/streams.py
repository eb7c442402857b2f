"""Valid/ready streams for benches of single modules, with gaps at random."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.handle import ModifiableObject
from cocotb.triggers import ClockCycles, RisingEdge
from ports import bind_ports

PERIOD_NS = 10


async def begin(dut: ModifiableObject, idle: Iterable[str] = ()) -> None:
    """Start the clock and leave reset, with the named inputs and all valid and ready inputs low."""
    bind_ports(dut)
    for name in (*INPUTS, *idle):
        getattr(dut, name).value = 0
    cocotb.start_soon(Clock(dut.clk, PERIOD_NS, "ns").start())
    dut.rst_n.value = 0
    await ClockCycles(dut.clk, 3)
    dut.rst_n.value = 1
    await RisingEdge(dut.clk)


#: Inputs of ``units_bench`` that make something happen.
INPUTS = (
    *("rreq_valid", "rdata_ready", "wreq_valid", "wdata_valid", "wclear", "wmute"),
    *("m_axi_arready", "m_axi_rvalid", "m_axi_awready", "m_axi_wready", "m_axi_bvalid"),
    *("s_axil_awvalid", "s_axil_wvalid", "s_axil_bready", "s_axil_arvalid", "s_axil_rready"),
    *("done", "gave_up", "fifo_in_valid", "fifo_out_ready", "ram_in_valid", "ram_out_ready"),
    *("feed_clear", "feed_job_valid", "feed_in_valid", "feed_weights_take", "feed_record_take"),
    *("feed_thresholds_take", "share_discard"),
    *("share_a_req_valid", "share_a_data_ready", "share_b_req_valid", "share_b_data_ready"),
    *("share_out_ready", "share_in_valid", "runs_clear", "runs_start", "runs_write"),
    *("runs_words_take", "wb_write", "lg_valid"),
)


class Stream:
    """One end of a stream: its signals by their names in a bench, gaps by a share of all edges."""

    def __init__(
        self,
        dut: ModifiableObject,
        valid: str,
        ready: str,
        payload: Iterable[str] = (),
        *,
        seed: Any = 0,
    ) -> None:
        self.valid, self.ready = getattr(dut, valid), getattr(dut, ready)
        self.payload = [getattr(dut, name) for name in payload]
        self.edge = RisingEdge(dut.clk)
        self.rng = random.Random(f"{valid} {seed}")
        self.busy = 0.0

    def _rests(self) -> bool:
        return self.rng.random() < self.busy

    async def send(self, *values: int) -> None:
        """Offer values until they are taken."""
        while self._rests():
            await self.edge
        for signal, value in zip(self.payload, values, strict=True):
            signal.value = value
        self.valid.value = 1
        await self.edge
        while not int(self.ready.value):
            await self.edge
        # A value that is sent next, at this very edge, overrides these signals.
        self.valid.value = 0

    async def receive(self) -> tuple[int, ...]:
        """Be ready now and then until something is taken; returns it."""
        while True:
            ready = not self._rests()
            self.ready.value = ready
            await self.edge
            if ready and int(self.valid.value):
                self.ready.value = 0
                return tuple(int(signal.value) for signal in self.payload)
