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

import acsgen
from acsgen.emit.bundles import BUNDLES
from acsgen.emit.claims import HEADER, write_claims
from acsgen.isa.generated import LANES, RECORD_WORDS, SEGMENTS, SPEC_HASH, Instruction
from acsgen.isa.spec import Argument, load_spec
from acsgen.program.board import Board
from acsgen.program.engine_config import EngineConfig
from acsgen.support.assets import asset

#: Files of templates/hls that are copied.
_PLAIN_SUFFIXES = (".hpp", ".cpp")

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
    chunk: int
    chunks: int
    row_words: int
    linear_words: int
    linear_rows: int
    taps: int
    rounds: int
    blocks: int
    groups: int
    image_channels: int
    image_rows: int

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

        def rounds(op: Instruction) -> int:
            # All rounds are full but the last one.
            return -(-blocks(op) * min(op.chunk, op.channels) // lane_groups) + 1

        channels = max(max(op.channels, op.groups * op.channels) for op in instructions)
        linear_words = max((op.row_words for op in linears), default=RECORD_WORDS + 1)
        return cls(
            instructions=len(instructions),
            channels=channels,
            chunk=max((op.chunk for op in convs), default=1),
            chunks=max((-(-op.channels // op.chunk) for op in convs), default=1),
            row_words=max((op.row_words for op in convs), default=RECORD_WORDS + 1),
            linear_words=linear_words,
            linear_rows=channels * linear_words,
            taps=max((op.channels_in * op.kernel**2 for op in convs), default=1),
            rounds=max((rounds(op) for op in convs), default=1),
            blocks=max(max(blocks(op), op.src_step) for op in maps),
            groups=max((op.groups for op in convs), default=1),
            image_channels=load.channels,
            image_rows=load.dst_height,
        )


#: The only buffer that the engine writes.
WRITTEN_BUFFER = "result"


def _parameter(argument: Argument) -> dict[str, str]:
    """Return an argument of the top function: its name, and its declaration in C++."""
    kinds = {"pointer": "const acs::word_t *", "input": "uint32_t ", "output": "uint32_t *"}
    kind = kinds[argument.kind]
    if argument.name == WRITTEN_BUFFER:
        kind = kind.removeprefix("const ")
    return {"name": argument.name, "declaration": kind + argument.name}


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
        result_words: size of the result buffer without trace: header, logits and masks.
        traced_words: size of the result buffer with trace.
    """
    templates = asset("templates", "hls")
    names = (path.name.removesuffix(".j2") for path in templates.iterdir())
    sources = sorted(name for name in names if name.endswith(".cpp"))
    sources.remove("acs_testbench.cpp")
    context = {
        "model": model,
        "board": board,
        "acsgen_version": acsgen.__version__,
        "engine": engine,
        "lanes": LANES,
        "trip": asdict(LoopBounds.of(instructions, engine.lane_groups)),
        "depth": {
            "program": sum(len(op.encode()) for op in instructions),
            "params": params_words,
            "image": image_words,
            "result": traced_words,
        },
        "bundles": BUNDLES,
        "arguments": [_parameter(argument) for argument in load_spec().arguments],
        "sources": sources,
        "spec_hash": SPEC_HASH,
        "image_words": image_words,
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
    # Only the sources of the flat loop state their claims.
    if (target / HEADER).is_file():
        write_claims(target, "acs_engine", board, engine)
