"""The layer graph: a trained network in floats, batch norms folded and everything fused that the
engine runs as one instruction.

Made by :mod:`acsgen.frontend`, read by :mod:`acsgen.quant`.  Shapes leave the batch out: a *map* is
``(C, H, W)``, a *vector* ``(C,)``, a *mask* ``(C,)`` of 0/1.

Every layer has one result, named like the layer.  ``where`` is the module path in the user's
network, for messages.  Arrays are float64 or float32 numpy, in PyTorch's layouts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating]


@dataclass(frozen=True)
class Layer:
    """Common part: ``name`` of layer and result, ``where`` it comes from, ``shape`` of the
    result."""

    name: str
    where: str
    shape: tuple[int, ...]

    #: Fields that name the results this layer reads.
    READS: ClassVar[tuple[str, ...]] = ()

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the results this layer reads, masks included."""
        names = (getattr(self, field_name) for field_name in self.READS)
        return tuple(name for name in names if name is not None)


@dataclass(frozen=True)
class Input(Layer):
    """The image, raw uint8 pixels ``p``; the network sees ``p * scale[c] + offset[c]``.

    Consumers other than convolutions are not allowed to read it (the raw map is stored
    un-normalized; a convolution folds the normalization and pads with the pixel value that
    normalizes to zero).
    """

    scale: FloatArray = field(repr=False)
    offset: FloatArray = field(repr=False)


@dataclass(frozen=True)
class Conv(Layer):
    """``act(mask * conv(x) + bias + residual)`` in the order written in the engine's contract.

    ``weight`` is ``(O, I/groups, K, K)``.  With ``mask`` the channels whose bit is 0 take
    ``masked_bias[o]`` (zero unless the mask acts before BatchNorm) in place of ``conv + bias``;
    then residual and ReLU act on all channels alike.  DGConv arrives here as a dense convolution
    with zeroed weights (``groups == 1``); the compiler finds its group structure.
    """

    x: str
    weight: FloatArray = field(repr=False)
    bias: FloatArray = field(repr=False)
    masked_bias: FloatArray = field(repr=False)
    stride: int
    pad: int
    groups: int
    relu: bool
    residual: str | None = None
    mask: str | None = None

    READS = ("x", "residual", "mask")


@dataclass(frozen=True)
class Eltwise(Layer):
    """``act(mask * x + residual)``: a lone add, ReLU or mask that no convolution could take in."""

    x: str
    relu: bool
    residual: str | None = None
    mask: str | None = None

    READS = ("x", "residual", "mask")


@dataclass(frozen=True)
class Pool(Layer):
    """Max pooling (padding never wins) or average pooling (divides by ``kernel**2``, padding
    counted)."""

    x: str
    mode: Literal["max", "avg"]
    kernel: int
    stride: int
    pad: int

    READS = ("x",)


@dataclass(frozen=True)
class GlobalAvg(Layer):
    """Mean over the map: ``(C, H, W)`` to ``(C,)``."""

    x: str

    READS = ("x",)


@dataclass(frozen=True)
class Flatten(Layer):
    """``(C, H, W)`` to ``(C*H*W,)`` in PyTorch's order."""

    x: str

    READS = ("x",)


@dataclass(frozen=True)
class Linear(Layer):
    """``act(weight @ x + bias)`` on a vector; ``weight`` is ``(O, I)``."""

    x: str
    weight: FloatArray = field(repr=False)
    bias: FloatArray = field(repr=False)
    activation: Literal["none", "relu", "sigmoid"]

    READS = ("x",)


@dataclass(frozen=True)
class Logits(Layer):
    """The classifier: a linear layer whose results leave the engine wide.  Last layer of the
    graph."""

    x: str
    weight: FloatArray = field(repr=False)
    bias: FloatArray = field(repr=False)

    READS = ("x",)


@dataclass(frozen=True)
class Gate(Layer):
    """The decision of a gate: mask bit ``sigmoid(weight @ x + bias) > threshold``, a bit per
    channel."""

    x: str
    weight: FloatArray = field(repr=False)
    bias: FloatArray = field(repr=False)
    threshold: float

    READS = ("x",)


@dataclass(frozen=True)
class Scale(Layer):
    """``x[c] * vector[c]``: squeeze-and-excitation's last step."""

    x: str
    vector: str

    READS = ("x", "vector")


@dataclass(frozen=True)
class LayerGraph:
    """Layers in execution order; ``layers[0]`` is the :class:`Input`, ``layers[-1]`` the
    :class:`Logits`."""

    name: str
    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for layer in self.layers:
            missing = [n for n in layer.inputs if n not in seen]
            if missing:
                raise ValueError(f"{layer.name} reads {missing} before they are defined")
            if layer.name in seen:
                raise ValueError(f"{layer.name} is defined twice")
            seen.add(layer.name)

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    def __getitem__(self, name: str) -> Layer:
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise KeyError(name)

    @property
    def gates(self) -> tuple[Gate, ...]:
        """The gates, in execution order."""
        return tuple(layer for layer in self.layers if isinstance(layer, Gate))
