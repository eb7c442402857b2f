"""Products of vectors, entry by entry, are computed on maps of one pixel.

The engine multiplies each channel of a map with its entry of a vector, and adds maps. So a vector
that is multiplied becomes a map of one pixel, by multiplying a map of constants with it; the
products and the sums of products are such maps, and an average takes them back to the vector memory
for the linear layers that read them. In the cell of a long short-term memory (LSTM: Hochreiter and
Schmidhuber 1997, with forget gates)

    c = f * c + i * tanh(g),    h = o * tanh(c)

the state ``c`` stays a map from one call to the next. A factor has to be a result that is never
negative, as the engine's is: a sigmoid or a ReLU; one with a sign is the difference of two of
these.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from acsgen.frontend.opgraph import (
    Add,
    AddVectors,
    Affine,
    ApplyVector,
    Array,
    GlobalAvg,
    MulVectors,
    Op,
    OpGraph,
    Relu,
)
from acsgen.frontend.passes.base import Pass
from acsgen.frontend.passes.constants import constant_map, make_pixel
from acsgen.frontend.passes.join_sums import by_entry, unscaled
from acsgen.frontend.passes.one_sign import signed_results

#: A map of one pixel: a constant by channel, or the operation of this name.
_Map = Array | str


def _run(graph: OpGraph) -> OpGraph:
    products = by_entry(graph)
    return _Rewriting(graph, products).run() if products else graph


@dataclass
class _Rewriting:
    """One walk over the graph.

    Attributes:
        graph: before the pass.
        products: its results that become maps.
        made: the new operations.
        maps: the maps of vectors, by the name of the vector.
        constants: the maps of constants, by their bytes.
    """

    graph: OpGraph
    products: frozenset[str]
    made: list[Op] = field(default_factory=list)
    maps: dict[str, str] = field(default_factory=dict)
    constants: dict[bytes, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ops = self.graph.by_name()
        self.signed = signed_results(self.graph)
        self.names = set(self.ops)
        self.place: Op = self.graph.ops[0]

    def run(self) -> OpGraph:
        """The graph without products of vectors."""
        for op in self.graph.ops:
            self.place = op
            if op.name not in self.products:
                self.made.append(op)
                continue
            pixel = make_pixel(self.made, op.where)
            if pixel is None:
                return self.graph
            self.made += pixel
            assert isinstance(op, (AddVectors, MulVectors))
            self.maps[op.name] = self._sum(op) if isinstance(op, AddVectors) else self._product(op)
            self.made.append(GlobalAvg(op.name, op.node, op.where, op.shape, self.maps[op.name]))
        new = OpGraph(self.graph.name, tuple(self.made), self.graph.outputs)
        return new.without_unread()

    def _product(self, op: MulVectors) -> str:
        """The map of a product: that of one factor times the other, which is a vector."""
        factor, other = sorted((op.x, op.y), key=self._effort)
        return self._times(self._map(other), factor, op)

    def _sum(self, op: AddVectors) -> str:
        one, other = self._scaled(self._map(op.x), op.x_factor), self._map(op.y)
        return self._added(one, self._scaled(other, op.y_factor), op)

    def _effort(self, name: str) -> tuple[bool, bool, bool]:
        """What stands against a vector as a factor: a sign, and steps between."""
        source, scale, offset = unscaled(self.ops, name)
        return self.signed[source], bool(offset.any()), bool(np.any(scale != 1))

    def _map(self, name: str) -> str:
        """The map of a vector."""
        if name not in self.maps:
            self.maps[name] = self._times(np.ones(self.ops[name].shape[0]), name)
        return self.maps[name]

    def _times(self, map_: _Map, name: str, whole: Op | None = None) -> str:
        """A map times a vector; ``whole`` is the operation that has this value."""
        source, scale, offset = unscaled(self.ops, name)
        if source in self.maps and not isinstance(map_, str):
            return self._affine(self.maps[source], map_ * scale, map_ * offset)
        large = self._scaled(map_, scale)
        only = None if offset.any() or self.signed[source] else whole
        if not self.signed[source]:
            product = self._applied(large, source, only)
        else:
            size, ones = (len(scale),), np.ones(len(scale))
            minus = self._emit(Affine, size, "minus", x=source, scale=-ones, offset=0 * ones)
            above, below = (self._emit(Relu, size, "part", x=x) for x in (source, minus))
            terms = (self._applied(large, above), self._applied(self._scaled(large, -1.0), below))
            product = self._added(*terms, None if offset.any() else whole)
        if not offset.any():
            return product
        return self._added(product, self._scaled(map_, offset), whole)

    def _applied(self, map_: _Map, vector: str, whole: Op | None = None) -> str:
        x = self._named(map_)
        return self._emit(ApplyVector, self._shape(vector), "scaled", whole, x=x, vector=vector)

    def _added(self, one: _Map, other: _Map, whole: Op | None = None) -> str:
        x, y = self._named(one), self._named(other)
        return self._emit(Add, self._shape(self.place.name), "sum", whole, x=x, y=y)

    def _affine(self, map_: str, scale: Array, offset: Array) -> str:
        if np.all(scale == 1) and not offset.any():
            return map_
        shape = (len(scale), 1, 1)
        return self._emit(Affine, shape, "affine", x=map_, scale=scale, offset=offset)

    def _scaled(self, map_: _Map, factor: Array | float) -> _Map:
        if not isinstance(map_, str):
            return map_ * factor
        scale = np.broadcast_to(np.float64(factor), self.place.shape).copy()
        return self._affine(map_, scale, np.zeros(len(scale)))

    def _named(self, map_: _Map) -> str:
        """The operation that makes a map."""
        if isinstance(map_, str):
            return map_
        key = map_.tobytes()
        if key not in self.constants:
            made = constant_map(map_, self.place.where, self.names)
            self.made += made
            self.names.update(op.name for op in made)
            self.constants[key] = made[-1].name
        return self.constants[key]

    def _shape(self, name: str) -> tuple[int, ...]:
        return (self.ops[name].shape[0] if name in self.ops else self.place.shape[0], 1, 1)

    def _emit(
        self,
        kind: type[Op],
        shape: tuple[int, ...],
        label: str,
        whole: Op | None = None,
        **fields: object,
    ) -> str:
        first = name = f"{self.place.name}.{'map' if whole is not None else label}"
        number = 1
        while name in self.names:
            number += 1
            name = f"{first}{number}"
        self.names.add(name)
        node = "" if whole is None else whole.node
        self.made.append(kind(name, node, self.place.where, shape, **fields))
        return name


PASS = Pass(
    "vector-products",
    "products of vectors, and sums of such products, become products and sums of maps of one pixel",
    _run,
)
