"""``acsgen sim``: a build directory, run again on one of its engines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from acsgen.cli.console import StageDisplay, guarded, out
from acsgen.engines.registry import SIMULATIONS, Simulation, SimulationName
from acsgen.support.errors import Problem, UserError
from acsgen.support.fsutil import check_file
from acsgen.support.numbers import count

if TYPE_CHECKING:
    from acsgen.engines.rtl import Memory
    from acsgen.verify import Verification
    from acsgen.verify.builddir import BuildDirectory

_ROWS = 20


@guarded
def sim(
    build: Annotated[Path, typer.Argument(help="A directory that acsgen build wrote.")],
    engine: Annotated[
        SimulationName,
        typer.Option("--engine", "-e", help="The HLS C++, or the SystemVerilog with its cycles."),
    ] = "csim",
    images: Annotated[
        int | None,
        typer.Option("--images", "-n", min=1, help="Use only the first so many of its images."),
    ] = None,
    waves: Annotated[
        Path | None,
        typer.Option(help="Write waves (FST) of the RTL; large, so take few images."),
    ] = None,
    latency: Annotated[
        int | None,
        typer.Option(min=0, help="RTL: cycles from a read's address to its data; default board's."),
    ] = None,
    bandwidth: Annotated[
        int | None,
        typer.Option(min=1, max=256, help="RTL: beats in 256 cycles; default the board's."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="RTL: random pauses on every channel of the bus.")
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the findings to a file.")
    ] = None,
) -> None:
    """Run a build's images on one of its engines and compare with the golden model.

    Every image runs twice, without trace and with it; logits, masks, the result of every layer and
    the counters must be equal in every bit. The command needs neither the network nor PyTorch.
    """
    simulation = SIMULATIONS[engine]
    memory_options = {"--latency": latency, "--bandwidth": bandwidth, "--seed": seed}
    if not simulation.clocked:
        _refuse_rtl_options({**memory_options, "--waves": waves})
    for path in (waves, json_file):
        if path is not None:
            check_file(path)

    from acsgen.engines.rtl import Memory
    from acsgen.verify.builddir import open_build
    from acsgen.verify.check import check_vectors, open_engine, require_exact

    with StageDisplay() as display:
        display("read the build")
        opened = open_build(build)
        vectors = opened.vectors
        if images is not None and images > len(vectors.images):
            raise UserError(
                Problem(
                    "--images",
                    f"{images} images, and {build} has {len(vectors.images)}",
                    f"ask for fewer, or build again with --images {images}",
                )
            )
        vectors = vectors.head(images or len(vectors.images))
        display(f"compile the {simulation.title}")
        given = {key[2:]: value for key, value in memory_options.items() if value is not None}
        memory = replace(Memory.for_board(opened.manifest.board), **given)
        running = open_engine(opened, simulation, memory, waves)
        stage = f"run the {simulation.title}"
        display(stage, 0, len(vectors.images))
        found = check_vectors(
            opened.program,
            running,
            vectors,
            simulation.title,
            lambda done: display(stage, done, len(vectors.images)),
        )
        running.close()
    out.print(runs_table(opened, found, simulation))
    if json_file is not None:
        content = json.dumps(outcome(opened, found, simulation, memory), indent=1) + "\n"
        json_file.write_text(content, encoding="utf-8")
    require_exact(found, simulation.title)
    out.print(f"{count(found.compared)} values compared, all equal", soft_wrap=True)


def _refuse_rtl_options(options: dict[str, Any]) -> None:
    given = [name for name, value in options.items() if value is not None]
    if given:
        raise UserError(
            [
                Problem(name, "is for the RTL simulation", "add --engine rtl, or leave it out")
                for name in given
            ]
        )


def runs_table(build: BuildDirectory, found: Verification, simulation: Simulation) -> Table:
    """Return a row for each of the first images, and their mean."""
    table = Table(
        title=f"{build.program.model}, {simulation.title}",
        title_justify="left",
        box=None,
        pad_edge=False,
    )
    table.add_column("image")
    columns = _columns(simulation)
    for title in columns:
        table.add_column(title, justify="right")
    for index, header in enumerate(found.headers[:_ROWS]):
        table.add_row(str(index), *(count(header[key] * by) for key, by in columns.values()))
    hidden = len(found.headers) - _ROWS
    if hidden > 0:
        table.add_row(f"... {hidden} more")
    table.add_row("mean", *(count(_mean(found.headers, key) * by) for key, by in columns.values()))
    return table


def _columns(simulation: Simulation) -> dict[str, tuple[str, int]]:
    """Return the columns by title: the header word that each shows, and the factor for it."""
    from acsgen.isa.generated import WORD_BYTES

    clock = {"cycles": ("cycles", 1), "stalled": ("stall_cycles", 1)}
    return {
        **(clock if simulation.clocked else {}),
        "iterations": ("array_iterations", 1),
        "MACs": ("macs_executed", 1),
        "skipped": ("macs_skipped", 1),
        "bytes read": ("read_words", WORD_BYTES),
        "written": ("written_words", WORD_BYTES),
    }


def _mean(headers: Sequence[dict[str, int]], key: str) -> float:
    return sum(header[key] for header in headers) / len(headers)


def outcome(
    build: BuildDirectory, found: Verification, simulation: Simulation, memory: Memory
) -> dict[str, Any]:
    """Return the content of the file that ``--json`` names."""
    return {
        "model": build.program.model,
        "board": build.manifest.board.name,
        "engine": simulation.name,
        "memory": asdict(memory) if simulation.clocked else None,
        "images": found.images,
        "runs_per_image": 2,
        "values": found.compared,
        "mismatches": found.mismatches,
        "first": found.first,
        "runs": list(found.headers),
    }
