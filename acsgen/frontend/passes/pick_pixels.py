"""A pool of stride 3, 5, 6 or 7 is one of stride 1 or 2, of which some pixels are picked.

The engine steps by 1 and 2. Convolutions with weights of 0 and 1 pick pixels at any distance ``d``:

* a stride of 2 deals a map to four smaller ones, one for each parity of row and column, until they
  are no larger than a kernel;
* a kernel as large as these maps picks the pixels, each into a channel of its own, of one pixel;
* a last kernel puts these together to the result, whose side is that of the kernel;
* a result that is larger than a kernel is the sum of four such tiles, each moved to its corner.

Pixels are copied as they are: the weights are 0 and 1. Where one channel's pixels are too many for
the channels that the engine has, the map's channels go through in several parts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from acsgen.frontend.opgraph import Add, Array, Concat, Conv, Op, OpGraph, Pool
from acsgen.frontend.passes.base import Pass, fresh
from acsgen.isa.generated import MAX_CHANNELS, MAX_KERNEL, MAX_STRIDE


@dataclass(frozen=True)
class _Halving:
    """A convolution of stride 2 that deals every map to four: ``size`` is the side of these."""

    kernel: int
    pad: int
    size: int


@dataclass(frozen=True)
class _Plan:
    """How one channel's pixels are picked.

    Attributes:
        step: distance of the pixels.
        count: pixels of a row, and rows.
        size: side of the map that they are picked from.
        halvings: before the pixels are picked.
    """

    step: int
    count: int
    size: int
    halvings: tuple[_Halving, ...]

    @property
    def phases(self) -> int:
        """Rows (columns) are dealt to so many maps."""
        return 1 << len(self.halvings)

    @property
    def last_size(self) -> int:
        """Side of the maps that the pixels are picked from."""
        return self.halvings[-1].size if self.halvings else self.size

    @property
    def tiles(self) -> list[range]:
        """Rows (columns) of the result that are put together at once."""
        tile = self.tile
        parts = [range(tile), range(tile, self.count)]
        return [part for part in parts if len(part)]

    @property
    def tile(self) -> int:
        """Side of a tile of the result."""
        return self.count if self.count <= MAX_KERNEL else (self.count + 1) // 2

    @property
    def most(self) -> int:
        """Most pixels of a row of a tile in one phase."""
        return max(len(phase) for tile in self.tiles for phase in self.places(tile))

    @property
    def pixels(self) -> int:
        """Channels of one pixel that one channel's tile becomes."""
        return (self.phases * self.most) ** 2

    def corner(self, tile: range) -> int:
        """Row (column) of the result where a tile of full size begins."""
        return min(tile.start, self.count - self.tile)

    def places(self, tile: range) -> list[list[tuple[int, int]]]:
        """For each phase, the number in the tile of every pixel of a row there, and its place."""
        found: list[list[tuple[int, int]]] = [[] for _ in range(self.phases)]
        for index in tile:
            place, phase = divmod(self.step * index, self.phases)
            found[phase].append((index - self.corner(tile), place))
        return found


def _plan(pool: Pool, source: tuple[int, ...]) -> tuple[Pool, _Plan] | None:
    """The pool of a smaller step, without a name yet, and how its pixels are picked."""
    count = pool.shape[1]
    if pool.shape[1] != pool.shape[2] or source[1] != source[2] or pool.kernel > MAX_KERNEL:
        return None
    stride = MAX_STRIDE if pool.stride % MAX_STRIDE == 0 else 1
    size = (source[1] + 2 * pool.pad - pool.kernel) // stride + 1
    first = replace(pool, node="", shape=(source[0], size, size), stride=stride)
    step = pool.stride // stride
    last, side = step * (count - 1), size
    halvings: list[_Halving] = []
    while side > MAX_KERNEL:
        odd = last == side - 1 and side % 2 == 1
        side = (side + 1) // 2 if odd else side // 2
        halvings.append(_Halving(3, 1, side) if odd else _Halving(2, 0, side))
        last //= 2
    plan = _Plan(step, count, size, tuple(halvings))
    fits = plan.pixels <= MAX_CHANNELS and count - plan.tile < MAX_KERNEL
    return (first, plan) if fits else None


def _run(graph: OpGraph) -> OpGraph:
    changes: dict[str, tuple[Op, ...]] = {}
    for op in graph.ops:
        if isinstance(op, Pool) and op.stride > MAX_STRIDE:
            found = _plan(op, graph.by_name()[op.x].shape)
            if found is not None:
                changes[op.name] = _picked(graph, op, *found)
    return graph.replaced(changes)


def _picked(graph: OpGraph, op: Pool, first: Pool, plan: _Plan) -> tuple[Op, ...]:
    pool = replace(first, name=fresh(graph, f"{op.name}.pool"))
    channels = op.shape[0]
    at_once = MAX_CHANNELS // plan.pixels
    if channels <= at_once:
        return (pool, *_of_part(graph, op, pool.name, channels, plan))
    ops: list[Op] = [pool]
    parts: list[str] = []
    for begin in range(0, channels, at_once):
        end = min(channels, begin + at_once)
        place = replace(op, name=fresh(graph, f"{op.name}.from{begin}"), node="")
        place = replace(place, shape=(end - begin, *op.shape[1:]))
        part = fresh(graph, f"{place.name}.channels")
        weight = np.eye(channels)[begin:end, :, None, None]
        ops.append(_copy(place, part, pool.name, weight, plan.size))
        ops += _of_part(graph, place, part, end - begin, plan)
        parts.append(place.name)
    return (*ops, Concat(op.name, op.node, op.where, op.shape, tuple(parts)))


def _of_part(graph: OpGraph, op: Pool, x: str, channels: int, plan: _Plan) -> list[Op]:
    """Pick the pixels of the map ``x``; the last operation has the name and node of ``op``."""
    ops: list[Op] = []
    maps = channels
    for number, halving in enumerate(plan.halvings):
        weight = np.zeros((4, 1, halving.kernel, halving.kernel))
        for phase in range(4):
            row, column = divmod(phase, 2)
            weight[phase, 0, row + halving.pad, column + halving.pad] = 1.0
        name = fresh(graph, f"{op.name}.phases{number}")
        every = np.tile(weight, (maps, 1, 1, 1))
        ops.append(_copy(op, name, x, every, halving.size, 2, halving.pad, maps))
        maps, x = 4 * maps, name
    tiles = [(rows, columns) for rows in plan.tiles for columns in plan.tiles]
    if len(tiles) == 1:
        return [*ops, *_tile(graph, op, x, maps, channels, plan, *tiles[0])]
    total = ""
    for number, (rows, columns) in enumerate(tiles):
        tile, moved, added = (
            fresh(graph, f"{op.name}.{part}{number}") for part in ("tile", "moved", "sum")
        )
        ops += _tile(graph, replace(op, name=tile, node=""), x, maps, channels, plan, rows, columns)
        far = plan.count - plan.tile
        weight = np.zeros((channels, 1, far + 1, far + 1))
        weight[:, 0, far - plan.corner(rows), far - plan.corner(columns)] = 1.0
        ops.append(_copy(op, moved, tile, weight, plan.count, pad=far, groups=channels))
        if total:
            last = number == len(tiles) - 1
            name, node = (op.name, op.node) if last else (added, "")
            ops.append(Add(name, node, op.where, op.shape, total, moved))
        total = added if total else moved
    return ops


def _tile(
    graph: OpGraph,
    op: Pool,
    x: str,
    maps: int,
    channels: int,
    plan: _Plan,
    rows: range,
    columns: range,
) -> list[Op]:
    """Pick a tile's pixels of the maps ``x``, and put them together."""
    picks, puts = _kernels(plan, rows, columns)
    name = fresh(graph, f"{op.name}.pixels")
    pick = _copy(op, name, x, np.tile(picks, (channels, 1, 1, 1)), 1, groups=maps)
    if plan.pixels == plan.count:  # a single one, which is there
        return [replace(pick, name=op.name, node=op.node)]
    weight = np.tile(puts, (channels, 1, 1, 1))
    put = _copy(op, op.name, name, weight, plan.tile, pad=plan.tile - 1, groups=channels)
    return [pick, replace(put, node=op.node)]


def _copy(
    op: Op,
    name: str,
    x: str,
    weight: Array,
    size: int,
    stride: int = 1,
    pad: int = 0,
    groups: int = 1,
) -> Conv:
    outs = len(weight)
    shape = (outs, size, size)
    return Conv(name, "", op.where, shape, x, weight, np.zeros(outs), stride, pad, groups)


def _phases_in_order(plan: _Plan) -> list[tuple[int, int]]:
    """Row and column phase of every map that one channel was dealt to, in the maps' order.

    The first halving decides the lowest bit of both, and the highest digit of a map's number.
    """
    found = [(0, 0)]
    for level in range(len(plan.halvings)):
        bit = 1 << level
        found = [(y + bit * (p // 2), x + bit * (p % 2)) for y, x in found for p in range(4)]
    return found


def _kernels(plan: _Plan, rows: range, columns: range) -> tuple[Array, Array]:
    """Weights that pick the pixels of a tile of one channel, and that put them in their places.

    Returns:
        ``(pixels, 1, K, K)``, with the side K of the maps picked from, and ``(1, pixels, T, T)``,
        with the side T of a tile.
    """
    most, last = plan.most, plan.tile - 1
    picks = np.zeros((plan.pixels, 1, plan.last_size, plan.last_size))
    puts = np.zeros((1, plan.pixels, plan.tile, plan.tile))
    below, beside = plan.places(rows), plan.places(columns)
    for number, (row, column) in enumerate(_phases_in_order(plan)):
        for i, (y, from_row) in enumerate(below[row]):
            for j, (x, from_column) in enumerate(beside[column]):
                pixel = (number * most + i) * most + j
                picks[pixel, 0, from_row, from_column] = 1.0
                puts[0, pixel, last - y, last - x] = 1.0
    return picks, puts


PASS = Pass(
    "pick-pixels",
    "a pool of stride 3, 5, 6 or 7 becomes one of stride 1 or 2, and convolutions of 0 and 1 that "
    "pick its pixels",
    _run,
)
