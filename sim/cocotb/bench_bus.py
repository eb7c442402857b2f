"""A host and a bus as cocotbext-axi makes them, at random, around either top of the engine.

Nothing here knows the engine but its registers and its four buffers: latency, ready and valid on
every channel, addresses, error answers, resets, register traffic and interrupts are drawn anew for
every run.  ``ACSGEN_JOB`` names an ``.npz``:

* ``program``, ``params``, ``images``: words;
* ``plain``, ``traced``: results for every image;
* ``known``: the bits of ``traced`` that an image determines; cycle counters are no such bits;
* ``owners``: the instruction of every word of ``params``, -1 for none or several;

and ``job``, JSON:

* ``top``: names of ``clock``, ``reset``, ``irq``, the ``control`` bus and the ``masters``;
* ``seeds``: of the runs, errors and resets that are tried;
* ``limit``: clock edges after which a run hangs.

In every run the bus is watched by :class:`axi_rules.AxiRules`, and no access may be outside the
four buffers as they were when the run started.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from typing import Any

import cocotb
import numpy as np
from axi_rules import AxiRules
from buffers import REGISTERS
from cocotb.clock import Clock
from cocotb.handle import ModifiableObject
from cocotb.triggers import ClockCycles, First, RisingEdge, Timer
from cocotbext.axi import AxiBus, AxiLiteBus, AxiLiteMaster, AxiSlave, MemoryInterface
from one_slave import OneSlave
from ports import bind_ports

from acsgen.isa.generated import (
    HEADER_WORDS,
    SPEC_HASH,
    WORD_BYTES,
    Register,
    ResultHeader,
    Status,
)

PERIOD_NS = 10
DONE, IDLE = 1 << 1, 1 << 2
POISON = 0x5A5A_C3C3_0F0F_9696
ARGUMENTS = (
    *(register for pair in REGISTERS for register in pair),
    *(pointer + 4 for pointer, _ in REGISTERS),
    Register.TRACE,
)


class Buffers(MemoryInterface):
    """Four buffers in an otherwise empty address space, which answers SLVERR."""

    def __init__(self, clock: ModifiableObject) -> None:
        super().__init__(2**64)
        self.clock = clock
        self.regions: list[tuple[int, np.ndarray, bool]] = []
        self.draw(random.Random(0), 0)

    def draw(self, rng: random.Random, latency: int) -> None:
        """Begin to count anew, with reads and writes that take up to ``latency`` more edges."""
        self.rng, self.latency = rng, latency
        self.reads = self.writes = self.strays = 0
        self.fail_read = self.fail_write = 0
        self.failures = 1
        self.failed: list[tuple[int, int]] = []
        self._next = -1

    async def _pause(self, address: int) -> None:
        # The words of a burst follow each other; its first one is far.
        if self.latency and (address != self._next or self.rng.random() < 0.01):
            delay = self.rng.randint(0, self.latency)
            if delay:
                await ClockCycles(self.clock, delay)
        self._next = address + WORD_BYTES

    def _find(self, address: int, write: bool) -> tuple[int, int]:
        for index, (base, words, writable) in enumerate(self.regions):
            if base <= address < base + WORD_BYTES * len(words) and (writable or not write):
                return index, (address - base) // WORD_BYTES
        self.strays += 1
        raise ValueError(f"nothing at {address:#x}")

    async def read(self, address: int, length: int, **kwargs: Any) -> bytes:
        """Return a word."""
        await self._pause(address)
        index, offset = self._find(address, False)
        self.reads += 1
        if 0 <= self.reads - self.fail_read < self.failures and self.fail_read:
            self.failed.append((index, offset))
            raise ValueError("as drawn")
        return int(self.regions[index][1][offset]).to_bytes(WORD_BYTES, "little")

    async def write(self, address: int, data: bytes, **kwargs: Any) -> None:
        """Take a word."""
        await self._pause(address)
        index, offset = self._find(address, True)
        self.writes += 1
        if 0 <= self.writes - self.fail_write < self.failures and self.fail_write:
            raise ValueError("as drawn")
        assert len(data) == WORD_BYTES, "only whole words are written"
        self.regions[index][1][offset] = int.from_bytes(data, "little")


class Bench:
    """Either top, a host, and a slave on each of its masters, with or without reset."""

    def __init__(
        self, dut: ModifiableObject, slave_reset: bool = True, one_slave: bool = False
    ) -> None:
        with np.load(os.environ["ACSGEN_JOB"]) as file:
            self.files = {name: file[name] for name in file.files}
        self.job: dict[str, Any] = json.loads(str(self.files["job"]))
        bind_ports(dut)
        top = self.job["top"]
        self.clock, self.reset, self.irq = (
            getattr(dut, top[name]) for name in ("clock", "reset", "irq")
        )
        self.reset.value = 0
        cocotb.start_soon(Clock(self.clock, PERIOD_NS, "ns").start())
        self.host = AxiLiteMaster(
            AxiLiteBus.from_prefix(dut, top["control"]),
            self.clock,
            self.reset,
            reset_active_level=False,
        )
        self.memory = Buffers(self.clock)
        self.response = 2
        pin = self.reset if slave_reset else None
        self.buses = buses = [self._bus(dut, prefix) for prefix in top["masters"]]
        self.rules = [
            AxiRules(self.clock, self.reset, bus, slave_reset=slave_reset)
            for bus in (*buses, AxiLiteBus.from_prefix(dut, top["control"]))
        ]
        self.slaves: list[AxiSlave] = []
        if one_slave:
            OneSlave(self.clock, buses, self.memory, random.Random("one slave"))
        else:
            self.slaves = [self._slave(bus, pin) for bus in buses]
        for side in (self.host.read_if, self.host.write_if):
            side.log.setLevel("WARNING")
        self.result = np.zeros(0, np.uint64)

    @staticmethod
    def _bus(dut: ModifiableObject, prefix: str) -> AxiBus:
        bus = AxiBus.from_prefix(dut, prefix)
        for channel, name in ((bus.write.aw, "awlock"), (bus.read.ar, "arlock")):
            # Vitis HLS makes it as wide as in AXI3, which cocotbext-axi refuses.
            if hasattr(channel, name) and len(getattr(channel, name)) > 1:
                delattr(channel, name)
        return bus

    def _slave(self, bus: AxiBus, reset: ModifiableObject | None) -> AxiSlave:
        slave = AxiSlave(
            bus,
            self.clock,
            reset,
            self.memory,
            reset_active_level=False,
        )
        for side, channel, field in (
            (slave.read_if, slave.read_if.r_channel, "rresp"),
            (slave.write_if, slave.write_if.b_channel, "bresp"),
        ):
            side.log.setLevel("ERROR")
            self._answer_as_drawn(channel, field)
        return slave

    def _answer_as_drawn(self, channel: Any, field: str) -> None:
        """Let the errors of a channel be DECERR where that was drawn, and their data anything."""
        send = channel.send

        async def changed(transaction: Any) -> None:
            if getattr(transaction, field):
                setattr(transaction, field, self.response)
                if field == "rresp":
                    transaction.rdata = self.memory.rng.getrandbits(64)
            await send(transaction)

        channel.send = changed

    def draw(self, rng: random.Random) -> None:
        """Draw how the bus behaves."""
        latency = rng.choice([0, 0, 3, 20, 200])
        self.memory.draw(rng, latency)
        self.response = rng.choice([2, 3])
        lite = (self.host.write_if, ("aw", "w", "b")), (self.host.read_if, ("ar", "r"))
        full = [
            sides
            for slave in self.slaves
            for sides in ((slave.write_if, ("aw", "w", "b")), (slave.read_if, ("ar", "r")))
        ]
        for side, names in (*lite, *full):
            for name in names:
                busy = rng.choice([0, 0, 0, 0.1, 0.5, 0.8])
                channel = getattr(side, f"{name}_channel")
                channel.clear_pause_generator()
                channel.pause = False
                if busy:
                    channel.set_pause_generator(pauses(random.Random(rng.random()), busy))

    def place(
        self, rng: random.Random, image: int, trace: bool, more: bool = False
    ) -> list[tuple[int, np.ndarray]]:
        """Draw addresses of the four buffers, multiples of 8 in pages far apart.

        With ``more``, the buffers that were there stay.
        """
        expected = self.files["traced" if trace else "plain"][image]
        self.result = np.full(len(expected), POISON, np.uint64)
        arrays = (
            self.files["program"],
            self.files["params"],
            self.files["images"][image],
            self.result,
        )
        placed = []
        for index, words in enumerate(arrays):
            page = (index + 1 << rng.choice([20, 33, 44])) + (rng.randrange(16) << 12)
            # Often such that a burst meets the boundary early.
            offset = rng.choice(
                [0, WORD_BYTES * rng.randrange(512), 4096 - WORD_BYTES * rng.randrange(1, 40)]
            )
            placed.append((page + offset, words))
        stay = self.memory.regions if more else []
        self.memory.regions = [(base, words, words is self.result) for base, words in placed] + stay
        self.result_at = placed[-1][0]
        return placed

    async def write(self, register: int, value: int) -> None:
        """Write a register."""
        await self.host.write_dword(register, value)

    async def read(self, register: int) -> int:
        """Read a register."""
        return int(await self.host.read_dword(register))

    async def out_of_reset(self, edges: int = 3) -> None:
        """Hold reset for some edges."""
        self.reset.value = 0
        await ClockCycles(self.clock, edges)
        self.reset.value = 1
        await RisingEdge(self.clock)

    async def set_up(
        self, rng: random.Random, image: int, trace: bool, interrupts: bool, more: bool = False
    ) -> None:
        """Write all registers, in any order."""
        settings = [(Register.TRACE, int(trace)), (Register.GIE, int(interrupts))]
        settings.append((Register.IER, int(interrupts)))
        for (pointer, size), (base, words) in zip(
            REGISTERS, self.place(rng, image, trace, more), strict=True
        ):
            settings += [(pointer, base & 0xFFFFFFFF), (pointer + 4, base >> 32)]
            settings.append((size, len(words)))
        rng.shuffle(settings)
        for register, value in settings:
            await self.write(register, value)
        # Registers keep their values, also while the engine runs.
        self.written = settings

    async def begin(
        self, rng: random.Random, image: int, trace: bool, interrupts: bool, more: bool = False
    ) -> None:
        """Write all registers, in any order, and start."""
        await self.set_up(rng, image, trace, interrupts, more)
        for rules in self.rules:
            rules.watch_errors()
        await self.write(Register.CONTROL, 1)

    async def look_around(self, rng: random.Random) -> None:
        """Read and write registers and start again while the engine is busy."""
        values = {**dict(self.written), Register.SPEC_HASH: SPEC_HASH}
        for _ in range(rng.randrange(6)):
            await ClockCycles(self.clock, rng.randrange(100))
            register, value = rng.choice(list(values.items()))
            assert await self.read(register) == value, f"register {register:#x}"
            # What is written now is for the next run.
            register = rng.choice([*ARGUMENTS])
            values[register] = rng.choice([0, 1, rng.getrandbits(32)])
            await self.write(register, values[register])
            if rng.random() < 0.5:
                assert await self.read(Register.CONTROL) & (DONE | IDLE) == 0
                await self.write(Register.CONTROL, 1)

    async def finish(self, interrupts: bool) -> None:
        """Wait for the end; leaves no interrupt behind."""
        limit = Timer(self.job["limit"] * PERIOD_NS, "ns")
        if interrupts:
            if not int(self.irq.value):
                assert await First(RisingEdge(self.irq), limit) is not limit, "hangs"
            assert await self.read(Register.ISR) == 1
            await self.write(Register.ISR, 1)
            assert not int(self.irq.value)
            assert await self.read(Register.CONTROL) & DONE
        else:
            for _ in range(0, self.job["limit"], 50):
                if await self.read(Register.CONTROL) & DONE:
                    break
                assert not int(self.irq.value)
                await ClockCycles(self.clock, 50)
            else:
                raise AssertionError("hangs")
        assert await self.read(Register.CONTROL) & (DONE | IDLE) == IDLE

    async def good_run(self, rng: random.Random, more: bool = False) -> None:
        """Run an image; everything must be right."""
        image, trace = rng.randrange(len(self.files["images"])), rng.random() < 0.2
        interrupts = rng.random() < 0.7
        await self.begin(rng, image, trace, interrupts, more)
        await self.look_around(rng)
        await self.finish(interrupts)
        assert await self.read(Register.STATUS) == Status.OK
        if more:
            # Reads that an earlier run owed are counted too.
            self.right(image, trace)
            return
        assert self.memory.strays == 0
        header = self.result[:HEADER_WORDS].tolist()
        assert self.memory.reads == header[ResultHeader.READ_WORDS]
        assert self.memory.writes == header[ResultHeader.WRITTEN_WORDS] + HEADER_WORDS
        self.right(image, trace)

    def right(self, image: int, trace: bool) -> None:
        """Compare the result buffer with what the image gives."""
        assert self.memory.strays == 0
        known = self.files["known"][: len(self.result)]
        wanted = self.files["traced" if trace else "plain"][image]
        np.testing.assert_array_equal(self.result & known, wanted & known)


def pauses(rng: random.Random, busy: float) -> Iterator[bool]:
    """Yield pauses that take the given share of the time, several edges each."""
    while True:
        spell = rng.choice([1, 1, 2, 7])
        pause = rng.random() < busy
        for _ in range(spell):
            yield pause


@cocotb.test()
async def good_runs(dut: ModifiableObject) -> None:
    """Run after run, each behind another bus."""
    bench = Bench(dut)
    await bench.out_of_reset()
    for seed in bench.job["seeds"]:
        rng = random.Random(f"runs {seed}")
        bench.draw(rng)
        await bench.good_run(rng)


@cocotb.test()
async def errors(dut: ModifiableObject) -> None:
    """An error answer to any beat: a status, the right instruction, and a good run after it."""
    bench = Bench(dut)
    await bench.out_of_reset()
    owners = bench.files["owners"]
    for seed in bench.job["seeds"]:
        rng = random.Random(f"errors {seed}")
        bench.draw(rng)
        image, interrupts = rng.randrange(len(bench.files["images"])), rng.random() < 0.5
        trace = rng.random() < 0.5
        good = bench.files["traced" if trace else "plain"][image]
        bench.memory.failures = rng.choice([1, 1, 2, 1 << 30])
        if rng.random() < 0.75:
            bench.memory.fail_read = rng.randint(1, int(good[ResultHeader.READ_WORDS]))
        else:
            written = int(good[ResultHeader.WRITTEN_WORDS]) + HEADER_WORDS
            bench.memory.fail_write = rng.randint(1, written)
        await bench.begin(rng, image, trace, interrupts)
        await bench.finish(interrupts)
        assert await bench.read(Register.STATUS) == Status.BUS_ERROR
        index = await bench.read(Register.FAULT_INDEX)
        assert bench.memory.strays == 0
        header = range(bench.result_at, bench.result_at + WORD_BYTES * HEADER_WORDS)
        for rules in bench.rules:
            assert set(rules.written_after) <= set(header), "more than the header after an error"
        if bench.memory.failed:
            # The program by its words, parameters by their instructions, the image by LOAD.
            blamed = {
                (offset // WORD_BYTES, int(owners[offset]) if region == 1 else 0, 0)[region]
                for region, offset in bench.memory.failed
            }
            assert blamed & {-1, index}, f"{index} blamed, not {blamed}"
        if bench.memory.fail_write:
            known = bench.files["known"][: len(good)]
            right = (bench.result == POISON) | (bench.result & known == good & known)
            assert right[HEADER_WORDS:].all(), "something else than the result was written"
        bench.draw(rng)
        await bench.good_run(rng)


@cocotb.test()
async def resets(dut: ModifiableObject) -> None:
    """Reset at any moment, of engine and memory, for as little as an edge; then a good run."""
    bench = Bench(dut)
    await bench.out_of_reset()
    for seed in bench.job["seeds"]:
        rng = random.Random(f"resets {seed}")
        bench.draw(rng)
        await bench.begin(rng, 0, rng.random() < 0.3, rng.random() < 0.5)
        await ClockCycles(bench.clock, rng.choice([rng.randrange(60), rng.randrange(4000)]))
        await bench.out_of_reset(rng.choice([1, 2, 5, 20]))
        assert not int(bench.irq.value)
        bench.draw(rng)
        assert await bench.read(Register.CONTROL) == IDLE
        await bench.good_run(rng)


@cocotb.test()
async def resets_of_the_engine_alone(dut: ModifiableObject) -> None:
    """A memory without reset still sends what it owes; the next run starts at once, and is good."""
    bench = Bench(dut, slave_reset=False)
    await bench.out_of_reset()
    for seed in bench.job["seeds"]:
        rng = random.Random(f"alone {seed}")
        bench.draw(rng)
        await bench.begin(rng, 0, rng.random() < 0.5, False)
        # Early, while much is read; or at any time, also while words are written.
        await ClockCycles(bench.clock, rng.choice([rng.randrange(1, 250), rng.randrange(6000)]))
        await bench.out_of_reset(rng.choice([1, 5]))
        # The bus stays as it is: a transfer that has begun does not change its ways.
        for _ in range(2):
            await bench.good_run(rng, more=True)


async def take_words_alone(bench: Bench, until_last: bool) -> None:
    """Let the slaves take the words of a burst and not its address."""
    for slave in bench.slaves:
        for name in ("aw", "w"):
            getattr(slave.write_if, f"{name}_channel").clear_pause_generator()
        slave.write_if.w_channel.queue_occupancy_limit = 64
        slave.write_if.aw_channel.pause = True
        slave.write_if.w_channel.pause = False
    for _ in range(bench.job["limit"]):
        await RisingEdge(bench.clock)
        for bus in bench.buses:
            w = bus.write.w
            if int(w.wvalid.value) and int(w.wready.value) and int(w.wlast.value) >= until_last:
                return
    raise AssertionError("no word is offered before its address is taken")


def take_addresses(bench: Bench) -> None:
    """Let the slaves take addresses again."""
    for slave in bench.slaves:
        slave.write_if.aw_channel.pause = False


@cocotb.test()
async def words_before_their_address(dut: ModifiableObject) -> None:
    """Slaves that wait for the words of a burst, in a good run and when they are reset too."""
    bench = Bench(dut)
    await bench.out_of_reset()
    for seed in bench.job["seeds"]:
        rng = random.Random(f"words first {seed}")
        bench.draw(rng)
        await bench.begin(rng, 0, rng.random() < 0.5, False)
        await take_words_alone(bench, True)
        if rng.random() < 0.7:
            await bench.out_of_reset(rng.choice([1, 5]))
            take_addresses(bench)
        else:
            take_addresses(bench)
            await bench.finish(False)
        await bench.good_run(rng, more=True)


@cocotb.test()
async def words_before_a_reset(dut: ModifiableObject) -> None:
    """A memory without reset has words, and not their address, when the engine is reset."""
    bench = Bench(dut, slave_reset=False)
    await bench.out_of_reset()
    for seed in bench.job["seeds"]:
        rng = random.Random(f"words kept {seed}")
        bench.draw(rng)
        await bench.begin(rng, 0, rng.random() < 0.5, False)
        await take_words_alone(bench, rng.random() < 0.3)
        await ClockCycles(bench.clock, rng.randrange(20))
        await bench.out_of_reset(rng.choice([1, 5]))
        take_addresses(bench)
        await bench.good_run(rng, more=True)


@cocotb.test()
async def dead_memory(dut: ModifiableObject) -> None:
    """A memory that owes words and stops: a status in time, and a good run when it is back."""
    bench = Bench(dut)
    await bench.out_of_reset()
    rng = random.Random("dead")
    bench.draw(rng)
    await bench.begin(rng, 0, False, True)
    await ClockCycles(bench.clock, 40)
    for slave in bench.slaves:
        slave.read_if.r_channel.clear_pause_generator()
        slave.read_if.r_channel.pause = True
    await bench.finish(True)
    assert await bench.read(Register.STATUS) == Status.BUS_TIMEOUT
    assert bench.memory.writes == 0
    for slave in bench.slaves:
        slave.read_if.r_channel.pause = False
    await bench.good_run(rng, more=True)


@cocotb.test()
async def next_runs(dut: ModifiableObject) -> None:
    """Arguments of the next run are written, and it is started, in any cycle around the end."""
    bench = Bench(dut)
    await bench.out_of_reset()
    for seed in bench.job["seeds"]:
        rng = random.Random(f"next {seed}")
        bench.draw(rng)
        images, traces = [rng.randrange(len(bench.files["images"])) for _ in range(2)], [False] * 2
        await bench.begin(rng, images[0], traces[0], False)
        first = bench.result
        traces[1] = rng.random() < 0.5
        await bench.set_up(rng, images[1], traces[1], False, more=True)
        second = bench.result
        # Started again and again, as hosts do that do not wait for the end: no start is lost.
        for _ in range(bench.job["limit"] // 20):
            if second[ResultHeader.STATUS] != POISON:
                break
            await bench.write(Register.CONTROL, 1)
            await ClockCycles(bench.clock, rng.randrange(20))
        for _ in range(bench.job["limit"] // 50):
            if await bench.read(Register.CONTROL) & IDLE:
                break
            await ClockCycles(bench.clock, 50)
        else:
            raise AssertionError("hangs")
        for result, image, trace in zip((first, second), images, traces, strict=True):
            bench.result = result
            bench.right(image, trace)


@cocotb.test()
async def one_slave(dut: ModifiableObject) -> None:
    """All ports behind one slave that serves a burst at a time."""
    bench = Bench(dut, slave_reset=False, one_slave=True)
    await bench.out_of_reset()
    for seed in bench.job["seeds"]:
        rng = random.Random(f"one {seed}")
        bench.memory.draw(rng, rng.choice([0, 0, 3, 20]))
        await bench.good_run(rng)
