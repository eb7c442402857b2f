"""The engine's loops as formulas: how often the lane array turns, and how long loops take.

:func:`rounds` is exact, and the engine counts the same.  Cycles are a *model* of the HLS engine:
every loop at its initiation interval plus a pipeline depth, every burst behind the memory's
latency.  The depths below are set by hand from the operations in the loops, not from a synthesis
report.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

from acsgen.isa.generated import LANES, RECORD_WORDS, SEGMENTS
from acsgen.program.engine_config import EngineConfig

#: Pipeline depths in cycles: the lane array (memory, rotation, multiplier, adder), requantization
#: (two multipliers, barrel shift, saturation), a reduction, a plain copy, and a word read on a bus.
ARRAY_DEPTH = 10
POST_DEPTH = 12
REDUCE_DEPTH = 8
COPY_DEPTH = 3
BUS_DEPTH = 4

#: Cycles to decode and check an instruction, and to start a chunk's pair of tasks.
DECODE_CYCLES = 12
CHUNK_CYCLES = 4

#: Cycles to deal a round and to set its accumulators.
ROUND_CYCLES = 3


@cache
def rounds(blocks: int, active: int, lane_groups: int) -> int:
    """Return the rounds that ``blocks`` blocks of ``active`` channels take.

    Items (block, channel) are dealt in this order, block by block, up to ``lane_groups`` of them in
    a round, from at most two blocks.  Written as the engine does it; while ``active`` is at least
    ``lane_groups``, a round never meets a third block and the result is the plain quotient.
    """
    if active == 0:
        return 0
    if active >= lane_groups:
        return -(-blocks * active // lane_groups)
    count = block = position = 0
    while block < blocks:
        count += 1
        first = min(active - position, lane_groups)
        second = min(lane_groups - first, active) if block + 1 < blocks else 0
        block, position = block + 1, second
        if position == active:
            block, position = block + 1, 0
    return count


@dataclass(frozen=True)
class Pace:
    """How fast the engine's loops run.

    Attributes:
        lane_groups: items a round takes.
        post_lanes: pixels requantized in a cycle.
        latency: cycles from a read address to its first word.
    """

    lane_groups: int
    post_lanes: int
    latency: int

    @classmethod
    def of(cls, engine: EngineConfig) -> Pace:
        """Return the pace of an engine."""
        return cls(engine.lane_groups, engine.post_lanes, engine.latency_cycles)

    def burst(self, words: int) -> int:
        """Return the cycles to read (or write) ``words`` words in one burst."""
        return self.latency + BUS_DEPTH + words

    def finish_block(self, split: bool) -> int:
        """Return the cycles to requantize 64 pixels and write them; split writes row by row."""
        return LANES // self.post_lanes + POST_DEPTH + (SEGMENTS if split else 1)


@dataclass(frozen=True)
class ConvShape:
    """The facts that the cycles of a convolution depend on, besides the active channels.

    Attributes:
        blocks: blocks of a result channel.
        taps: kernel side squared.
        row_words: words of a weight row, record included.
        chunk: output channels whose weights are loaded together.
        split: the result is written in split layout.
        masked_zero: nothing is read for masked channels.
        cleared: blocks to clear for a masked channel that is exact zero; 0 where it must be
            computed from its residual or its record.
    """

    blocks: int
    taps: int
    row_words: int
    chunk: int
    split: bool
    masked_zero: bool
    cleared: int = 0


def chunks(active: int, chunk: int) -> list[int]:
    """Return the active channels of every chunk."""
    return [min(chunk, active - first) for first in range(0, active, chunk)]


def array_iterations(shape: ConvShape, pace: Pace, active_in: int, active_out: int) -> int:
    """Return the inner iterations of one group of a convolution: exact."""
    dealt = sum(rounds(shape.blocks, n, pace.lane_groups) for n in chunks(active_out, shape.chunk))
    return dealt * active_in * shape.taps


def group_cycles(
    shape: ConvShape, pace: Pace, active_in: int, active_out: int, masked_out: int
) -> int:
    """Return the cycles of one group of a convolution.

    A chunk's weights load while the chunk before it computes, so each takes the longer of the two;
    the first load and the last computation stand alone.
    """
    loads: list[int] = []
    computes: list[int] = []
    for count in chunks(active_out, shape.chunk):
        loads.append(count * pace.burst(shape.row_words))
        turns = rounds(shape.blocks, count, pace.lane_groups)
        inner = active_in * shape.taps + (ARRAY_DEPTH if active_in else 0)
        items = shape.blocks * count * pace.finish_block(shape.split)
        computes.append(turns * (ROUND_CYCLES + inner) + items)
    total = CHUNK_CYCLES * len(loads)
    for load, compute in zip([*loads, 0], [0, *computes], strict=True):
        total += max(load, compute)
    masked = shape.blocks * pace.finish_block(shape.split)
    if shape.cleared:
        masked = shape.cleared + COPY_DEPTH
    elif not shape.masked_zero:
        masked += pace.burst(RECORD_WORDS)
    return total + masked_out * masked


def best_chunk(lane_groups: int, channels: int, largest: int) -> int:
    """Return the chunk, up to ``largest`` channels, for a group of ``channels`` outputs.

    Chunks are equal parts of whole rounds of the lane groups, of up to four rounds each.  The RTL
    starts with the first rows of a chunk, and loses least with large ones: few lanes idle at their
    ends, and many weights come before they are needed.  The HLS engine waits for all weights of a
    first chunk, and would do best with a single round; four cost it a few percent.
    """
    most = max(lane_groups, min(largest, 4 * lane_groups) // lane_groups * lane_groups)
    most = min(most, largest)
    if channels <= most:
        return channels
    parts = math.ceil(channels / most)
    rounds_each = math.ceil(math.ceil(channels / parts) / lane_groups)
    return min(most, rounds_each * lane_groups)
