"""From an integer graph to a program: layouts, schedule, allocation, instructions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from acsgen.compiler.allocate import Allocation, Lifetime, allocate
from acsgen.compiler.channel_order import Orders, channel_orders, in_order
from acsgen.compiler.constants import build_constants
from acsgen.compiler.exits import program_exits
from acsgen.compiler.kinds import VectorFormat, kind_of
from acsgen.compiler.layout import choose_layouts
from acsgen.compiler.limits import (
    feature_shortage,
    mask_shortage,
    rows_too_long,
    unencodable,
    unsupported_layers,
    vector_shortage,
)
from acsgen.compiler.lower import lower
from acsgen.compiler.operands import Addresses, Operands
from acsgen.compiler.params import Constants
from acsgen.compiler.schedule import make_schedule
from acsgen.compiler.steps import Buffer, Schedule, Step, Store
from acsgen.ir.integer import IntGate, IntGraph, IntLayer
from acsgen.isa.bits import reach
from acsgen.isa.generated import (
    HEADER_WORDS,
    INSTRUCTION_FIELDS,
    SEGMENTS,
    SPEC_HASH,
    WORD_BITS,
    Instruction,
    Opcode,
)
from acsgen.program.engine_config import EngineConfig
from acsgen.program.map_format import MapFormat
from acsgen.program.memory_map import BufferPlace
from acsgen.program.program import (
    Image,
    Line,
    MemoryUse,
    Program,
    ProgramGate,
    ProgramOutput,
    Trace,
)
from acsgen.support.errors import Problem, UserError

MAPS = {Store.RASTER, Store.SPLIT}

#: Words of the result buffer that traces can be in; layers whose trace would lie beyond are not
#: traced.
TRACE_REACH = reach(INSTRUCTION_FIELDS, "trace_addr")


def compile_graph(graph: IntGraph, engine: EngineConfig) -> Program:
    """Compile ``graph`` for ``engine``.

    Raises :class:`UserError` with everything that the engine cannot do or hold: layers that it does
    not support, and each memory that is too small, with the layer, the shortage and a remedy.
    """
    orders = channel_orders(graph)
    gates = graph.gates
    graph = in_order(graph, orders)
    schedule, constants, memories = _arrange(graph, engine)
    results, result_words = _results(graph)
    traces, traced_words = _traces(schedule, result_words, orders)
    addresses = Addresses(
        buffers=memories.buffers,
        results=results,
        traces={trace.layer: trace.address for trace in traces},
    )
    operands = Operands(schedule, addresses, constants, engine)
    lines = [_line(operands, step) for step in schedule.steps]
    if problems := list(unencodable(graph, lines)):
        raise UserError(problems)
    lines.append(Line("", Instruction(Opcode.END)))
    channels, height, width = graph.input.shape
    program = Program(
        model=graph.name,
        engine=engine,
        spec_hash=SPEC_HASH,
        lines=tuple(lines),
        params=constants.words,
        image=Image(channels, height, width),
        outputs=_outputs(graph, results),
        gates=_gates(gates, addresses, constants, orders),
        exits=(),
        traces=traces,
        result_words=result_words,
        traced_words=traced_words,
        memory=memories.use,
    )
    return replace(program, exits=program_exits(graph, program, addresses, constants))


def check_fit(graph: IntGraph, engine: EngineConfig) -> None:
    """Refuse what the engine cannot do or hold, by the shapes, signs and zeros of ``graph`` alone.

    Raises:
        UserError: every such layer, and every memory that is too small.
    """
    _arrange(graph, engine)


def _arrange(graph: IntGraph, engine: EngineConfig) -> tuple[Schedule, Constants, _Memories]:
    """Order the work and place all buffers; raise everything that stands in the way."""
    problems = list(unsupported_layers(graph))
    try:
        layouts = choose_layouts(graph)
    except UserError as error:
        raise UserError([*problems, *error.problems]) from error
    constants = build_constants(graph, layouts)
    schedule = make_schedule(graph, layouts)
    return schedule, constants, _allocate(schedule, constants, engine, problems)


def memory_map(graph: IntGraph, engine: EngineConfig) -> tuple[BufferPlace, ...]:
    """Return where :func:`compile_graph` places the results of ``graph``, memory by memory."""
    return _arrange(graph, engine)[2].places


@dataclass(frozen=True)
class _Memories:
    """Where every buffer lies, and how much of each memory is used."""

    buffers: dict[Buffer, int]
    use: MemoryUse
    places: tuple[BufferPlace, ...]


def _allocate(
    schedule: Schedule, constants: Constants, engine: EngineConfig, known: list[Problem]
) -> _Memories:
    """Place all buffers; raise the ``known`` problems and every shortage together."""
    sizes = {buffer: buffer_size(schedule, buffer) for buffer in schedule.allocated()}
    maps = schedule.lifetimes(MAPS, sizes)
    vectors = schedule.lifetimes({Store.VECTOR}, sizes)
    masks = schedule.lifetimes({Store.MASK}, sizes)
    in_features, in_vectors, in_masks = allocate(maps), allocate(vectors), allocate(masks)
    problems = [
        *known,
        *rows_too_long(schedule.graph, constants, engine),
        *feature_shortage(schedule, maps, in_features, engine),
        *vector_shortage(schedule, vectors, in_vectors, engine),
        *mask_shortage(schedule, masks, in_masks),
    ]
    if problems:
        raise UserError(problems)
    return _Memories(
        buffers={
            key: offset
            for found in (in_features, in_vectors, in_masks)
            for key, offset in found.offsets.items()
        },
        use=_memory_use(in_features, in_vectors, in_masks),
        places=(
            *_places("feature", maps, in_features),
            *_places("vector", vectors, in_vectors),
            *_places("mask", masks, in_masks),
        ),
    )


def _places(
    memory: Literal["feature", "vector", "mask"],
    lifetimes: Sequence[Lifetime[Buffer]],
    found: Allocation[Buffer],
) -> Iterator[BufferPlace]:
    for item in sorted(lifetimes, key=lambda item: item.first):
        address = found.offsets[item.key]
        yield BufferPlace(item.key.name, memory, address, item.size, item.first, item.last)


def _memory_use(
    maps: Allocation[Buffer], vectors: Allocation[Buffer], masks: Allocation[Buffer]
) -> MemoryUse:
    return MemoryUse(feature_blocks=maps.size, vector_words=vectors.size, mask_registers=masks.size)


def buffer_size(schedule: Schedule, buffer: Buffer) -> int:
    """Return the size of a buffer in the unit of its memory: blocks, words, registers."""
    layer, store = schedule.graph[buffer.name], buffer.store
    if store in MAPS:
        return schedule.layouts.format(layer, store is Store.SPLIT).blocks
    if store is Store.VECTOR:
        return _vector_format(schedule, layer).words
    return 1


def _vector_format(schedule: Schedule, layer: IntLayer) -> VectorFormat:
    return kind_of(layer).vector_format(schedule.graph, schedule.layouts, layer)


def _results(graph: IntGraph) -> tuple[dict[str, int], int]:
    """Lay out header, outputs and masks in the result buffer; return addresses and the end."""
    addresses: dict[str, int] = {}
    end = HEADER_WORDS
    for name in graph.outputs:
        addresses[name] = end
        end += -(-graph[name].shape[0] // 2)
    for gate in graph.deciders:
        addresses[gate.name] = end
        end += -(-gate.shape[0] // WORD_BITS)
    return addresses, end


def _outputs(graph: IntGraph, results: dict[str, int]) -> tuple[ProgramOutput, ...]:
    return tuple(
        ProgramOutput(name, graph[name].where, graph[name].shape[0], results[name])
        for name in graph.outputs
    )


def _traces(schedule: Schedule, end: int, orders: Orders) -> tuple[tuple[Trace, ...], int]:
    """Lay out the traces in the result buffer from word ``end``; return them and the new end."""
    traces: list[Trace] = []
    for step in schedule.steps:
        traced = step.writes.store in MAPS | {Store.VECTOR}
        if not traced or step.copy or step.layer is schedule.graph.input:
            continue
        trace = _trace(schedule, step, end, orders.get(step.layer.name, ()))
        if trace.address + trace.words < TRACE_REACH:
            traces.append(trace)
            end += trace.words
    return tuple(traces), end


def _trace(schedule: Schedule, step: Step, address: int, order: tuple[int, ...]) -> Trace:
    layer = step.layer
    stored: MapFormat | None
    if step.writes.store is Store.VECTOR:
        vector = _vector_format(schedule, layer)
        stored, words = vector.copied, vector.words
    else:
        stored = schedule.layouts.format(layer, step.writes.store is Store.SPLIT)
        words = stored.blocks * SEGMENTS
    signed = layer.format.one_sign
    assert signed is not None, f"{layer.name} has signed and unsigned channels"
    return Trace(layer.name, address, words, layer.shape, signed, stored, order)


def _line(operands: Operands, step: Step) -> Line:
    remarks = []
    if step.copy:
        split = step.writes.store is Store.SPLIT
        remarks.append("copy in split layout" if split else f"copy into {step.writes.copy}")
    elif step.layer.name in operands.schedule.layouts.flat:
        remarks.append("flat over split planes")
    remark = kind_of(step.layer).remark
    if remark and not step.copy:
        remarks.append(remark)
    return Line(step.layer.name, lower(operands, step), ", ".join(remarks))


def _gates(
    gates: Iterable[IntGate], addresses: Addresses, constants: Constants, orders: Orders
) -> tuple[ProgramGate, ...]:
    return tuple(
        ProgramGate(
            name=gate.name,
            where=gate.where,
            channels=gate.shape[0],
            mask_register=addresses.buffers[Buffer(gate.name, Store.MASK)],
            threshold_address=constants.thresholds[gate.name],
            mask_address=addresses.results[gate.name],
            alpha=gate.alpha,
            acc_scale=tuple(float(scale) for scale in gate.acc_scale),
            order=orders.get(gate.name, tuple(range(gate.shape[0]))),
        )
        for gate in gates
    )
