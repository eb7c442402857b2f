"""``acsgen sim``: a build directory, run again on one of its engines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from acsgen.cli.console import StageDisplay, guarded, out
from acsgen.cli.options import (
    AlphaOption,
    ExitEntropyOption,
    JsonOption,
    check_json,
    write_json,
)
from acsgen.cli.sim_exits import ExitSettings
from acsgen.cli.sim_images import accuracy_of, read_images, run_free
from acsgen.cli.tables import figures_table, print_table
from acsgen.engines.registry import SIMULATIONS, Simulation, SimulationName
from acsgen.program.board import MAX_LATENCY
from acsgen.support.errors import CheckFailed, Problem, UserError
from acsgen.support.fsutil import check_file
from acsgen.support.numbers import count, percent
from acsgen.support.numbers import images as count_images

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
        str | None,
        typer.Option(
            "--images",
            "-n",
            metavar="N|FILE",
            help="The first N of its images, or those of a file (.npz, .npy) without comparison.",
        ),
    ] = None,
    alpha: AlphaOption = None,
    exit_entropy: ExitEntropyOption = None,
    budget: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="MACS",
            help="Early exits: no run executes more MACs than this; it ends at the exit before.",
        ),
    ] = None,
    budget_cycles: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="CYCLES",
            help="RTL: no run takes more cycles; what runs take between exits is measured first.",
        ),
    ] = None,
    waves: Annotated[
        Path | None,
        typer.Option(help="Write waves (FST) of the RTL; large, so take few images."),
    ] = None,
    latency: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=MAX_LATENCY,
            help="RTL: cycles from a read's address to its data; default board's.",
        ),
    ] = None,
    bandwidth: Annotated[
        int | None,
        typer.Option(min=1, max=256, help="RTL: beats in 256 cycles; default the board's."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="RTL: random pauses on every channel of the bus.")
    ] = None,
    json_file: JsonOption = None,
) -> None:
    """Run a build's images on one of its engines and compare with the golden model.

    Every image runs twice, without trace and with it; logits, masks, the result of every layer and
    the counters must be equal in every bit. The command needs neither the network nor PyTorch.
    Runs that --exit-entropy, --budget or --budget-cycles end are compared too. With images of a
    file, or with --alpha, there are no golden results: the engine's predictions are shown, and
    nothing is compared.
    """
    number = _number(images)
    simulation = SIMULATIONS[engine]
    memory_options = {"--latency": latency, "--bandwidth": bandwidth, "--seed": seed}
    if not simulation.clocked:
        _refuse_rtl_options({**memory_options, "--waves": waves, "--budget-cycles": budget_cycles})
    check_json(json_file)
    if waves is not None:
        check_file(waves)

    from acsgen.engines.rtl import Memory
    from acsgen.verify.builddir import open_build
    from acsgen.verify.check import check_vectors, open_engine, require_exact

    with StageDisplay() as display:
        display("read the build")
        opened = open_build(build)
        vectors = opened.vectors
        if alpha is not None and not opened.program.gates:
            what = f"{opened.program.model} has no gates"
            raise UserError(Problem("--alpha", what, "leave it out"))
        if number is not None and number > len(vectors.images):
            raise UserError(
                Problem(
                    "--images",
                    f"{number} images, and {build} has {len(vectors.images)}",
                    f"ask for fewer, or build again with --images {number}",
                )
            )
        vectors = vectors.head(number or len(vectors.images))
        pixels, labels = vectors.images, None
        if images is not None and number is None:
            pixels, labels = read_images(Path(images), vectors.images.shape[1:])
        settings = ExitSettings(opened.program, exit_entropy, budget, budget_cycles)
        first = ", which takes minutes the first time" if simulation.clocked else ""
        display(f"compile the {simulation.title}{' with waves' if waves else ''}{first}")
        given = {key[2:]: value for key, value in memory_options.items() if value is not None}
        memory = replace(Memory.for_board(opened.manifest.board), **given)
        running = open_engine(opened, simulation, memory, waves)
        if budget_cycles is not None:
            display("measure the cycles between exits")
        bounds = settings.bounds(running)
        stage = f"run the {simulation.title}"
        display(stage, 0, len(pixels))

        def advance(done: int) -> None:
            display(stage, done, len(pixels))

        if pixels is vectors.images and alpha is None:
            check = partial(
                check_vectors, opened.program, running, title=simulation.title, on_image=advance
            )
            found = settings.verify(running, vectors, bounds, check)
            headers, predictions = list(found.headers), None
        else:
            params, words = settings.params, settings.words(bounds)
            free = run_free(opened, running, pixels, alpha, params, words, advance)
            headers, predictions = [run.counters for run in free], [run.prediction for run in free]
        running.close()
    print_table(runs_table(opened, headers, simulation, predictions))
    if waves is not None:
        out.print(f"waves written to {waves}, {count(_size(waves))} bytes", soft_wrap=True)
    if predictions is not None:
        classes = opened.program.outputs[-1].classes
        accuracy = accuracy_of(predictions, labels, classes, str(images))
        if accuracy is not None:
            out.print(f"accuracy {percent(accuracy)}")
        out.print(f"{count_images(len(predictions))} run; nothing to compare them with")
        free_outcome = {
            "alpha": alpha,
            "exit_entropy": exit_entropy,
            "budget": budget,
            "budget_cycles": budget_cycles,
            "predictions": predictions,
            "accuracy": accuracy,
            "runs": headers,
        }
        head = {"model": opened.program.model, "engine": simulation.name}
        write_json(json_file, {**head, "images": len(predictions), **free_outcome})
        return
    write_json(json_file, outcome(opened, found, simulation, memory))
    require_exact(found, simulation.title)
    out.print(f"{count(found.compared)} values compared, all equal", soft_wrap=True)


def _number(images: str | None) -> int | None:
    """Return the number that ``--images`` gives; None for a file, or without the option.

    Raises:
        UserError: a number below 1, or neither a number nor a file.
    """
    if images is None:
        return None
    try:
        number = int(images)
    except ValueError:
        if not Path(images).is_file():
            remedy = "give a number, or a file of numpy.savez"
            raise UserError(
                Problem("--images", f"{images} is no number and no file", remedy)
            ) from None
        return None
    if number < 1:
        raise UserError(Problem("--images", f"is {number}", "give at least 1"))
    return number


def _size(waves: Path) -> int:
    """Return the bytes of the wave file.

    Raises:
        CheckFailed: the simulation wrote none.
    """
    size = waves.stat().st_size if waves.exists() else 0
    if not size:
        raise CheckFailed(f"the simulation wrote no waves to {waves}")
    return size


def _refuse_rtl_options(options: dict[str, Any]) -> None:
    given = [name for name, value in options.items() if value is not None]
    if given:
        raise UserError(
            [
                Problem(name, "is for the RTL simulation", "add --engine rtl, or leave it out")
                for name in given
            ]
        )


def runs_table(
    build: BuildDirectory,
    headers: Sequence[dict[str, int]],
    simulation: Simulation,
    predictions: Sequence[int] | None = None,
) -> Table:
    """Return a row for each of the first images, and their mean.

    Args:
        build: the build.
        headers: the result header of each image.
        simulation: that ran them.
        predictions: the class of each image, where it is to be shown.
    """
    columns = _columns(simulation)
    program = build.program
    shown = [] if predictions is None else ["class"]
    shown += ["answered by"] if program.exits else []
    title = f"{build.program.model}, {simulation.title}"
    table = figures_table(title, ["image", *shown, *columns])
    for index, header in enumerate(headers[:_ROWS]):
        of_class = [] if predictions is None else [str(predictions[index])]
        of_class += [program.answer_at(header["fault_index"])] if program.exits else []
        figures = (count(header[key] * by) for key, by in columns.values())
        table.add_row(str(index), *of_class, *figures)
    hidden = len(headers) - _ROWS
    if hidden > 0:
        table.add_row(f"... {hidden} more")
    means = (count(_mean(headers, key) * by) for key, by in columns.values())
    table.add_row("mean", *("" for _ in shown), *means)
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
        "answers": [build.program.answer_at(run["fault_index"]) for run in found.headers],
        "runs_per_image": 2,
        "values": found.compared,
        "mismatches": found.mismatches,
        "first": found.first,
        "runs": list(found.headers),
    }
