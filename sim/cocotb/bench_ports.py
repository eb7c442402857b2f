"""Benches of the AXI4 masters, of the sharing of reads, and of the buffers in all of them.

Memory is cocotbext-axi's.  Every sequence is seeded; the models here know nothing of the modules.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from typing import Any

import cocotb
from axi_rules import AxiRules
from cocotb.handle import ModifiableObject
from cocotb.triggers import ClockCycles, Combine, RisingEdge, with_timeout
from cocotbext.axi import AxiBus, AxiRam
from streams import PERIOD_NS, Stream, begin

from acsgen.isa.generated import WORD_BYTES as WORD

MAX_BURST = 16  # of both masters in units_bench
PAGE = 4096
RAM = 1 << 16
ROUNDS = 6
PATIENCE = (200_000 * PERIOD_NS, "ns")


def bursts_of(address: int, words: int) -> list[tuple[int, int]]:
    """Return the bursts that a request must become, as long as they may be: (address, words)."""
    found = []
    while words:
        burst = min(words, MAX_BURST, (PAGE - address % PAGE) // WORD)
        found.append((address, burst))
        address, words = address + WORD * burst, words - burst
    return found


def random_requests(rng: random.Random, count: int) -> list[tuple[int, int]]:
    """Return (address, words), many of them near a boundary, none overlapping another."""
    pages = rng.sample(range(0, RAM // PAGE - 2, 2), count)
    return [
        (
            (rng.randrange(1 << 30) * RAM)
            + page * PAGE
            + rng.choice([0, WORD * rng.randrange(512), PAGE - WORD * rng.randrange(1, 20)]),
            rng.choice([1, 2, MAX_BURST, MAX_BURST + 1, rng.randrange(1, 100)]),
        )
        for page in pages
    ]


def pause(channel: Any, rng: random.Random) -> None:
    """Let a channel of cocotbext-axi rest at random, or not at all."""
    busy, own = rng.choice([0, 0.3, 0.8]), random.Random(rng.random())
    channel.clear_pause_generator()
    channel.pause = False
    if busy:
        channel.set_pause_generator(own.random() < busy for _ in iter(int, 1))


def answering(channel: Any, field: str, draw: Callable[[], int]) -> list[int]:
    """Let a channel give answers at random; returns the list of answers, which grows."""
    send, answers = channel.send, []

    async def changed(transaction: Any) -> None:
        answers.append(draw())
        setattr(transaction, field, answers[-1])
        await send(transaction)

    channel.send = changed
    return answers


class Watch:
    """Keeps the requests that were taken on an address channel."""

    def __init__(self, dut: ModifiableObject, channel: str, *more: str) -> None:
        self.taken: list[tuple[int, ...]] = []
        names = ("addr", "len", *more)
        self.signals = [getattr(dut, f"m_axi_{channel}{name}") for name in names]
        self.valid = getattr(dut, f"m_axi_{channel}valid")
        self.ready = getattr(dut, f"m_axi_{channel}ready")
        self.edge = RisingEdge(dut.clk)
        cocotb.start_soon(self._run())

    async def _run(self) -> None:
        while True:
            await self.edge
            if int(self.valid.value) and int(self.ready.value):
                self.taken.append(tuple(int(signal.value) for signal in self.signals))


def memory(dut: ModifiableObject, *, reset: bool = True) -> AxiRam:
    """Return a RAM on the masters' AXI4 port."""
    bus = AxiBus.from_prefix(dut, "m_axi")
    pins = (dut.rst_n,) if reset else ()
    ram = AxiRam(bus, dut.clk, *pins, reset_active_level=False, size=RAM)
    AxiRules(dut.clk, dut.rst_n, AxiBus.from_prefix(dut, "m_axi"), slave_reset=reset)
    for side in (ram.read_if, ram.write_if):
        side.log.setLevel("ERROR")
    return ram


@cocotb.test()
async def axi_read(dut: ModifiableObject) -> None:
    """Words in order with their errors; bursts as long as they may be, with their user."""
    await begin(dut)
    ram, rng = memory(dut), random.Random("read")
    ram.write(0, rng.randbytes(RAM))
    watch = Watch(dut, "ar", "user")
    rate = 0.0
    answers = answering(
        ram.read_if.r_channel, "rresp", lambda: rng.choice([1, 2, 3]) if rng.random() < rate else 0
    )
    requests = Stream(dut, "rreq_valid", "rreq_ready", ("rreq_addr", "rreq_words", "rreq_user"))
    words = Stream(dut, "rdata_valid", "rdata_ready", ("rdata", "rdata_error"))
    for _ in range(ROUNDS):
        rate = rng.choice([0, 0.05])
        answers.clear()
        watch.taken.clear()
        for channel in (ram.read_if.ar_channel, ram.read_if.r_channel):
            pause(channel, rng)
        requests.busy, words.busy = rng.choice([0, 0.5, 0.95]), rng.choice([0, 0.3, 0.9])
        wanted = [(*request, rng.randrange(3)) for request in random_requests(rng, 5)]

        async def ask(wanted: list[tuple[int, int, int]] = wanted) -> None:
            for request in wanted:
                await requests.send(*request)

        asking = cocotb.start_soon(ask())
        count = sum(n for _, n, _ in wanted)
        found = [await with_timeout(words.receive(), *PATIENCE) for _ in range(count)]
        await with_timeout(asking, *PATIENCE)
        assert [word for word, _ in found] == [
            int.from_bytes(ram.read((address + WORD * i) % RAM, WORD), "little")
            for address, n, _ in wanted
            for i in range(n)
        ]
        assert [error for _, error in found] == [int(answer >= 2) for answer in answers]
        assert watch.taken == [
            (at, n - 1, user)
            for address, all_, user in wanted
            for at, n in bursts_of(address, all_)
        ]
        await ClockCycles(dut.clk, 20)
        assert int(dut.ridle.value)
        assert not int(dut.rdata_valid.value)


@cocotb.test()
async def axi_read_after_reset(dut: ModifiableObject) -> None:
    """Beats that a memory without reset still sends are dropped; the next words are right."""
    await begin(dut)
    ram, rng = memory(dut, reset=False), random.Random("left over")
    ram.write(0, rng.randbytes(RAM))
    requests = Stream(dut, "rreq_valid", "rreq_ready", ("rreq_addr", "rreq_words", "rreq_user"))
    words = Stream(dut, "rdata_valid", "rdata_ready", ("rdata", "rdata_error"))
    for wait in (1, 3, 5, 9, 30):
        await requests.send(0x100, 100, 0)
        await ClockCycles(dut.clk, wait)
        dut.rst_n.value = 0
        await ClockCycles(dut.clk, 1)
        dut.rst_n.value = 1
        await ClockCycles(dut.clk, 150)
        assert not int(dut.rdata_valid.value)
        await requests.send(0x2000, 3, 0)
        found = [(await with_timeout(words.receive(), *PATIENCE))[0] for _ in range(3)]
        assert b"".join(word.to_bytes(8, "little") for word in found) == ram.read(0x2000, 24)


@cocotb.test()
async def axi_write(dut: ModifiableObject) -> None:
    """Memory holds the words written and is untouched elsewhere; any error answer is kept."""
    await begin(dut)
    ram, rng = memory(dut), random.Random("write")
    model = bytearray(rng.randbytes(RAM))
    ram.write(0, bytes(model))
    watch = Watch(dut, "aw")
    # In every round one kind of answer, to some bursts; the second is one of them.
    kind = 0
    answers: list[int] = answering(
        ram.write_if.b_channel,
        "bresp",
        lambda: kind if len(answers) == 1 or rng.random() < 0.1 else 0,
    )
    requests = Stream(dut, "wreq_valid", "wreq_ready", ("wreq_addr", "wreq_words"))
    words = Stream(dut, "wdata_valid", "wdata_ready", ("wdata",))
    for number in range(2 * ROUNDS):
        kind = number % 4
        answers.clear()
        watch.taken.clear()
        write = ram.write_if
        for channel in (write.aw_channel, write.w_channel, write.b_channel):
            pause(channel, rng)
        requests.busy, words.busy = rng.choice([0, 0.9]), rng.choice([0, 0.3, 0.9])
        wanted = random_requests(rng, 5)
        dut.wclear.value = 1
        await RisingEdge(dut.clk)
        dut.wclear.value = 0
        # Words may be there before their request.
        sent = [rng.randbytes(WORD) for _ in range(sum(n for _, n in wanted))]

        async def ask(wanted: list[tuple[int, int]] = wanted) -> None:
            for request in wanted:
                await requests.send(*request)

        async def give(sent: list[bytes] = sent) -> None:
            for word in sent:
                await words.send(int.from_bytes(word, "little"))

        both = Combine(cocotb.start_soon(ask()), cocotb.start_soon(give()))
        await with_timeout(both, *PATIENCE)
        await RisingEdge(dut.clk)
        while not int(dut.widle.value):
            await RisingEdge(dut.clk)
        assert watch.taken == [
            (at, beats - 1) for address, count in wanted for at, beats in bursts_of(address, count)
        ]
        assert len(answers) == len(watch.taken), "idle before all answers"
        assert int(dut.werror.value) == int(kind >= 2), number
        places = ((address + WORD * i) % RAM for address, n in wanted for i in range(n))
        for place, word in zip(places, sent, strict=True):
            model[place : place + WORD] = word
        assert ram.read(0, RAM) == bytes(model)


@cocotb.test()
async def axi_write_muted(dut: ModifiableObject) -> None:
    """Once muted, nothing is written but a word on offer; requests end all the same."""
    await begin(dut)
    ram, rng = memory(dut), random.Random("muted")
    requests = Stream(dut, "wreq_valid", "wreq_ready", ("wreq_addr", "wreq_words"))
    words = Stream(dut, "wdata_valid", "wdata_ready", ("wdata",))
    for wait in (0, 7, 20, 30, 45, 60):
        for channel in (ram.write_if.aw_channel, ram.write_if.w_channel):
            pause(channel, rng)
        ram.write(0, bytes(PAGE))
        written = [0]

        async def count(written: list[int] = written) -> None:
            while True:
                await RisingEdge(dut.clk)
                written[0] += int(dut.wwritten.value)

        async def give() -> None:
            await requests.send(0, 70)
            for index in range(70):
                await words.send(index + 1)

        counting, giving = cocotb.start_soon(count()), cocotb.start_soon(give())
        await ClockCycles(dut.clk, 1 + wait)
        dut.wmute.value = 1
        await RisingEdge(dut.clk)
        before = written[0]
        await with_timeout(giving, *PATIENCE)
        await RisingEdge(dut.clk)
        while not int(dut.widle.value):
            await RisingEdge(dut.clk)
        found = [int.from_bytes(ram.read(WORD * i, WORD), "little") for i in range(70)]
        assert found == [i + 1 if i < written[0] else 0 for i in range(70)]
        assert written[0] - before <= 1, wait
        dut.wmute.value = 0
        await requests.send(WORD * 100, 1)
        await words.send(5)
        await RisingEdge(dut.clk)
        while not int(dut.widle.value):
            await RisingEdge(dut.clk)
        assert ram.read(WORD * 100, 1) == bytes([5])
        counting.kill()


async def in_order(dut: ModifiableObject, name: str) -> None:
    """Words come out in the order in which they went in, with and without gaps; just eight fit."""
    await begin(dut)
    rng = random.Random(name)
    source = Stream(dut, f"{name}_in_valid", f"{name}_in_ready", (f"{name}_in_data",))
    sink = Stream(dut, f"{name}_out_valid", f"{name}_out_ready", (f"{name}_out_data",))
    in_ready, out_valid = source.ready, sink.valid
    held: deque[int] = deque()
    for _ in range(8):
        held.append(rng.randrange(1 << 16))
        await source.send(held[-1])
    await RisingEdge(dut.clk)
    assert not int(in_ready.value)
    for source.busy, sink.busy in ((0, 0), (0, 0.8), (0.8, 0), (0.5, 0.5)):
        values = [rng.randrange(1 << 16) for _ in range(200)]

        async def fill(values: list[int] = values) -> None:
            for value in values:
                await source.send(value)

        filling = cocotb.start_soon(fill())
        held.extend(values)
        found = [(await with_timeout(sink.receive(), *PATIENCE))[0] for _ in range(200)]
        await with_timeout(filling, *PATIENCE)
        assert found == [held.popleft() for _ in range(200)]
    while held:
        assert (await sink.receive())[0] == held.popleft()
    await RisingEdge(dut.clk)
    assert not int(out_valid.value)


@cocotb.test()
async def fifo(dut: ModifiableObject) -> None:
    """The buffer in registers."""
    await in_order(dut, "fifo")


@cocotb.test()
async def fifo_in_block_ram(dut: ModifiableObject) -> None:
    """The buffer in block RAM."""
    await in_order(dut, "ram")


class Sharing:
    """Two users of acs_read_share and a read master, all at random."""

    def __init__(self, dut: ModifiableObject, seed: int) -> None:
        self.dut, self.rng = dut, random.Random(f"share {seed}")
        self.asked: list[tuple[int, int, int]] = []  # user, address, words
        self.sent: list[list[tuple[int, int]]] = [[], []]  # word and error
        self.got: list[list[tuple[int, int]]] = [[], []]
        self.users = [
            (
                Stream(
                    dut,
                    f"share_{name}_req_valid",
                    f"share_{name}_req_ready",
                    (f"share_{name}_req_addr", f"share_{name}_req_words"),
                    seed=seed,
                ),
                Stream(
                    dut,
                    f"share_{name}_data_valid",
                    f"share_{name}_data_ready",
                    ("share_data", "share_error"),
                    seed=seed,
                ),
            )
            for name in "ab"
        ]
        self.master = Stream(
            dut,
            "share_out_valid",
            "share_out_ready",
            ("share_out_user", "share_out_addr", "share_out_words"),
            seed=seed,
        )
        self.words = Stream(
            dut,
            "share_in_valid",
            "share_in_ready",
            ("share_in_data", "share_in_error"),
            seed=seed,
        )
        streams = [stream for pair in self.users for stream in pair]
        for stream in (*streams, self.master, self.words):
            stream.busy = self.rng.choice([0, 0.2, 0.8])
        self.tasks = [
            cocotb.start_soon(task)
            for task in (self._order(), self._serve(), self._take(0), self._take(1))
        ]

    async def _order(self) -> None:
        """Note requests in the order in which they are accepted.

        Of two that wait, the first user's goes first; the other may go where it came first.
        """
        dut, edge = self.dut, RisingEdge(self.dut.clk)
        pins = [[getattr(dut, f"share_{n}_req_{s}") for s in ("valid", "ready")] for n in "ab"]
        waited = 0  # the first user did, in the cycle before
        while True:
            await edge
            taken = [int(valid.value) and int(ready.value) for valid, ready in pins]
            assert sum(taken) < 2
            assert not (taken[1] and waited), "the second before the first"
            waited = int(pins[0][0].value) and not taken[0]
            for user, (stream, _) in enumerate(self.users):
                if taken[user]:
                    self.asked.append((user, *(int(signal.value) for signal in stream.payload)))

    async def _serve(self) -> None:
        number = 0
        while True:
            request = await self.master.receive()
            assert request == self.asked[number]
            number += 1
            for _ in range(request[2]):
                word = self.rng.randrange(1 << 64), self.rng.randrange(2)
                self.sent[request[0]].append(word)
                await self.words.send(*word)

    async def _take(self, user: int) -> None:
        while True:
            word, error = await self.users[user][1].receive()
            self.got[user].append((word, error))

    async def ask(self, user: int, count: int) -> int:
        """Make requests; returns their words."""
        total = 0
        for _ in range(count):
            words = self.rng.randrange(1, 12)
            await self.users[user][0].send(self.rng.randrange(1 << 64), words)
            total += words
        return total

    def stop(self) -> None:
        """End the coroutines, with nothing offered."""
        for task in self.tasks:
            task.kill()
        for _, data in self.users:
            data.ready.value = 0
        self.words.valid.value = 0
        self.master.ready.value = 0


@cocotb.test()
async def read_share(dut: ModifiableObject) -> None:
    """Every word goes to the user that asked for it; dropping leaves nothing under way."""
    await begin(dut)
    for seed in range(ROUNDS):
        sharing = Sharing(dut, seed)
        asking = [cocotb.start_soon(sharing.ask(user, 30)) for user in range(2)]
        await with_timeout(Combine(*asking), *PATIENCE)
        for _ in range(20_000):
            await RisingEdge(dut.clk)
            if int(dut.share_idle.value):
                break
        await ClockCycles(dut.clk, 2)
        assert sharing.got == sharing.sent
        assert [len(words) for words in sharing.got] == [task.result() for task in asking]
        assert int(dut.share_idle.value)
        # Half of the seeds end with a drop in the middle of other requests.
        if seed % 2:
            asking = [cocotb.start_soon(sharing.ask(user, 2)) for user in range(2)]
            await with_timeout(Combine(*asking), *PATIENCE)
            dut.share_discard.value = 1
            await RisingEdge(dut.clk)
            before = [len(words) for words in sharing.got]
            for _ in range(2_000):
                await RisingEdge(dut.clk)
                if int(dut.share_idle.value):
                    break
            assert int(dut.share_idle.value)
            assert [len(words) for words in sharing.got] == before, (
                "words to a user while they are dropped"
            )
            dut.share_discard.value = 0
        sharing.stop()
        await RisingEdge(dut.clk)
