"""The facts of a kind of layer that the compiler needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acsgen.compiler.kinds._instructions import InstructionKind
from acsgen.compiler.layout import Layouts, is_map
from acsgen.compiler.operands import Operands
from acsgen.compiler.params import ParamsBuilder
from acsgen.compiler.steps import Step
from acsgen.ir.integer import IntGraph, IntLayer
from acsgen.isa.generated import (
    MAX_CHANNELS,
    MAX_HEIGHT,
    MAX_KERNEL,
    MAX_STRIDE,
    WORD_BYTES,
    Instruction,
)
from acsgen.program.map_format import MapFormat
from acsgen.support.registry import Registry

#: Abilities that the engine lacks, each with a remedy.
Limits = Iterator[tuple[str, str]]


@dataclass(frozen=True)
class VectorFormat:
    """How a vector lies in the vector memory.

    Attributes:
        places: the byte of each entry, ``(C,)``.
        words: of all of it; bytes that are no entries may hold anything.
        copied: the format of the map that it is a copy of, if it is one.
    """

    places: NDArray[np.intp]
    words: int
    copied: MapFormat | None = None


@dataclass(frozen=True)
class CompilerKind:
    """The compiler's part of a kind of layer.  Every part has to be stated.

    Attributes:
        limits: from a graph and one of its layers to the parts of it that no engine can do, of any
            size.
        leaves_out_zeros: whether channels of the first input that a mask makes zero are not read.
        constants: adds the layer's words to the parameter buffer.
        vector_format: how the layer's vector lies in the vector memory, if it makes one.
        lower: from a step that is no copy, and its layer, to the instruction; None for a kind that
            is placement alone.
        remark: on its line in the listing of the program; may be empty.
        instruction: cost and listing of the instruction that ``lower`` returns. Kinds that
            lower to the same instruction have it from the same functions. None without ``lower``.

    Raises:
        TypeError: one of the two is there without the other.
    """

    limits: Callable[[IntGraph, Any], Limits]
    leaves_out_zeros: bool
    constants: Callable[[IntGraph, Layouts, Any, ParamsBuilder], None]
    vector_format: Callable[[IntGraph, Layouts, Any], VectorFormat]
    lower: Callable[[Operands, Step, Any], Instruction] | None
    remark: str
    instruction: InstructionKind | None

    def __post_init__(self) -> None:
        if (self.lower is None) != (self.instruction is None):
            raise TypeError("'lower' and 'instruction' belong together")


COMPILER_KINDS: Registry[CompilerKind] = Registry("kind of layer")


def kind_of(layer: IntLayer) -> CompilerKind:
    """The compiler's part of a layer's kind."""
    return COMPILER_KINDS[layer.KIND]


def size_limits(graph: IntGraph, layer: IntLayer) -> Limits:
    """Limits of the channels and rows of any result."""
    channels = layer.shape[0]
    if channels > MAX_CHANNELS:
        yield f"{channels} channels, the engine counts to {MAX_CHANNELS}", "make the layer narrower"
    if is_map(layer) and layer.shape[1] > MAX_HEIGHT:
        yield f"{layer.shape[1]} rows, the engine counts to {MAX_HEIGHT}", "use smaller images"


def window_limits(kernel: int, stride: int, pad: int) -> Limits:
    """Limits of windows that move over a map."""
    if kernel > MAX_KERNEL:
        yield f"a kernel of side {kernel}, the largest is {MAX_KERNEL}", "use smaller kernels"
    if not 1 <= stride <= MAX_STRIDE:
        known = " and ".join(map(str, range(1, MAX_STRIDE + 1)))
        yield f"stride {stride}, the engine has {known}", "use stride 2, twice if need be"
    if pad >= kernel:
        yield f"padding {pad} is not smaller than the kernel of side {kernel}", "pad less"


def no_constants(
    graph: IntGraph, layouts: Layouts, layer: IntLayer, builder: ParamsBuilder
) -> None:
    """For kinds that have nothing in the parameter buffer."""


def plain(graph: IntGraph, layouts: Layouts, layer: IntLayer) -> VectorFormat:
    """For kinds whose vectors, if they make any, have a byte for each channel."""
    return VectorFormat(np.arange(layer.shape[0]), -(-layer.shape[0] // WORD_BYTES))
