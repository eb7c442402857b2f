"""The float operator graph: what :mod:`.lower` makes of a program and :mod:`.passes.fuse` consumes.

One frozen dataclass per operation, still unfused, in execution order.  A *map* has shape ``(C, H,
W)``, a *vector* and a *mask* ``(C,)``.  Constants are float64 numpy arrays in PyTorch's layouts.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
OpT = TypeVar("OpT", bound="Op")


@dataclass(frozen=True)
class Window:
    """Square windows: ``kernel`` is their side, ``stride`` the step between them."""

    kernel: int
    stride: int
    pad: int


@dataclass(frozen=True)
class Op:
    """``name`` is unique and readable, ``node`` the exported node with the same value (or "")."""

    reads: ClassVar[tuple[str, ...]] = ("x",)

    #: Names operations of this kind that have no other name, if not the kind's own name.
    label: ClassVar[str] = ""

    #: Whether it decides itself how many channels its result has.
    own_channels: ClassVar[bool] = False

    #: Whether a pass must make other operations of it, so that no layer starts with it.
    rewritten: ClassVar[bool] = False

    #: Whether it is of use although nothing reads its result.
    acts: ClassVar[bool] = False

    name: str
    node: str
    where: str
    shape: tuple[int, ...]

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the operations whose results this one reads."""
        values = (getattr(self, key) for key in self.reads)
        return tuple(
            name for value in values for name in (value if isinstance(value, tuple) else (value,))
        )

    @property
    def window(self) -> Window | None:
        """The windows of ``x`` that it looks at, if it does."""
        return None


def reading(op: OpT, renamed: dict[str, str]) -> OpT:
    """``op`` with inputs renamed."""

    def named(value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        if isinstance(value, tuple):
            return tuple(renamed.get(name, name) for name in value)
        return renamed.get(value, value)

    changes: dict[str, Any] = {key: named(getattr(op, key)) for key in op.reads}
    return replace(op, **changes)


@dataclass(frozen=True)
class Image(Op):
    """Pixels 0..255 as ``p * scale[c] + offset[c]``."""

    acts: ClassVar[bool] = True
    reads: ClassVar[tuple[str, ...]] = ()

    scale: Array = field(repr=False)
    offset: Array = field(repr=False)


@dataclass(frozen=True)
class Affine(Op):
    """``x[c] * scale[c] + offset[c]`` on a map or a vector."""

    x: str
    scale: Array = field(repr=False)
    offset: Array = field(repr=False)


@dataclass(frozen=True)
class Conv(Op):
    """2-D convolution; ``weight`` ``(O, I/groups, K, K)``."""

    own_channels: ClassVar[bool] = True

    x: str
    weight: Array = field(repr=False)
    bias: Array = field(repr=False)
    stride: int
    pad: int
    groups: int

    @property
    def window(self) -> Window:
        """Of the kernel."""
        return Window(self.weight.shape[2], self.stride, self.pad)


@dataclass(frozen=True)
class Linear(Op):
    """``weight @ x + bias`` on a vector; ``weight`` ``(O, I)``."""

    own_channels: ClassVar[bool] = True

    x: str
    weight: Array = field(repr=False)
    bias: Array = field(repr=False)


@dataclass(frozen=True)
class Relu(Op):
    """On a map or a vector; results above ``high`` are cut to it, if it is given."""

    x: str
    high: float | None = None


@dataclass(frozen=True)
class Sigmoid(Op):
    """On a vector."""

    x: str


@dataclass(frozen=True)
class Add(Op):
    """Two maps of one shape."""

    reads: ClassVar[tuple[str, ...]] = ("x", "y")

    x: str
    y: str


@dataclass(frozen=True)
class Concat(Op):
    """The channels of several maps, one behind the other."""

    own_channels: ClassVar[bool] = True
    reads: ClassVar[tuple[str, ...]] = ("maps",)

    maps: tuple[str, ...]


@dataclass(frozen=True)
class ApplyMask(Op):
    """Map times mask; a mask of one bit applies to every channel."""

    reads: ClassVar[tuple[str, ...]] = ("x", "mask")

    x: str
    mask: str


@dataclass(frozen=True)
class ApplyVector(Op):
    """Map times one factor per channel, computed at run time."""

    reads: ClassVar[tuple[str, ...]] = ("x", "vector")

    x: str
    vector: str


@dataclass(frozen=True)
class Pool(Op):
    """As :class:`acsgen.ir.layers.Pool`."""

    x: str
    mode: Literal["max", "avg"]
    kernel: int
    stride: int
    pad: int

    @property
    def window(self) -> Window:
        """Of the pooling."""
        return Window(self.kernel, self.stride, self.pad)


@dataclass(frozen=True)
class GlobalAvg(Op):
    """Map to vector."""

    x: str


@dataclass(frozen=True)
class Flatten(Op):
    """Map to vector of ``C*H*W``."""

    x: str


@dataclass(frozen=True)
class ChannelGate(Op):
    """Vector of logits to mask."""

    x: str
    threshold: float


@dataclass(frozen=True)
class Entropy(Op):
    """Logits to one bit: whether the entropy of their softmax, in nats, is below a threshold."""

    x: str
    threshold: float


@dataclass(frozen=True)
class Exit(Op):
    """The network may end with the logits ``x``: by a decision of one bit, or by a budget alone."""

    acts: ClassVar[bool] = True
    reads: ClassVar[tuple[str, ...]] = ("x", "decision")

    x: str
    decision: tuple[str, ...]


@dataclass(frozen=True)
class GeneralConv(Op):
    """2-D convolution with any window; ``weight`` ``(O, I/groups, KY, KX)``.

    ``pads`` are the rows above and below and the columns left and right, as ``(top, bottom, left,
    right)``; ``dilation`` is ``(rows, columns)``.
    """

    rewritten: ClassVar[bool] = True
    own_channels: ClassVar[bool] = True
    label: ClassVar[str] = "conv"

    x: str
    weight: Array = field(repr=False)
    bias: Array = field(repr=False)
    stride: int
    pads: tuple[int, int, int, int]
    dilation: tuple[int, int]
    groups: int


@dataclass(frozen=True)
class Pad(Op):
    """Zeros around a map: channels ``(before, behind)`` and ``(top, bottom, left, right)``."""

    rewritten: ClassVar[bool] = True
    own_channels: ClassVar[bool] = True

    x: str
    channels: tuple[int, int]
    pads: tuple[int, int, int, int]


@dataclass(frozen=True)
class Slice(Op):
    """Every ``step``-th entry from ``start`` on an axis of a map: 0 channels, 1 rows, 2 columns."""

    rewritten: ClassVar[bool] = True
    own_channels: ClassVar[bool] = True

    x: str
    axis: int
    start: int
    step: int


@dataclass(frozen=True)
class PartialMean(Op):
    """Mean over the rows (axis 1) or the columns (axis 2) of a map, kept as an axis of size 1."""

    rewritten: ClassVar[bool] = True

    x: str
    axis: int


@dataclass(frozen=True)
class LeakyRelu(Op):
    """``x`` where it is positive, else ``x * slope[c]``; on a map or a vector."""

    rewritten: ClassVar[bool] = True

    x: str
    slope: Array = field(repr=False)


@dataclass(frozen=True)
class Clip(Op):
    """``x`` held between ``low`` and ``high``, on a map or a vector."""

    rewritten: ClassVar[bool] = True

    x: str
    low: float
    high: float


@dataclass(frozen=True)
class Softmax(Op):
    """Softmax of a vector, or its logarithm: the order of the entries stays."""

    rewritten: ClassVar[bool] = True

    x: str


@dataclass(frozen=True)
class TakeBits(Op):
    """Bits of the mask ``x``, from bit ``first`` on; as many as its shape says."""

    rewritten: ClassVar[bool] = True

    x: str
    first: int


@dataclass(frozen=True)
class AndMasks(Op):
    """The product of two masks: of as many bits, or one of them of one bit, for all channels."""

    rewritten: ClassVar[bool] = True
    reads: ClassVar[tuple[str, ...]] = ("x", "y")

    x: str
    y: str


@dataclass(frozen=True)
class ApplyComplement(Op):
    """Map times ``1 - mask``; a mask of one bit applies to every channel."""

    rewritten: ClassVar[bool] = True
    reads: ClassVar[tuple[str, ...]] = ("x", "mask")

    x: str
    mask: str


@dataclass(frozen=True)
class AddVectors(Op):
    """``x_factor * x + y_factor * y`` of two vectors of one size."""

    rewritten: ClassVar[bool] = True
    reads: ClassVar[tuple[str, ...]] = ("x", "y")

    x: str
    y: str
    x_factor: float
    y_factor: float


@dataclass(frozen=True)
class MulVectors(Op):
    """``x * y`` of two vectors of one size."""

    rewritten: ClassVar[bool] = True
    reads: ClassVar[tuple[str, ...]] = ("x", "y")

    x: str
    y: str


@dataclass(frozen=True)
class Join(Op):
    """The entries of several vectors, one behind the other."""

    own_channels: ClassVar[bool] = True
    reads: ClassVar[tuple[str, ...]] = ("vectors",)

    vectors: tuple[str, ...]


@dataclass(frozen=True)
class Unknown(Op):
    """Stands for a refused node, so that the nodes before and behind it can still be examined."""

    reads: ClassVar[tuple[str, ...]] = ("sources",)

    sources: tuple[str, ...] = ()


@dataclass(frozen=True)
class OpGraph:
    """Operations in execution order; ``ops[0]`` is the :class:`Image`.

    ``outputs`` are the results that the network returns, in its order; the last is its answer.
    """

    name: str
    ops: tuple[Op, ...]
    outputs: tuple[str, ...]

    def replaced(self, changes: dict[str, tuple[Op, ...]]) -> OpGraph:
        """The graph with other operations in the place of some, without those that lost their
        reader by that.

        The last operation of each new list has the name of the one that it replaces.
        """
        if not changes:
            return self
        ops = [new for op in self.ops for new in changes.get(op.name, (op,))]
        before = self.use_counts()
        while True:
            uses = Counter(name for op in ops for name in op.inputs)
            uses.update(self.outputs)
            kept = [op for op in ops if uses[op.name] or not before[op.name]]
            if len(kept) == len(ops):
                return replace(self, ops=tuple(ops))
            ops = kept

    def without_unread(self) -> OpGraph:
        """The graph without operations that nothing reads; the image and what acts stay."""
        graph = self
        while True:
            uses = graph.use_counts()
            kept = tuple(op for op in graph.ops if uses[op.name] or op.acts)
            if len(kept) == len(graph.ops):
                return graph
            graph = replace(graph, ops=kept)

    def by_name(self) -> dict[str, Op]:
        """Operations by name."""
        return {op.name: op for op in self.ops}

    def readers(self) -> dict[str, list[Op]]:
        """The operations that read each result, once for each time that they do."""
        found: dict[str, list[Op]] = {op.name: [] for op in self.ops}
        for op in self.ops:
            for name in op.inputs:
                found[name].append(op)
        return found

    def use_counts(self) -> Counter[str]:
        """How often each result is read, every output of the program counting as a reader."""
        uses = Counter(name for op in self.ops for name in op.inputs)
        uses.update(self.outputs)
        return uses
