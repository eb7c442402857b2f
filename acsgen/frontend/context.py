"""What operator handlers work with while :mod:`.lower` walks the exported graph.

A handler gets its bound arguments, examines them, and either emits an operation or raises
:class:`Refused` with the reason and a remedy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, fx

from acsgen.frontend.names import Names
from acsgen.frontend.opgraph import Affine, Array, Flatten, Op
from acsgen.importers.source_line import place

Kind = Literal["map", "vector", "mask"]

#: What to do where views have put the entries of a map in an order that the engine does not have.
KEEP_ORDER = "keep maps as [N, C, H, W], from the image to the last one"


class Refused(Exception):
    """A node that can't be compiled.

    ``about_inputs``: the reason is the kind of its inputs, so it says nothing new where an input
    was itself refused.
    """

    def __init__(self, what: str, remedy: str = "", *, about_inputs: bool = False) -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy
        self.about_inputs = about_inputs


@dataclass(frozen=True)
class Value:
    """A run-time result.

    Attributes:
        op: name of the operation that makes it.
        kind: what it is to the engine.
        shape: (C, H, W) or (C,).
        dims: PyTorch's shape, which may differ from ``shape`` by axes of size 1 and by expansion.
        pixels: still the raw image in an integer type.
        suspect: a refused node is among its ancestors.
        combined: the product of several masks (masks only).
        complement: stands for ``1 - mask`` (masks only).
        split_axis: stands for all pieces that a tensor was cut into along this axis of ``dims``.
        order: which entry of ``op``'s result, counted in its own order, each entry of ``dims`` is,
            where views have rearranged them; None where they lie as they are.
    """

    op: str
    kind: Kind
    shape: tuple[int, ...]
    dims: tuple[int, ...]
    pixels: bool = False
    suspect: bool = False
    combined: bool = False
    complement: bool = False
    split_axis: int | None = None
    order: NDArray[np.int64] | None = field(default=None, compare=False)

    @property
    def channels(self) -> int:
        """Number of channels of a map, entries of a vector or bits of a mask."""
        return self.shape[0]

    @property
    def is_plain_map(self) -> bool:
        """A map in PyTorch's own arrangement ``[1, C, H, W]``."""
        return self.kind == "map" and self.dims == (1, *self.shape) and self.order is None

    @property
    def is_expanded(self) -> bool:
        """A vector or mask repeated over further axes."""
        return self.order is None and int(np.prod(self.dims)) != int(np.prod(self.shape))


Argument = Any
"""A :class:`Value`, a constant tensor, a number, a list, a string or None."""


@dataclass
class Context:
    """The graph being built."""

    names: Names = field(default_factory=Names)
    ops: list[Op] = field(default_factory=list)

    def emit(self, kind: type[Op], call: Call, shape: Sequence[int], **fields: Any) -> Value:
        """Append an operation for ``call``'s node and return its result with the node's dims."""
        label = kind.label or kind.__name__.lower()
        name = self.names.make(call.path, label)
        op = kind(name=name, node=call.node.name, where=call.where, shape=tuple(shape), **fields)
        self.ops.append(op)
        value_kind: Kind = "map" if len(shape) == 3 else "vector"
        suspect = any(v.suspect for v in call.inputs)
        return Value(name, value_kind, tuple(shape), call.dims, suspect=suspect)

    def affine(self, call: Call, x: Value, scale: Array, offset: Array) -> Value:
        """Emit ``x * scale + offset`` per channel; scalars spread over the channels."""
        if not call.dtype.is_floating_point:
            raise Refused(
                f"arithmetic on {call.dtype} values, which wraps or rounds",
                "convert the image to float first",
            )
        spread = [np.broadcast_to(v, (x.channels,)).astype(np.float64) for v in (scale, offset)]
        return self.elementwise(Affine, call, x, scale=spread[0], offset=spread[1])

    def elementwise(self, kind: type[Op], call: Call, x: Value, **fields: Any) -> Value:
        """Emit an operation on each entry of ``x``, wherever views have put them."""
        value = self.emit(kind, call, x.shape, x=x.op, **fields)
        return self.in_order(value, x.order)

    def in_order(self, value: Value, order: NDArray[np.int64] | None) -> Value:
        """The result of the last operation, as the node's, which has its entries in ``order``."""
        if order is not None:
            self.ops[-1] = replace(self.ops[-1], node="")
        return replace(value, order=order)

    def as_vector(self, call: Call, x: Value) -> Value:
        """``x`` itself if it is a vector, or a 1x1 map as a vector."""
        if x.kind == "map" and x.shape[1:] == (1, 1):
            flat = self.emit(Flatten, call, (x.channels,), x=x.op)
            # The exported node has the consumer's value, not the flattened one.
            self.ops[-1] = replace(self.ops[-1], node="")
            return replace(flat, dims=x.dims)
        return x


@dataclass(frozen=True)
class Call:
    """One node of the exported program with its arguments bound by name.

    ``path`` is the module's call that it belongs to.
    """

    node: fx.Node
    path: str
    args: dict[str, Argument]

    @property
    def where(self) -> str:
        """Module path, and the line of the source for a functional operation, for messages."""
        return place(self.node)

    @property
    def inputs(self) -> list[Value]:
        """The arguments that are computed at run time."""
        found: list[Value] = []
        for argument in self.args.values():
            several = argument if isinstance(argument, list) else [argument]
            found += (value for value in several if isinstance(value, Value))
        return found

    @property
    def dims(self) -> tuple[int, ...]:
        """PyTorch's shape of the (first) result."""
        return tuple(int(size) for size in self._example.shape)

    @property
    def dtype(self) -> torch.dtype:
        """Type of the (first) result."""
        return self._example.dtype

    @property
    def _example(self) -> Tensor:
        value = self.node.meta["val"]
        first = value[0] if isinstance(value, (tuple, list)) else value
        assert isinstance(first, Tensor)
        return first

    def value(self, name: str = "self") -> Value:
        """A run-time argument.

        Raises:
            Refused: it is a constant.
        """
        argument = self.args.get(name)
        if not isinstance(argument, Value):
            raise Refused(f"its {name} does not depend on the image", "remove this layer")
        return argument

    def map(self, name: str = "self") -> Value:
        """A run-time argument that is a map.

        Raises:
            Refused: it is something else.
        """
        x = self.value(name)
        if not x.is_plain_map:
            what = f"works on a map, but its input is {describe(x)}"
            raise Refused(what, KEEP_ORDER if x.order is not None else "", about_inputs=True)
        return x

    def require_floats(self, name: str) -> None:
        """Refuse an integer argument of an operation that has constant floats beside it.

        ``torch.export`` accepts that, and PyTorch then fails when the program runs.

        Raises:
            Refused: the argument is of an integer type.
        """
        target = self.node.target
        assert isinstance(target, torch._ops.OpOverload)
        names = [argument.name for argument in target._schema.arguments]
        argument = {**dict(zip(names, self.node.args, strict=False)), **self.node.kwargs}[name]
        value = argument.meta.get("val") if isinstance(argument, fx.Node) else None
        if isinstance(value, Tensor) and not value.is_floating_point():
            kind = str(value.dtype).removeprefix("torch.")
            raise Refused(
                f"its {name} is {kind}, its weights are floats, which PyTorch cannot combine",
                "convert the image in forward, x.float(), before the first layer",
            )

    def constant(self, name: str) -> Array | None:
        """A constant argument as float64, None where it is absent.

        Raises:
            Refused: it is computed from the image.
        """
        argument = self.args.get(name)
        if argument is None:
            return None
        if isinstance(argument, Value):
            raise Refused(
                f"its {name} is computed from the image",
                "the engine takes constant weights only",
            )
        return np.asarray(torch.as_tensor(argument).detach().to(torch.float64).numpy())

    def square(self, name: str, default: Sequence[int] | None = None) -> int:
        """An argument given for both axes (or once), which must be equal.

        Raises:
            Refused: the two differ.
        """
        pair = self.args.get(name)
        if pair is None or (isinstance(pair, (list, tuple)) and not pair):
            assert default is not None
            pair = default
        if isinstance(pair, int):
            return pair
        first, last = int(pair[0]), int(pair[-1])
        if first != last:
            label = name.removesuffix("_size")
            raise Refused(
                f"{label} {first}x{last} is not square", f"use the same {label} both ways"
            )
        return first


#: Looks at one node, emits operations, and returns the node's value; a tensor where that does not
#: depend on the image after all.
Handler = Callable[[Context, Call], Value | Tensor]


def describe(x: Value) -> str:
    """What a value is, in words."""
    size = "x".join(str(n) for n in x.dims)
    if x.order is not None:
        return f"a rearranged {x.kind} ({size})"
    if x.kind == "map" and not x.is_plain_map:
        return f"a reshaped map ({size})"
    words = {"map": "a map", "vector": "a vector", "mask": "a channel mask"}
    return f"{words[x.kind]} ({size})"


def single_axis(dims: Sequence[int], count: int) -> bool:
    """Whether ``dims`` is one axis of ``count`` entries and else axes of size 1."""
    return [d for d in dims if d != 1] == ([count] if count != 1 else [])
