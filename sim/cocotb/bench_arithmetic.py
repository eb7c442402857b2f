"""Benches of the multipliers, of the weight banks, and of the search for the needed weights."""

from __future__ import annotations

import random
from collections import deque

import cocotb
from cocotb.handle import ModifiableObject
from cocotb.triggers import ClockCycles, RisingEdge
from streams import begin

from acsgen.isa.generated import LANES, RECORD_WORDS, SHIFT_MAX, SHIFT_MIN, WORD_BITS, WORD_BYTES

LANE_BITS = 32
REQUANTIZE_STAGES, GROUP_STAGES = 4, 4
MAX_RUNS = 64
MAX_GAP = 2
BANK_WORDS = 64
I32 = 1 << 31


def wrapped(value: int, bits: int = 32) -> int:
    """Return the value that a signed integer of so many bits keeps of a number."""
    return (value + (1 << bits - 1)) % (1 << bits) - (1 << bits - 1)


def signed_number(rng: random.Random, bits: int) -> int:
    """Draw a signed number; corners, small ones and large ones are all likely."""
    top = 1 << bits - 1
    near = rng.randrange(-top, top) >> rng.randrange(bits)
    return rng.choice([near, near, near, 0, -1, top - 1, -top])


def rounded(value: int, shift: int) -> int:
    """Return value / 2**shift, rounded half away from zero."""
    magnitude = (abs(value) + (1 << shift - 1)) >> shift
    return magnitude if value >= 0 else -magnitude


@cocotb.test()
async def requantize(dut: ModifiableObject) -> None:
    """Thousands of numbers, one an edge; exact halves of either sign among them."""
    await begin(dut)
    rng = random.Random("requantize")
    edge, expected = RisingEdge(dut.clk), deque()
    for batch in range(40):
        # Signs and the factor of residuals do not change within an instruction.
        is_signed, res_signed = batch % 2, batch // 2 % 2
        res_mult = rng.choice([0, (1 << 16) - 1, rng.randrange(1 << 16), rng.randrange(1 << 16)])
        dut.rq_signed.value, dut.rq_res_signed.value = is_signed, res_signed
        dut.rq_res_mult.value = res_mult
        expected.clear()
        for _ in range(150):
            acc, residual = signed_number(rng, 32), rng.choice([0, 127, 128, rng.randrange(256)])
            mult, shift = rng.randrange(1 << 16), rng.randint(SHIFT_MIN, SHIFT_MAX)
            kind = rng.randrange(4)
            if kind == 0:
                # A half, or one off: acc * 1 is an odd multiple of 2**(shift - 1).
                shift = rng.randint(SHIFT_MIN, 30)
                acc = (2 * rng.randrange(-300, 300) + 1 << shift - 1) + rng.choice([0, 0, 1, -1])
                acc, mult, residual = wrapped(acc), 1, rng.choice([0, 0, residual])
            elif kind == 1:
                # A result near the bounds of eight bits.
                mult = rng.randrange(1 << 14, 1 << 15)
                acc = (rng.randrange(-600, 600) << shift) // mult + rng.randrange(-2, 3)
                acc = max(-I32, min(I32 - 1, acc))
            elif kind == 2:
                # A product near the bounds of its own.
                mult = rng.randrange(1 << 8, 1 << 16)
                acc = (rng.choice([-1, 1]) << 25 + shift - SHIFT_MIN) // mult + rng.randrange(-2, 3)
                acc = max(-I32, min(I32 - 1, acc))
            dut.rq_acc.value, dut.rq_mult.value, dut.rq_shift.value = acc % 2**32, mult, shift
            dut.rq_residual.value = residual
            added = wrapped(residual, 8) if res_signed else residual
            expected.append(rounded(acc * mult + (added * res_mult << shift - SHIFT_MIN), shift))
            await edge
            if len(expected) > REQUANTIZE_STAGES:
                value = expected.popleft()
                low, high = (-128, 127) if is_signed else (0, 255)
                narrow = max(low, min(high, value)) % 2**8
                assert int(dut.rq_wide.value) == value % 2**32
                assert int(dut.rq_narrow.value) == narrow
                assert int(dut.rq_bounded.value) == narrow
                assert int(dut.rq_tables.value) == narrow


@cocotb.test()
async def products(dut: ModifiableObject) -> None:
    """Small products with and without DSP slices, corners among them."""
    await begin(dut)
    rng = random.Random("products")
    edge = RisingEdge(dut.clk)
    expected: tuple[int, int] | None = None
    corners = {9: [-256, -255, -1, 0, 1, 255], 8: [-128, -127, -1, 0, 1, 127]}
    for _ in range(3000):
        pixel, weight = (
            rng.choice([rng.choice(corners[bits]), rng.randrange(-(1 << bits - 1), 1 << bits - 1)])
            for bits in (9, 8)
        )
        step, base = rng.choice([0, 1, 65535, rng.randrange(1 << 16)]), rng.randrange(1 << 16)
        channel = rng.choice([0, 1, 2047, 1 << rng.randrange(11), rng.randrange(1 << 11)])
        dut.pr_byte.value, dut.pr_weight.value = pixel % 512, weight % 256
        dut.pr_step.value, dut.pr_channel.value, dut.pr_base.value = step, channel, base
        await edge
        if expected is not None:
            product, place = expected
            assert int(dut.pr_product.value) == product << 18 | product
            assert int(dut.pr_place.value) == place << 16 | place
        expected = (pixel * weight % 2**18, (step * channel + base) % 2**16)


class Group:
    """What a lane group and the maxima beside it must show."""

    def __init__(self) -> None:
        self.sums = [0] * LANES
        self.maxima = [0] * LANES

    def take(
        self, windows: list[list[int]], second: bool, weight: int, first: bool
    ) -> tuple[list[int], list[int]]:
        """Add products, and keep the larger; returns the sums and the maxima."""
        self.sums = [
            wrapped((0 if first else before) + pixel * weight)
            for pixel, before in zip(windows[second], self.sums, strict=True)
        ]
        self.maxima = [
            pixel if first else max(pixel, before)
            for pixel, before in zip(windows[0], self.maxima, strict=True)
        ]
        return list(self.sums), list(self.maxima)


def packed(numbers: list[int]) -> int:
    """Return bytes side by side, the first one lowest."""
    return sum(number % 256 << 8 * i for i, number in enumerate(numbers))


@cocotb.test()
async def lane_group(dut: ModifiableObject) -> None:
    """Sums and maxima of 64 lanes, begun anew at random, with gaps; long rounds of one sign too."""
    await begin(dut)
    rng = random.Random("lanes")
    edge = RisingEdge(dut.clk)
    pending: deque[tuple[list[int], list[int], bool] | None] = deque()
    group = Group()
    sums = [0] * LANES
    first, signed, steady, left, pause = True, False, False, 0, 0
    signs = set()
    for _ in range(3000):
        if first and not pause:
            left = rng.choice([1, rng.randint(1, 20), rng.randint(100, 400)])
            steady = rng.random() < 0.4
            if not any(pending):
                # Whether pixels are signed does not change within an instruction.
                signed = rng.random() < 0.5
                signs.add(signed)
        valid, zero, second = rng.random() < 0.8, rng.random() < 0.1, rng.random() < 0.5
        if pause:
            valid, pause = False, pause - 1
        low, high = (-128, 127) if signed else (0, 255)
        windows = [
            [rng.choice([low, high, rng.randint(low, high)]) for _ in range(LANES)]
            for _ in range(2)
        ]
        weight = rng.choice([-128, 127, 128, rng.randint(-128, 128)])
        if steady:
            windows = [[low if i % 3 else high for i in range(LANES)]] * 2
            weight = -128 if left % 2 and left < 50 else 128
        dut.lg_valid.value, dut.lg_first.value = valid, first
        dut.lg_last.value, dut.lg_zero.value = left == 1, zero
        dut.lg_signed.value, dut.lg_second.value = signed, second
        dut.lg_weight.value = weight % 2**9
        dut.lg_pixels.value = packed(windows[0] + windows[1])
        if valid:
            found = group.take(windows, second, 0 if zero else weight, first)
            left -= 1
            first = left == 0
            pause = GROUP_STAGES + 2 if first and rng.random() < 0.5 else 0
            pending.append((*found, first))
        else:
            pending.append(None)
        await edge
        if len(pending) > GROUP_STAGES and (taken := pending.popleft()) is not None:
            sums, maxima, last = taken
            for port in (dut.lg_sums, dut.lg_short_sums, dut.lg_apart_sums):
                value = int(port.value)
                lanes = [wrapped(value >> LANE_BITS * i & 2**LANE_BITS - 1) for i in range(LANES)]
                assert lanes == sums
            if last:
                assert int(dut.lg_maxima.value) == packed(maxima)
    assert signs == {False, True}


def runs_of(active: list[bool], taps: int) -> list[tuple[int, int]]:
    """Return (first, last) of the words to read of a weight row, from the bytes that are needed."""
    needed = set(range(RECORD_WORDS))
    for channel, wanted in enumerate(active):
        if wanted:
            for tap in range(taps):
                needed.add(RECORD_WORDS + (channel * taps + tap) // WORD_BYTES)
    runs: list[tuple[int, int]] = []
    for word in sorted(needed):
        if runs and word - runs[-1][1] <= 1 + MAX_GAP:
            runs[-1] = (runs[-1][0], word)
        else:
            runs.append((word, word))
    if len(runs) > MAX_RUNS:
        runs[MAX_RUNS - 1 :] = [(runs[MAX_RUNS - 1][0], runs[-1][1])]
    return runs


@cocotb.test()
async def weight_runs(dut: ModifiableObject) -> None:
    """The runs of masks of every density, up to more runs than there are places."""
    await begin(dut)
    rng = random.Random("runs")
    for number in range(60):
        kernel, inputs = rng.choice([1, 1, 2, 3, 5]), rng.choice([1, 7, 64, 65, 300, 1024])
        density = rng.choice([0, 0.02, 0.1, 0.5, 0.95, 1])
        register = rng.randrange(32)
        active = [rng.random() < density for _ in range(inputs)]
        if number == 0:
            # Every third word is needed: more runs than places, and no longer run among them.
            kernel, inputs = 3, 1024
            active = [i % 4 == 0 for i in range(inputs)]
        bits = sum(1 << i for i, flag in enumerate(active) if flag)
        for word in range(-(-inputs // WORD_BITS)):
            dut.runs_write.value = 1
            dut.runs_write_addr.value = register * 16 + word
            dut.runs_write_data.value = bits >> WORD_BITS * word & 2**WORD_BITS - 1
            await RisingEdge(dut.clk)
        dut.runs_write.value = 0
        dut.runs_mask.value, dut.runs_inputs.value = register, inputs
        dut.runs_kernel.value, dut.runs_start.value = kernel, 1
        await RisingEdge(dut.clk)
        dut.runs_start.value = 0
        # The instruction need not stay.
        dut.runs_kernel.value = 0
        for _ in range(inputs + 20):
            await RisingEdge(dut.clk)
            if int(dut.runs_there.value):
                break
            assert int(dut.runs_busy.value)
        else:
            raise AssertionError("no runs")
        assert not int(dut.runs_busy.value)
        wanted = runs_of(active, kernel**2)
        assert int(dut.runs_count.value) == len(wanted)
        for index, run in enumerate(wanted):
            dut.runs_index.value = index
            await ClockCycles(dut.clk, 2)
            assert (int(dut.runs_first.value), int(dut.runs_last.value)) == run
        assert int(dut.runs_words_valid.value)
        assert int(dut.runs_words.value) == sum(last - first + 1 for first, last in wanted)
        dut.runs_words_take.value = 1
        await RisingEdge(dut.clk)
        dut.runs_words_take.value = 0
        await RisingEdge(dut.clk)
        assert not int(dut.runs_words_valid.value)


@cocotb.test()
async def weight_bank(dut: ModifiableObject) -> None:
    """One set loads while both ports read the other; port B of the loading set is not looked at.

    Words are there two cycles after their address: block RAM has a register at its output.
    """
    await begin(dut)
    rng = random.Random("bank")
    model = [[0] * BANK_WORDS for _ in range(2)]
    expected: list[tuple[int, int]] = []
    for cycle in range(2000):
        read_set = cycle // 100 % 2
        address, a, b = (rng.randrange(BANK_WORDS) for _ in range(3))
        word, write = rng.getrandbits(64), rng.random() < 0.7
        dut.wb_write.value, dut.wb_write_set.value = write, 1 - read_set
        dut.wb_write_addr.value, dut.wb_write_data.value = address, word
        dut.wb_read_set.value, dut.wb_a_addr.value, dut.wb_b_addr.value = read_set, a, b
        await RisingEdge(dut.clk)
        if len(expected) == 2:
            assert (int(dut.wb_a_data.value), int(dut.wb_b_data.value)) == expected.pop(0)
        expected.append((model[read_set][a], model[read_set][b]))
        if write:
            model[1 - read_set][address] = word
