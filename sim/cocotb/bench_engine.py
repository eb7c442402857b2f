"""Benches of the whole engine.  A job file lists the runs; results go into another.

``ACSGEN_JOB`` names an ``.npz`` with ``program``, ``params``, ``images`` (a row each), and ``job``,
which is JSON:

* ``result_words``, ``traced_words``: sizes of the result buffer;
* ``runs``: ``{"image", "trace", "memory"}`` each, for :func:`runs`;
* ``faults``: ``{"fail_read", "fail_write", "response"}`` each, for :func:`faults`;
* ``resets``: clock edges after the start at which :func:`resets` pulls reset;
* ``limit``: cycles after which a run hangs.

``ACSGEN_RESULTS`` names the ``.npz`` that :func:`runs` writes.
"""

from __future__ import annotations

import json
import os
from typing import Any

import cocotb
import numpy as np
from axi_rules import AxiRules
from cocotb.handle import ModifiableObject
from cocotb.triggers import ClockCycles
from cocotbext.axi import AxiBus, AxiLiteBus
from engine_host import ADDRESSES, AUTO_RESTART, DONE, IDLE, POISON, READY, Host
from timed_memory import Region, TimedMemory

from acsgen.isa.generated import HEADER_WORDS, INSTRUCTION_WORDS, Register, ResultHeader, Status

NO_FAULT = {"fail_read": 0, "fail_write": 0, "response": 2}
USUAL = {"latency": 32, "bandwidth": 256, "seed": 0, **NO_FAULT}
CLOCKED = [ResultHeader.CYCLES, ResultHeader.STALL_CYCLES]


class Bench:
    """The engine, its host, its memory, and the job."""

    def __init__(self, dut: ModifiableObject) -> None:
        with np.load(os.environ["ACSGEN_JOB"]) as file:
            self.program, self.params, self.images = (
                file[name] for name in ("program", "params", "images")
            )
            self.job: dict[str, Any] = json.loads(str(file["job"]))
        self.dut = dut
        self.host = Host(dut)
        self.limit = int(self.job["limit"])
        self.result = np.zeros(0, np.uint64)

    def buffers(self, image: int = 0, trace: bool = False) -> list[np.ndarray]:
        """Return the four buffers, with a new result buffer."""
        words = self.job["traced_words" if trace else "result_words"]
        self.result = np.full(words, POISON, np.uint64)
        return [self.program, self.params, self.images[image], self.result]

    def use(self, memory: TimedMemory, buffers: list[np.ndarray]) -> None:
        """Put the buffers into memory; only the result may be written."""
        memory.regions = [
            Region(address, words, words is self.result)
            for address, words in zip(ADDRESSES, buffers, strict=True)
        ]

    async def run(self, memory: TimedMemory, image: int = 0, trace: bool = False) -> int:
        """Run once with interrupts; returns the cycles from start to interrupt."""
        buffers = self.buffers(image, trace)
        self.use(memory, buffers)
        await self.host.point_at(buffers, trace)
        await self.host.interrupts_on()
        memory.configure(memory.options)
        await self.host.start()
        started = self.host.written_at
        await self.host.wait(self.limit)
        return self.host.interrupted_at - started

    async def good_run(self, memory: TimedMemory) -> np.ndarray:
        """Run image 0 under usual circumstances; returns the result, cycle counters cleared."""
        memory.configure(USUAL)
        await self.run(memory)
        assert await self.host.read(Register.STATUS) == Status.OK
        assert memory.stray_beats == 0
        return without_cycles(self.result)


def without_cycles(result: np.ndarray) -> np.ndarray:
    """Return a result without the counters that depend on memory's speed."""
    plain = result.copy()
    plain[CLOCKED] = 0
    return plain


async def ready_bench(dut: ModifiableObject) -> tuple[Bench, TimedMemory]:
    """Make a bench, out of reset."""
    bench = Bench(dut)
    memory = TimedMemory(dut, USUAL)
    for bus in (AxiBus.from_prefix(dut, "m_axi"), AxiLiteBus.from_prefix(dut, "s_axil")):
        AxiRules(dut.clk, dut.rst_n, bus)
    await bench.host.reset()
    return bench, memory


@cocotb.test()
async def runs(dut: ModifiableObject) -> None:
    """Do the runs of the job; every result is kept, with the counts of the bench."""
    bench, memory = await ready_bench(dut)
    kept: dict[str, Any] = {}
    for number, run in enumerate(bench.job["runs"]):
        memory.configure({**USUAL, **run["memory"]})
        cycles = await bench.run(memory, run["image"], run["trace"])
        registers = [
            await bench.host.read(register)
            for register in (
                Register.STATUS,
                Register.FAULT_INDEX,
                Register.SPEC_HASH,
                Register.CONFIGURATION,
            )
        ]
        kept[f"result{number}"] = bench.result
        kept[f"run{number}"] = np.array(
            [*registers, cycles, memory.read_beats, memory.write_beats, memory.stray_beats]
        )
    np.savez(os.environ["ACSGEN_RESULTS"], **kept)


@cocotb.test()
async def faults(dut: ModifiableObject) -> None:
    """An error answer ends the run with a status, nothing is written astray, the next is good."""
    bench, memory = await ready_bench(dut)
    good = await bench.good_run(memory)
    for fault in bench.job["faults"]:
        memory.configure({**USUAL, **NO_FAULT, **fault})
        await bench.run(memory)
        said = await bench.host.read(Register.STATUS)
        index = await bench.host.read(Register.FAULT_INDEX)
        assert said == Status.BUS_ERROR, f"{fault}: status {said}"
        assert index < len(bench.program) // INSTRUCTION_WORDS, f"{fault}: instruction {index}"
        assert memory.stray_beats == 0, fault
        header = bench.result[:HEADER_WORDS]
        if "fail_read" in fault:
            assert header[ResultHeader.STATUS] == Status.BUS_ERROR, fault
            assert header[ResultHeader.FAULT_INDEX] == index, fault
        # Every word of the result is that of the good run, or was not written.
        body = bench.result[HEADER_WORDS:]
        if "fail_write" in fault:
            assert np.isin(body, [*good[HEADER_WORDS:], POISON]).all(), fault
        np.testing.assert_array_equal(await bench.good_run(memory), good)
    assert bench.host.interrupts == 1 + 2 * len(bench.job["faults"])


@cocotb.test()
async def resets(dut: ModifiableObject) -> None:
    """Reset in mid-run: quiet at once, and the next run is good."""
    bench, memory = await ready_bench(dut)
    good = await bench.good_run(memory)
    for cycles in bench.job["resets"]:
        memory.configure(USUAL)
        buffers = bench.buffers()
        bench.use(memory, buffers)
        await bench.host.point_at(buffers)
        await bench.host.interrupts_on()
        await bench.host.start()
        await ClockCycles(dut.clk, cycles)
        dut.rst_n.value = 0
        await ClockCycles(dut.clk, 2)
        for name in ("m_axi_arvalid", "m_axi_awvalid", "m_axi_wvalid", "irq", "s_axil_rvalid"):
            assert int(getattr(dut, name).value) == 0, f"{name} in reset after {cycles} cycles"
        await bench.host.reset()
        assert await bench.host.read(Register.CONTROL) == IDLE
        assert await bench.host.read(Register.GIE) == 0
        assert await bench.host.read(Register.RESULT_WORDS) == 0
        np.testing.assert_array_equal(await bench.good_run(memory), good)


@cocotb.test()
async def start_while_busy(dut: ModifiableObject) -> None:
    """A start in mid-run changes nothing and does not start another run."""
    bench, memory = await ready_bench(dut)
    good = await bench.good_run(memory)
    buffers = bench.buffers()
    bench.use(memory, buffers)
    await bench.host.point_at(buffers)
    seen = bench.host.interrupts
    await bench.host.start()
    for _ in range(5):
        assert await bench.host.read(Register.CONTROL) & (DONE | IDLE) == 0
        await bench.host.start()
        await ClockCycles(dut.clk, 97)
    await bench.host.wait(bench.limit)
    np.testing.assert_array_equal(without_cycles(bench.result), good)
    beats = memory.read_beats
    await ClockCycles(dut.clk, 2000)
    assert await bench.host.read(Register.CONTROL) == IDLE
    assert (memory.read_beats, bench.host.interrupts) == (beats, seen + 1)


@cocotb.test()
async def without_interrupts(dut: ModifiableObject) -> None:
    """With interrupts off in any way, polling finds the end; the pin stays low."""
    bench, memory = await ready_bench(dut)
    good = await bench.good_run(memory)
    seen = bench.host.interrupts
    for enables in ((0, 0), (0, 1), (1, 0), (1, 2)):
        buffers = bench.buffers()
        bench.use(memory, buffers)
        await bench.host.point_at(buffers)
        await bench.host.write(Register.GIE, enables[0])
        await bench.host.write(Register.IER, enables[1])
        await bench.host.start()
        await bench.host.poll(bench.limit)
        np.testing.assert_array_equal(without_cycles(bench.result), good)
        # Bit 1 of IER is the ready event, which comes with the end.
        assert int(dut.irq.value) == (enables == (1, 2))
        assert await bench.host.read(Register.ISR) == enables[1]
        await bench.host.write(Register.ISR, enables[1])
        assert await bench.host.read(Register.ISR) == 0
        assert int(dut.irq.value) == 0
    assert bench.host.interrupts == seen + 1


@cocotb.test()
async def auto_restart(dut: ModifiableObject) -> None:
    """With auto-restart the engine runs until told to stop."""
    bench, memory = await ready_bench(dut)
    good = await bench.good_run(memory)
    buffers = bench.buffers()
    bench.use(memory, buffers)
    await bench.host.point_at(buffers)
    await bench.host.write(Register.CONTROL, 1 | AUTO_RESTART)
    for _ in range(2):
        await bench.host.wait(bench.limit)
        np.testing.assert_array_equal(without_cycles(bench.result), good)
    await bench.host.write(Register.CONTROL, 0)
    await bench.host.wait(bench.limit)
    await ClockCycles(dut.clk, 500)
    assert await bench.host.read(Register.CONTROL) & ~READY == IDLE
