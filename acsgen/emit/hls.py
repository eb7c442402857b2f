"""Renders the Vitis HLS sources of an engine, with its test bench and tool scripts.

The sources are in ``templates/hls``.  Most are plain C++ and copied as they are.  Those that differ
between builds are templates: ``acs_config.hpp`` has the sizes of the engine and the trip counts
that the network reaches (they steer Vitis' latency report, never the behaviour), ``acs_engine.cpp``
the ports with their buffer depths for co-simulation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import jinja2
from acsgen_host.words import POISON

import acsgen
from acsgen.emit.bundles import BUNDLES
from acsgen.emit.claims import HEADER, write_claims
from acsgen.isa.generated import (
    INSTRUCTION_WORDS,
    LANES,
    SEGMENTS,
    SPEC_HASH,
    WORD_BYTES,
    Instruction,
)
from acsgen.isa.spec import Argument, load_spec
from acsgen.program.board import Board
from acsgen.program.engine_config import EngineConfig
from acsgen.program.program import Program
from acsgen.support.assets import asset

#: Files of templates/hls that are copied.
_PLAIN_SUFFIXES = (".hpp", ".cpp")

#: The folder of headers that Vitis has and g++ has not, and the one in it.
WITHOUT_VITIS = "gxx"
BURST_HEADER = "hls_burst_maxi.h"

#: Beats of the longest burst that AXI3, the bus of a Zynq-7000, knows.
BURST_BEATS = 16

#: Bursts that an AXI adapter keeps open, and has room for.
READS_OUTSTANDING = 16
WRITES_OUTSTANDING = 4

#: Cycles between the engine and the memory's controller, there and back, beside its latency.
BUS_CYCLES = 4

#: The folder of the files that the test bench reads, seen from the HLS project.
PROGRAM_DIRECTORY = "../program"
VECTORS_DIRECTORY = "../vectors"
TESTBENCH_FILES = (
    f"{PROGRAM_DIRECTORY}/program.bin",
    f"{PROGRAM_DIRECTORY}/params.bin",
    f"{VECTORS_DIRECTORY}/images.bin",
    f"{VECTORS_DIRECTORY}/expected.bin",
)


@dataclass(frozen=True)
class LoopBounds:
    """Largest trip counts that a program reaches, for ``#pragma HLS LOOP_TRIPCOUNT``.

    In C++ they are constants of the same names in upper case, behind ``TRIP_``.
    """

    instructions: int
    channels: int
    groups: int
    array: int
    last_bursts: int
    linear_words: int
    map_blocks: int
    program_words: int
    image_words: int
    trace_words: int

    @classmethod
    def of(cls, instructions: Sequence[Instruction], lane_groups: int) -> LoopBounds:
        """Derive the bounds from a program."""
        convs = [op for op in instructions if op.reads_rows and op.reads_map]
        linears = [op for op in instructions if op.reads_rows and op.reads_vector]
        load = next(op for op in instructions if op.reads_image)
        maps = [op for op in instructions if op.reads_map or op.writes_map]

        def blocks(op: Instruction) -> int:
            rows = max(op.dst_height, op.src_height)
            return -(-(rows << op.row_log2) // SEGMENTS)

        def words(op: Instruction) -> int:
            thresholds = -(-op.channels // 2) if op.reads_thresholds else 0
            return thresholds + op.channels * op.row_words

        def iterations(op: Instruction) -> int:
            # All rounds are full but the last one of every chunk.
            chunks = -(-op.channels // op.chunk)
            rounds = -(-blocks(op) * op.channels // lane_groups) + chunks
            return op.groups * rounds * op.channels_in * op.kernel**2

        channels = max(max(op.channels, op.groups * op.channels) for op in instructions)
        return cls(
            instructions=len(instructions),
            channels=channels,
            groups=max((op.groups for op in convs), default=1),
            array=max((iterations(op) for op in convs), default=1),
            last_bursts=max((-(-op.row_words // BURST_BEATS) for op in convs), default=1),
            linear_words=max((words(op) for op in linears), default=1),
            map_blocks=max(op.channels * blocks(op) for op in maps),
            program_words=len(instructions) * INSTRUCTION_WORDS,
            image_words=load.channels * load.dst_height * -(-load.dst_width // WORD_BYTES),
            trace_words=max(channels * op.dst_step * SEGMENTS for op in maps),
        )


#: Ports with bursts by hand (``hls::burst_maxi``), and their types: parameters are requested ahead,
#: answers to results are awaited late.  Each has a bundle of its own.
BURST_PORTS = {"params": "acs::params_port ", "result": "acs::result_port "}


#: Arguments whose names are reserved in SystemVerilog or VHDL have others in C++, so that the ports
#: keep them.
PORT_NAMES = {"program": "program_buffer", "configuration": "configuration_word"}


def _parameter(argument: Argument) -> dict[str, str]:
    """Return an argument of the top function: its name, and its declaration in C++."""
    kinds = {"pointer": "const acs::word_t *", "input": "uint32_t ", "output": "uint32_t *"}
    kind = kinds[argument.kind]
    member = kind
    if argument.name in BURST_PORTS:
        kind, member = BURST_PORTS[argument.name], "acs::word_t *"
    port = PORT_NAMES.get(argument.name, argument.name)
    return {
        "name": argument.name,
        "port": port,
        "declaration": kind + port,
        "member": member + argument.name,
    }


def _ports(board: Board, engine: EngineConfig, depths: dict[str, int]) -> list[dict[str, object]]:
    """Return the memory ports of the top function, with what their AXI adapters are told."""
    axi3 = board.family == "zynq7000"
    options = (
        f"latency={engine.latency_cycles} "
        f"max_read_burst_length={BURST_BEATS if axi3 else 4 * BURST_BEATS} "
        f"num_read_outstanding={READS_OUTSTANDING} "
        f"max_write_burst_length={BURST_BEATS if axi3 else 4 * BURST_BEATS} "
        f"num_write_outstanding={WRITES_OUTSTANDING}"
    )
    return [
        {
            "name": PORT_NAMES.get(name, name),
            "bundle": bundle,
            "depth": depths[name],
            "options": options,
        }
        for name, bundle in BUNDLES.items()
    ]


def render_hls_of(program: Program, target: Path, board: Board) -> None:
    """Write the HLS project of ``program`` into the folder ``target``; see :func:`render_hls`."""
    render_hls(
        target,
        model=program.model,
        board=board,
        engine=program.engine,
        instructions=program.instructions,
        params_words=len(program.params),
        image_words=program.image.words,
        result_words=program.result_words,
        traced_words=program.traced_words,
    )


def render_hls(
    target: Path,
    *,
    model: str,
    board: Board,
    engine: EngineConfig,
    instructions: Sequence[Instruction],
    params_words: int,
    image_words: int,
    result_words: int,
    traced_words: int,
) -> None:
    """Write the HLS project of one program into the folder ``target`` (created).

    Args:
        target: folder to write.
        model: the network's name, for titles.
        board: part and clock.
        engine: sizes of the engine.
        instructions: the program.
        params_words: size of the parameter buffer.
        image_words: size of one packed image.
        result_words: size of the result buffer without trace: header, outputs and masks.
        traced_words: size of the result buffer with trace.
    """
    templates = asset("templates", "hls")
    names = (path.name.removesuffix(".j2") for path in templates.iterdir())
    sources = sorted(name for name in names if name.endswith(".cpp"))
    sources.remove("acs_testbench.cpp")
    depths = {
        "program": sum(len(op.encode()) for op in instructions),
        "params": params_words,
        "image": image_words,
        "result": traced_words,
    }
    context = {
        "model": model,
        "board": board,
        "acsgen_version": acsgen.__version__,
        "engine": engine,
        "lanes": LANES,
        "trip": asdict(LoopBounds.of(instructions, engine.lane_groups)),
        "depth": depths,
        "ports": _ports(board, engine, depths),
        "reads_outstanding": READS_OUTSTANDING,
        "read_latency": engine.latency_cycles + BUS_CYCLES,
        "arguments": [_parameter(argument) for argument in load_spec().arguments],
        "sources": sources,
        "spec_hash": SPEC_HASH,
        "image_words": image_words,
        "poison": f"{POISON:#x}ULL",
        "result_words": result_words,
        "program_dir": PROGRAM_DIRECTORY,
        "vectors_dir": VECTORS_DIRECTORY,
        "testbench_files": TESTBENCH_FILES,
    }
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # C++ and Tcl, not HTML
    )
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(templates.iterdir()):
        if path.suffix == ".j2":
            text = environment.get_template(path.name).render(context)
            (target / path.stem).write_text(text, encoding="utf-8")
        elif path.suffix in _PLAIN_SUFFIXES:
            (target / path.name).write_bytes(path.read_bytes())
    without_vitis = target / WITHOUT_VITIS
    without_vitis.mkdir(exist_ok=True)
    (without_vitis / BURST_HEADER).write_bytes(asset("sim", "csim", BURST_HEADER).read_bytes())
    # Only the sources of the flat loop state their claims.
    if (target / HEADER).is_file():
        write_claims(target, "acs_engine", board, engine)
