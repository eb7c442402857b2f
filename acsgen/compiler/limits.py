"""Limits of the engine, all reported at once: the place, the shortage, the remedy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from acsgen.compiler.allocate import Allocation, Lifetime, peak
from acsgen.compiler.kinds import kind_of
from acsgen.compiler.params import Constants
from acsgen.compiler.steps import Buffer, Schedule
from acsgen.ir.integer import IntGraph, IntLayer
from acsgen.ir.masks import UNMASKED, ChannelMask, mask_names, one_mask
from acsgen.isa.generated import LANES, MASK_REGISTERS, WORD_BYTES
from acsgen.program.engine_config import MAX_VECTOR_BYTES, EngineConfig
from acsgen.program.program import Line
from acsgen.support.errors import Problem

Lifetimes = list[Lifetime[Buffer]]


def unsupported_layers(graph: IntGraph) -> Iterator[Problem]:
    """Yield the layers that no engine can run, of any size."""
    for layer in graph:
        kind = kind_of(layer)
        reasons = list(kind.limits(graph, layer))
        if kind.lower is not None:
            reasons += _one_of_a_kind(graph, layer)
        for what, remedy in reasons:
            yield Problem(layer.where or layer.name, what, remedy)


def _one_of_a_kind(graph: IntGraph, layer: IntLayer) -> Iterator[tuple[str, str]]:
    """Yield what differs by channel and is one field of an instruction: signs, mask registers."""
    for name in dict.fromkeys((*layer.inputs, layer.name)):
        if graph[name].format.one_sign is None:
            yield (
                f"the channels of {name} are partly signed and partly not",
                "let all maps that are concatenated end in ReLU, or none",
            )
    mask: ChannelMask = getattr(layer, "mask", UNMASKED)
    if mask and (one_mask(mask) is None or graph[mask_names(mask)[0]].shape != layer.shape[:1]):
        yield (
            f"is masked by parts of {' and '.join(mask_names(mask))}",
            "give the layer a gate of its own, with a bit for each of its channels",
        )


def unencodable(graph: IntGraph, lines: Iterable[Line]) -> Iterator[Problem]:
    """Yield the layers that need values for which fields of instructions have too few bits."""
    for line in lines:
        unused = line.instruction.unused
        if unused:
            # Not the user's network is wrong, but the kind of layer or the specification.
            names, opcode = ", ".join(unused), line.instruction.opcode.name
            raise ValueError(
                f"{line.layer}: {opcode} has {names}, which the specification does not give it"
            )
        try:
            line.instruction.encode()
        except ValueError as error:
            layer = graph[line.layer]
            yield Problem(
                layer.where or layer.name,
                f"its instruction has no room for it: {error}",
                "make the layer smaller, or the fields of the specification wider",
            )


def rows_too_long(graph: IntGraph, constants: Constants, engine: EngineConfig) -> Iterator[Problem]:
    """Yield the convolutions of which not even one weight row fits a weight bank."""
    for name in constants.convolutions:
        layer = graph[name]
        words = constants.rows[name].weight_words
        if words > engine.bank_words:
            needed = -(-words * WORD_BYTES * engine.lane_groups // 1024)
            yield Problem(
                layer.where or layer.name,
                f"a weight row takes {words * WORD_BYTES} bytes, a weight bank holds "
                f"{engine.bank_words * WORD_BYTES}",
                f"a board with weight_kib of {needed} (this one has {engine.weight_kib}), fewer "
                "lane groups, or fewer input channels",
            )


def feature_shortage(
    schedule: Schedule,
    lifetimes: Lifetimes,
    found: Allocation[Buffer],
    engine: EngineConfig,
) -> Iterator[Problem]:
    """Yield the shortage of feature memory, at the layer where most of it is in use."""
    if found.size > engine.feature_blocks:
        _, step = peak(lifetimes)
        alive = [b for b in lifetimes if b.first <= step <= b.last]
        held = ", ".join(
            f"{b.key.name} {_kib(b.size)}" for b in sorted(alive, key=lambda b: -b.size)
        )
        yield Problem(
            _where(schedule, step),
            f"the maps need {_kib(found.size)} of feature memory, the board has "
            f"{engine.feature_kib} KiB: {_kib(found.size - engine.feature_blocks)} short. "
            f"At this layer it holds {held}",
            "a board with more feature_kib, smaller images, or fewer channels",
        )


def vector_shortage(
    schedule: Schedule,
    lifetimes: Lifetimes,
    found: Allocation[Buffer],
    engine: EngineConfig,
) -> Iterator[Problem]:
    """Yield the shortage of vector memory, at the layer where most of it is in use."""
    if found.size > engine.vector_words:
        needed, pooling = found.size * WORD_BYTES, "global pooling in place of flattening"
        larger = 1 << (needed - 1).bit_length()
        own_board = (
            f"a copy of the board's file (acsgen boards --show) with vector_bytes: {larger}, or "
        )
        yield Problem(
            _where(schedule, peak(lifetimes)[1]),
            f"the vectors need {needed} bytes of vector memory, the board has "
            f"{engine.vector_bytes}: {needed - engine.vector_bytes} short",
            (own_board if larger <= MAX_VECTOR_BYTES else "") + pooling,
        )


def mask_shortage(
    schedule: Schedule, lifetimes: Lifetimes, found: Allocation[Buffer]
) -> Iterator[Problem]:
    """Yield the shortage of mask registers."""
    if found.size > MASK_REGISTERS:
        yield Problem(
            _where(schedule, peak(lifetimes)[1]),
            f"{found.size} masks are in use at once, the engine has {MASK_REGISTERS} registers",
            "place the gates nearer to the layers that they control",
        )


def _where(schedule: Schedule, step: int) -> str:
    layer = schedule.steps[step].layer
    return layer.where or layer.name


def _kib(blocks: int) -> str:
    return f"{blocks * LANES / 1024:g} KiB"
