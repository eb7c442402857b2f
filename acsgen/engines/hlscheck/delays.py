"""Delays of operators, for lower bounds of the initiation interval.

The figures are those that Vitis HLS 2025.1 schedules with for a 7-series part of speed grade -1
(``xc7a35t-cpg236-1``, whose fabric is that of the XC7Z020), as printed in the public schedule
reports (``*.verbose.sched.rpt``) of the repository ``Hrushi199/MLP-on-FPGA`` on GitHub, commit
304579a.  At 10 ns that tool keeps 2.70 ns for uncertainty and fills a cycle with at most 7.30 ns.

A sum of these delays must not exceed the time that the tool would need, so wherever it might do
better than an operator by itself, the figure is the smaller one: selections and gates share look-up
tables, wiring is free, and widths are those of the bits in demand.
"""

from __future__ import annotations

from itertools import pairwise

#: Share of the period that the tool keeps for uncertainty unless told otherwise.
UNCERTAINTY = 0.27

#: Bits and nanoseconds of adders and subtracters.
_ADD = ((8, 2.11), (13, 2.13), (36, 2.76), (54, 3.27), (59, 3.42))
#: Bits and nanoseconds of comparisons.
_COMPARE = ((8, 2.11), (12, 2.13), (18, 2.21), (23, 2.38), (52, 3.24), (71, 3.76))

#: One level of look-up tables.  Below eight bits no report gives a figure: one level is the least.
GATE = 0.97
_NARROW = 8

#: A table of six inputs takes a chain of five gates, or of two selections (0.68 ns alone).
CHAINED_GATE = GATE / 5
SELECT = 0.68 / 2

#: The multiplexer before a register with two sources: its first value, and that of the last round.
REGISTER = 1.61

#: A block RAM takes the address so long before the edge, and gives its word so long behind it.
RAM_ADDRESS = 3.25
RAM_DATA = 3.25

#: A product in a DSP: the shortest of its stages.
MULTIPLY = 2.10


def budget(period_ns: float) -> float:
    """Return the nanoseconds of a clock period that operators may fill."""
    return period_ns * (1 - UNCERTAINTY)


def add_delay(bits: int) -> float:
    """Return the delay of an adder or subtracter."""
    return GATE if bits < _NARROW else _interpolated(_ADD, bits)


def compare_delay(bits: int) -> float:
    """Return the delay of a comparison."""
    return GATE if bits < _NARROW else _interpolated(_COMPARE, bits)


def shift_delay(bits: int) -> float:
    """Return the delay of a shift by a variable: four-way selections behind each other."""
    levels, reached = 0, 1
    while reached < bits:
        levels, reached = levels + 1, 4 * reached
    return levels * GATE


def divide_delay(bits: int) -> float:
    """Return the delay of a division by a variable: one subtraction for every bit."""
    return bits * add_delay(bits)


def _interpolated(table: tuple[tuple[int, float], ...], bits: int) -> float:
    for (low, first), (high, last) in pairwise(table):
        if bits <= high:
            return first + (last - first) * (bits - low) / (high - low)
    return table[-1][1]
