"""Bench of acs_linear_feed: words of LINEARs become the weights and constants of rows."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass, field

import cocotb
from cocotb.handle import ModifiableObject
from cocotb.triggers import FallingEdge, RisingEdge, with_timeout
from streams import PERIOD_NS, Stream, begin

from acsgen.isa.generated import RECORD_WORDS, SHIFT_MAX, SHIFT_MIN, Record

JOBS, AHEAD = 40, 6
PATIENCE = (500_000 * PERIOD_NS, "ns")
Word = tuple[int, int]  # with 1 for an error answer


@dataclass
class Job:
    """A LINEAR: its words in the order of the memory, and by rows."""

    gate: bool
    thresholds: list[Word]
    records: list[tuple[Record, int]] = field(default_factory=list)
    rows: list[list[Word]] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)

    @classmethod
    def draw(cls, rng: random.Random) -> Job:
        """Many shapes; rare errors."""

        def word(value: int | None = None) -> Word:
            return rng.getrandbits(64) if value is None else value, int(rng.random() < 0.02)

        gate = rng.random() < 0.5
        channels = rng.choice([1, 2, 3, rng.randrange(1, 90)])
        job = cls(gate, [word() for _ in range((channels + 1) // 2 if gate else 0)])
        job.words += job.thresholds
        weights = rng.choice([1, 2, rng.randrange(1, 30)])
        for _ in range(channels):
            record = Record(
                bias=rng.randrange(-(2**31), 2**31),
                mult=rng.randrange(2**16),
                shift=rng.choice([0, SHIFT_MIN, SHIFT_MAX, SHIFT_MAX + 1, rng.randrange(256)]),
            )
            head = [word(value) for value in record.encode()]
            job.records.append((record, int(any(error for _, error in head))))
            job.rows.append([word() for _ in range(weights)])
            job.words += [*head, *job.rows[-1]]
        return job


class Feed:
    """Both ends of the module."""

    def __init__(self, dut: ModifiableObject, seed: int) -> None:
        self.dut, self.rng = dut, random.Random(f"feed {seed}")
        self.source = Stream(
            dut, "feed_in_valid", "feed_in_ready", ("feed_in_data", "feed_in_error"), seed=seed
        )
        self.source.busy = self.rng.choice([0, 0.3, 0.9])
        self.rest = self.rng.choice([0, 0.3, 0.9])
        self.jobs = [Job.draw(self.rng) for _ in range(JOBS)]
        self.announced = self.sent = 0

    async def announce(self) -> None:
        """Announce the jobs, some long before their words."""
        dut, edge = self.dut, RisingEdge(self.dut.clk)
        for job in self.jobs:
            while self.announced - self.sent >= AHEAD:
                await edge
            dut.feed_gate.value = job.gate
            dut.feed_channels.value = len(job.rows)
            dut.feed_row_words.value = RECORD_WORDS + len(job.rows[0])
            dut.feed_job_valid.value = 1
            await edge
            dut.feed_job_valid.value = 0
            self.announced += 1

    async def send(self) -> None:
        """Send the words, each job's when it is known."""
        for job in self.jobs:
            while self.announced <= self.sent:
                await RisingEdge(self.dut.clk)
            for word in job.words:
                await self.source.send(*word)
            self.sent += 1

    async def use(self, job: Job) -> None:
        """Take all of a job, and compare."""
        dut = self.dut
        thresholds = deque(job.thresholds)
        for number, (row, (record, wrong)) in enumerate(zip(job.rows, job.records, strict=True)):
            for index, (weights, error) in enumerate(row):
                await FallingEdge(dut.clk)
                while self.rng.random() < self.rest or not int(dut.feed_weights_valid.value):
                    await FallingEdge(dut.clk)
                ends = index == len(row) - 1
                pair = ends and job.gate and (number % 2 == 1 or number == len(job.rows) - 1)
                dut.feed_weights_take.value = 1
                dut.feed_record_take.value = ends
                dut.feed_thresholds_take.value = pair
                await RisingEdge(dut.clk)
                assert int(dut.feed_weights.value) == weights
                if ends:
                    error |= wrong
                    assert dut.feed_bias.value.signed_integer == record.bias
                    assert int(dut.feed_mult.value) == record.mult
                    assert int(dut.feed_shift.value) == min(max(record.shift, SHIFT_MIN), SHIFT_MAX)
                if pair:
                    value, bad = thresholds.popleft()
                    error |= bad
                    assert int(dut.feed_thresholds.value) == value
                assert int(dut.feed_error.value) == error
                dut.feed_weights_take.value = 0
                dut.feed_record_take.value = 0
                dut.feed_thresholds_take.value = 0
        assert not thresholds


@cocotb.test()
async def linear_feed(dut: ModifiableObject) -> None:
    """Rows as they were sent, at any pace on either side; nothing stays when a run ends."""
    await begin(dut)
    for seed in range(6):
        feed = Feed(dut, seed)
        tasks = [cocotb.start_soon(feed.announce()), cocotb.start_soon(feed.send())]
        used = feed.jobs if seed % 2 else feed.jobs[: JOBS // 2]
        for job in used:
            await with_timeout(feed.use(job), *PATIENCE)
        for task in tasks:
            task.kill()
        await FallingEdge(dut.clk)
        if seed % 2:
            assert not int(dut.feed_weights_valid.value)
        dut.feed_job_valid.value = 0
        dut.feed_in_valid.value = 0
        dut.feed_clear.value = 1
        await RisingEdge(dut.clk)
        await FallingEdge(dut.clk)
        dut.feed_clear.value = 0
        assert not int(dut.feed_weights_valid.value)
