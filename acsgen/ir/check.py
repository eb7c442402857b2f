"""The one validator of both graphs: reads the grammar of every kind, and says all that breaks it.

A graph is checked whenever it is built, so that every stage hands on a graph that keeps the
grammar.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from acsgen.ir.grammar import Constant, Operand, Sources, Stores
from acsgen.ir.kinds.base import KINDS, IntLayer, LayerBase, result_names

#: Letters of a grammar with their values; ``*`` has a tuple.
_Letters = dict[str, Any]


def violations(layers: Iterable[LayerBase], outputs: Iterable[str]) -> list[str]:
    """Every way in which layers in execution order are no graph with these outputs, in words."""
    found: list[str] = []
    seen: dict[str, LayerBase] = {}
    for layer in layers:
        missing = [name for name in layer.inputs if name not in seen]
        if missing:
            found.append(f"{layer.name} reads {missing} before they are defined")
        else:
            found += (f"{layer.name}: {text}" for text in layer_violations(layer, seen))
        if layer.name in seen:
            found.append(f"{layer.name} is defined twice")
        seen[layer.name] = layer
    return [*found, *_input_violations(seen), *_output_violations(seen, tuple(outputs))]


def layer_violations(layer: LayerBase, sources: Sources) -> Iterator[str]:
    """How a layer breaks the grammar of its kind.

    Args:
        layer: of either graph.
        sources: at least the layers that it reads, by name.
    """
    grammar = KINDS[layer.KIND].grammar
    letters: _Letters = {}
    wrong = [
        *_result_violations(layer, grammar.result, letters),
        *_read_violations(layer, grammar.reads, sources, letters),
        *_constant_violations(layer, grammar.constants, letters),
    ]
    yield from wrong
    if isinstance(layer, IntLayer):
        yield from _format_violations(layer)
    # A relation may rely on shapes and references.
    if not wrong:
        for relation in grammar.relations:
            if isinstance(layer, IntLayer) or not relation.of_integers:
                yield from relation.faults(layer, sources)


def _input_violations(layers: Mapping[str, LayerBase]) -> Iterator[str]:
    images = [index for index, layer in enumerate(layers.values()) if not layer.READS]
    if images != [0]:
        yield "the graph does not begin with the image, and have no other"


def _output_violations(layers: Mapping[str, LayerBase], outputs: tuple[str, ...]) -> Iterator[str]:
    if not outputs:
        yield "the graph has no output"
    for name in sorted({name for name in outputs if outputs.count(name) > 1}):
        yield f"{name} is an output twice"
    for name in outputs:
        if name not in layers:
            yield f"the output {name} is not defined"
        elif layers[name].stores is not Stores.WIDE:
            yield f"the output {name} is a {layers[name].stores.value}"
    for layer in layers.values():
        if layer.stores is Stores.WIDE and layer.name not in outputs:
            yield f"{layer.name} is a {Stores.WIDE.value}, and no output"
    yield from _exit_violations(layers, outputs)
    order = [name for name in layers if name in outputs]
    if order != list(outputs) and set(order) == set(outputs):
        yield f"the outputs are computed in another order: {', '.join(order)}"


def _exit_violations(layers: Mapping[str, LayerBase], outputs: tuple[str, ...]) -> Iterator[str]:
    names = list(layers)
    places = [names.index(name) for name in outputs if name in layers]
    for place, layer in enumerate(layers.values()):
        if layer.LEAVES and not min(places, default=place) < place < max(places, default=place):
            yield f"a run may end at {layer.name}, which is not between two outputs"


def _result_violations(layer: LayerBase, result: Operand, letters: _Letters) -> Iterator[str]:
    yield from _shape_violations("the result", layer, layer.shape, result.dims, letters)


def _read_violations(
    layer: LayerBase, reads: Mapping[str, Operand], sources: Sources, letters: _Letters
) -> Iterator[str]:
    for name, operand in reads.items():
        value = getattr(layer, name)
        if operand.stores == (Stores.MASK,):
            if value:
                yield from _mask_violations(layer, name, operand, sources, letters)
            continue
        for result in result_names(value):
            source = sources[result]
            if source.stores not in operand.stores:
                wanted = " or ".join(stores.value for stores in operand.stores)
                yield f"{name} is {result}, a {source.stores.value}, not a {wanted}"
            else:
                what = f"{name} ({result})"
                yield from _shape_violations(what, layer, source.shape, operand.dims, letters)


def _mask_violations(
    layer: LayerBase, field: str, operand: Operand, sources: Sources, letters: _Letters
) -> Iterator[str]:
    """How the slices of a mask break it: as many bits as channels, each within its mask."""
    slices = getattr(layer, field)
    for part in slices:
        if part.count < 1:
            yield f"a slice of {field} has {part.count} channels"
        if part.mask is None:
            continue
        source = sources[part.mask]
        if source.stores not in operand.stores:
            yield f"{field} has bits of {part.mask}, a {source.stores.value}"
        elif part.first < 0 or part.first + part.count > source.shape[0]:
            yield (
                f"{field} has the bits {part.first} to {part.first + part.count - 1} of "
                f"{part.mask}, which has {source.shape[0]}"
            )
    channels = (sum(part.count for part in slices),)
    yield from _shape_violations(field, layer, channels, operand.dims, letters)


def _constant_violations(
    layer: LayerBase, constants: Mapping[str, Constant], letters: _Letters
) -> Iterator[str]:
    for name, constant in constants.items():
        integer = isinstance(layer, IntLayer)
        if not hasattr(layer, name) or (constant.of_integers and not integer):
            continue
        values = np.asarray(getattr(layer, name))
        yield from _shape_violations(name, layer, values.shape, constant.dims, letters)
        if integer and values.size:
            yield from _range_violations(name, values, constant)


def _range_violations(name: str, values: Any, constant: Constant) -> Iterator[str]:
    low, high = constant.low, constant.high
    if low is None and high is None:
        return
    if not np.issubdtype(values.dtype, np.integer):
        yield f"{name} is {values.dtype}, not integers"
        return
    least, most = int(values.min()), int(values.max())
    if (low is not None and least < low) or (high is not None and most > high):
        yield f"{name} in {least}..{most}, allowed {low}..{high}"


def _format_violations(layer: IntLayer) -> Iterator[str]:
    try:
        channels = layer.format.channels
    except ValueError as error:
        yield f"its format has {error} channels"
        return
    if channels not in (None, layer.shape[0]):
        yield f"its format tells {channels} channels apart, the result has {layer.shape[0]}"
    yield from layer.format.faults()


def _shape_violations(
    what: str, layer: LayerBase, shape: tuple[int, ...], dims: str, letters: _Letters
) -> Iterator[str]:
    """How a shape differs from its letters, which get the values that they do not have yet."""
    words = dims.split()
    if words[-1:] == ["*"]:
        rest = shape[len(words) - 1 :]
        agrees = letters.setdefault("*", rest) == rest
        shape, words = shape[: len(words) - 1], words[:-1]
    else:
        agrees = True
    agrees = agrees and len(shape) == len(words)
    if agrees:
        # Every letter gets its value, also those behind a dimension that does not agree.
        fits = [_agrees(layer, *pair, letters) for pair in zip(words, shape, strict=True)]
        agrees = all(fits)
    if not agrees:
        known = ", ".join(f"{letter} = {value}" for letter, value in letters.items())
        yield f"{what} has shape {list(shape)}, not [{dims.replace(' ', ', ')}] with {known}"


def _agrees(layer: LayerBase, word: str, size: int, letters: _Letters) -> bool:
    letter, _, divisor = word.partition("/")
    if letter == "_":
        return size >= 1
    whole = size * getattr(layer, divisor) if divisor else size
    return bool(letters.setdefault(letter, whole) == whole) and size >= 1
