"""``acsgen eval``: the cost of quantization, and the savings of skipping."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Annotated

import typer

from acsgen.cli.console import StageDisplay, guarded
from acsgen.cli.options import AlphaOption, DataOption, JsonOption, check_json, write_json
from acsgen.cli.tables import figures_table, print_table
from acsgen.support.numbers import count, images, percent, share


@guarded
def eval_command(
    model: Annotated[
        Path, typer.Argument(help="An acsgen checkpoint (.pt) or a torch.export program (.pt2).")
    ],
    dataset: Annotated[
        str, typer.Option(help="digits32, cifar10, svhn, or npz:FILE for your own arrays.")
    ] = "digits32",
    data: DataOption = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Use only the first so many images.")
    ] = None,
    alpha: AlphaOption = None,
    json_file: JsonOption = None,
) -> None:
    """Compare the float network with its integer form on a data set's test images."""
    check_json(json_file)

    from acsgen.flow.evaluate import evaluate

    with StageDisplay() as display:
        result = evaluate(model, dataset, limit, alpha=alpha, data_root=data, on_stage=display)

    title = f"{model.name} on {dataset}, {images(result.images)}"
    if alpha is not None:
        title += f", alpha {alpha:g}"
    table = figures_table(title, ("figure", "value"))
    table.add_row("accuracy, float", percent(result.float_accuracy))
    table.add_row("accuracy, int8", percent(result.int8_accuracy))
    table.add_row("same prediction", percent(result.prediction_agreement))
    table.add_row("same gate decision", percent(result.gate_agreement))
    if result.masks is not None:
        table.add_row("gate bits that depend on the image", percent(result.masks.input_dependent))
        table.add_row("entropy of a gate bit", f"{result.masks.mean_entropy:.2f} bit")
    table.add_row("MACs an image, without gates", count(result.macs_dense))
    table.add_row("MACs an image, mean", count(result.macs_mean))
    table.add_row("MACs an image, spread (1 sigma)", count(result.macs_std))
    table.add_row("MACs skipped", share(result.macs_dense - result.macs_mean, result.macs_dense))
    print_table(table)
    figures = {field.name: getattr(result, field.name) for field in fields(result)}
    write_json(json_file, {key: value for key, value in figures.items() if key != "bits"})
