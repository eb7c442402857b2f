"""How work is dealt to the lane groups: in chunks, and in rounds; exact, as the engines do it."""

from __future__ import annotations

import math
from functools import cache


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


def chunks(active: int, chunk: int) -> list[int]:
    """Return the active channels of every chunk."""
    return [min(chunk, active - first) for first in range(0, active, chunk)]


def array_iterations(
    active_in: int, active_out: int, *, blocks: int, taps: int, chunk: int, lane_groups: int
) -> int:
    """Return the inner iterations of one group of a convolution.

    Args:
        active_in: active input channels.
        active_out: active output channels.
        blocks: blocks of a result channel.
        taps: kernel side squared.
        chunk: output channels whose weights are loaded together.
        lane_groups: items that a round takes.
    """
    dealt = sum(rounds(blocks, n, lane_groups) for n in chunks(active_out, chunk))
    return dealt * active_in * taps


def best_chunk(lane_groups: int, channels: int, largest: int, blocks: int) -> int:
    """Return the chunk, up to ``largest`` channels, for a group of ``channels`` outputs.

    Chunks are equal parts of whole rounds of the lane groups.  Engines start with the first rows of
    a chunk, and lose least with large ones: few lanes idle at their ends, and many weights come
    before they are needed.  Where a channel has several ``blocks``, the first of them meets all
    rows of a chunk before the second meets any: rows must come faster then, and chunks are of up
    to four rounds where others are of up to eight.
    """
    most_rounds = 8 if blocks == 1 else 4
    most = max(lane_groups, min(largest, most_rounds * lane_groups) // lane_groups * lane_groups)
    most = min(most, largest)
    if channels <= most:
        return channels
    parts = math.ceil(channels / most)
    rounds_each = math.ceil(math.ceil(channels / parts) / lane_groups)
    return min(most, rounds_each * lane_groups)
