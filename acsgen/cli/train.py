"""``acsgen train``: run a recipe."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from acsgen.cli.console import guarded, out
from acsgen.cli.options import JsonOption, check_json, write_json


@guarded
def train(
    recipe: Annotated[Path, typer.Argument(help="A recipe (YAML), for example models/*.yaml.")],
    out_dir: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for the model file and the metrics.")
    ] = Path(),
    device: Annotated[str, typer.Option(help="Where to train: cpu, cuda or cuda:N.")] = "cpu",
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with an interrupted run in OUT.")
    ] = False,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Change the recipe, for example phases.0.epochs=2; repeatable.",
        ),
    ] = None,
    json_file: JsonOption = None,
) -> None:
    """Train a network by a recipe, phase by phase.

    Writes NAME.pt, the model file, and NAME.metrics.jsonl, a line for each epoch.
    """
    check_json(json_file)

    from acsgen.train import load_recipe
    from acsgen.train import train as run_training

    plan = load_recipe(recipe, settings or [])
    command = shlex.join(["acsgen", *sys.argv[1:]])
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=out,
        disable=not out.is_terminal,
    ) as progress:
        task = progress.add_task(plan.name, total=plan.epochs)

        def report(metrics: dict[str, Any]) -> None:
            progress.update(task, completed=metrics["epoch"])
            progress.console.print(epoch_line(metrics, plan.epochs), soft_wrap=True)

        result = run_training(plan, device, out_dir, resume, command, report)
    validation = result.validation
    out.print(
        f"test accuracy {100 * validation.accuracy:.2f} %, "
        f"{validation.macs_mean / 1e6:.3f} M MACs an image "
        f"({100 * validation.macs_ratio:.1f} % of the static network)"
    )
    out.print(f"written to {result.checkpoint}, metrics in {result.metrics}", soft_wrap=True)
    write_json(json_file, validation.as_dict())


def epoch_line(metrics: dict[str, Any], epochs: int) -> str:
    """Return one epoch's metrics as a line for people."""
    line = (
        f"epoch {metrics['epoch']}/{epochs} {metrics['phase']}: loss {metrics['loss']:.3f}, "
        f"test {100 * metrics['test_acc']:.2f} %, MACs {100 * metrics['test_macs_ratio']:.1f} %"
    )
    if "input_dependent" in metrics:
        line += f", {100 * metrics['input_dependent']:.0f} % of gate bits depend on the input"
    return f"{line}, {metrics['seconds']:.0f} s"
