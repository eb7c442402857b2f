"""``acsgen eval``: the cost of quantization, and the savings of skipping."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from acsgen.cli.console import StageDisplay, guarded
from acsgen.cli.options import (
    AlphaOption,
    DataOption,
    ExitEntropyOption,
    FinerAveragesOption,
    JsonOption,
    WeightBitsOption,
    check_json,
    write_json,
)
from acsgen.cli.tables import figures_table, print_table
from acsgen.ir.ranges import WEIGHT_BITS
from acsgen.support.numbers import count, images, known, percent, share

if TYPE_CHECKING:
    from acsgen.flow.evaluate import EvalResult, OutputEval

#: What the result has of every image; the figures are those of all of them.
_OF_IMAGES = ("bits", "macs", "wrong")


@guarded
def eval_command(
    model: Annotated[
        Path, typer.Argument(help="An acsgen checkpoint (.pt) or a torch.export program (.pt2).")
    ],
    dataset: Annotated[
        str,
        typer.Option(
            help="digits32, cifar10, svhn, or npz:FILE for your own arrays, with or without labels."
        ),
    ] = "digits32",
    data: DataOption = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Use only the first so many images.")
    ] = None,
    alpha: AlphaOption = None,
    exit_entropy: ExitEntropyOption = None,
    thresholds: Annotated[
        bool,
        typer.Option(
            "--thresholds",
            help="Try thresholds of all gates from 0.1 to 0.9, and say which are of use.",
        ),
    ] = False,
    twin: Annotated[
        Path | None,
        typer.Option(metavar="MODEL", help="The static twin: its accuracy and its errors."),
    ] = None,
    weight_bits: WeightBitsOption = WEIGHT_BITS,
    finer_averages: FinerAveragesOption = True,
    json_file: JsonOption = None,
) -> None:
    """Compare the float network with its integer form on a data set's test images.

    Without labels it compares predictions alone. For a network with gates it also says how much
    its masks differ from image to image, and whether its MACs follow difficulty.
    """
    check_json(json_file)

    from acsgen.flow.evaluate import evaluate

    with StageDisplay() as display:
        result = evaluate(
            model,
            dataset,
            limit,
            alpha=alpha,
            exit_entropy=exit_entropy,
            thresholds=thresholds,
            twin=twin,
            weight_bits=weight_bits,
            finer_averages=finer_averages,
            data_root=data,
            on_stage=display,
        )

    title = f"{model.name} on {dataset}, {images(result.images)}"
    if alpha is not None:
        title += f", alpha {alpha:g}"
    if exit_entropy is not None:
        title += f", exits below {exit_entropy:g} nats"
    if weight_bits != WEIGHT_BITS:
        title += f", weights of {weight_bits} bits"
    table = figures_table(title, ("figure", "value"))
    table.add_row("accuracy, float", percent(known(result.float_accuracy)))
    table.add_row("accuracy, int8", percent(known(result.int8_accuracy)))
    if result.twin_accuracy is not None:
        table.add_row("accuracy of the static twin, float", percent(result.twin_accuracy))
    table.add_row("same prediction", percent(result.prediction_agreement))
    table.add_row("same gate decision", percent(result.gate_agreement))
    for exit in result.exits:
        below = "" if exit.threshold is None else f" below {exit.threshold:g} nats"
        name = f"answered by {exit.output}{below}, float / int8"
        table.add_row(name, f"{percent(exit.float_share)} / {percent(exit.int8_share)}")
    if result.exit_agreement is not None:
        table.add_row("same exit", percent(result.exit_agreement))
    if result.masks is not None:
        table.add_row("gate bits that depend on the image", percent(result.masks.input_dependent))
        table.add_row("entropy of a gate bit", f"{result.masks.mean_entropy:.2f} bit")
        table.add_row(
            "different masks", f"{count(result.masks.distinct or 0)} of {result.images:,}"
        )
        table.add_row("masks' variance along one direction", percent(result.masks.first_component))
    table.add_row("MACs an image, without gates", count(result.macs_dense))
    table.add_row("MACs an image, mean", count(result.macs_mean))
    table.add_row("MACs an image, spread (1 sigma)", count(result.macs_std))
    table.add_row("MACs skipped", share(result.macs_dense - result.macs_mean, result.macs_dense))
    for name, value in _difficulty_rows(result):
        table.add_row(name, value)
    print_table(table)
    figures = {field.name: getattr(result, field.name) for field in fields(result)}
    for name in ("float_accuracy", "int8_accuracy"):
        figures[name] = known(figures[name])
    outputs = figures["outputs"].items()
    figures["outputs"] = {name: _known_parts(output) for name, output in outputs}
    write_json(json_file, {key: value for key, value in figures.items() if key not in _OF_IMAGES})


def _known_parts(output: OutputEval) -> dict[str, float | None]:
    return {field.name: known(getattr(output, field.name)) for field in fields(output)}


def _difficulty_rows(result: EvalResult) -> Iterator[tuple[str, str]]:
    """Rows about what MACs have to do with difficulty, and about thresholds."""
    figures = result.difficulty
    if figures is not None and figures.macs_by_quartile is not None:
        quarters = " / ".join(count(macs) for macs in figures.macs_by_quartile)
        yield "MACs of the quarters, easiest first", quarters
    if figures is not None and figures.correlation is not None:
        yield "MACs follow difficulty", f"r = {figures.correlation:+.2f}"
    if figures is not None and figures.auroc is not None:
        yield "MACs tell wrong answers", f"AUROC {figures.auroc:.2f}"
    if figures is not None and figures.auroc_of_twin is not None:
        yield "MACs tell wrong answers of the twin", f"AUROC {figures.auroc_of_twin:.2f}"
    if result.thresholds is None:
        return
    for point in result.thresholds.points:
        value = f"{percent(point.accuracy)}, {count(point.macs_mean)} MACs"
        yield f"threshold {point.threshold:g}, int8", value
    usable = result.thresholds.usable
    yield "usable thresholds", "none" if usable is None else f"{usable[0]:g} to {usable[1]:g}"
