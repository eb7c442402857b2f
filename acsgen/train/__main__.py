"""``python -m acsgen.train RECIPE``: train a recipe from the command line."""

from __future__ import annotations

import logging
import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from acsgen.errors import UserError
from acsgen.train.loop import train
from acsgen.train.recipe import load_recipe

console = Console(stderr=True)


def main(
    recipe: Annotated[Path, typer.Argument(help="Recipe, a YAML file.")],
    device: Annotated[str, typer.Option(help="cpu, cuda or cuda:N.")] = "cpu",
    out: Annotated[Path, typer.Option(help="Folder for the model file and the metrics.")] = Path(),
    resume: Annotated[bool, typer.Option(help="Continue an interrupted run.")] = False,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Override, e.g. phases.0.epochs=2; repeatable."),
    ] = None,
    epochs1: Annotated[int | None, typer.Option(help="Epochs of the first phase.")] = None,
    epochs2: Annotated[int | None, typer.Option(help="Epochs of the second phase.")] = None,
) -> None:
    """Train RECIPE and write NAME.pt and NAME.metrics.jsonl."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    overrides = list(settings or [])
    for index, epochs in enumerate((epochs1, epochs2)):
        if epochs is not None:
            overrides.append(f"phases.{index}.epochs={epochs}")
    command = shlex.join(["python", "-m", "acsgen.train", *sys.argv[1:]])
    try:
        plan = load_recipe(recipe, overrides)
        with Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        ) as progress:
            task = progress.add_task(plan.name, total=plan.epochs)

            def report(line: dict[str, Any]) -> None:
                progress.update(task, completed=line["epoch"])
                progress.console.print(_summary(plan.name, plan.epochs, line), highlight=False)

            result = train(plan, device, out, resume, command, report)
    except UserError as error:
        for problem in error.problems:
            console.print(f"[red]error:[/red] {problem}", soft_wrap=True)
        raise typer.Exit(2) from None
    evaluation = result.evaluation
    console.print(
        f"{result.checkpoint}: accuracy {evaluation.accuracy:.4f}, "
        f"MACs {evaluation.macs_mean / 1e6:.3f} M of {evaluation.static_macs / 1e6:.3f} M "
        f"({evaluation.macs_ratio:.3f})",
        soft_wrap=True,
    )


def _summary(name: str, epochs: int, line: dict[str, Any]) -> str:
    text = (
        f"{name} {line['epoch']}/{epochs} {line['phase']}: loss {line['loss']:.4f} "
        f"acc {line['acc']:.4f} test {line['test_acc']:.4f} macs {line['test_macs_ratio']:.3f}"
    )
    if "input_dependent" in line:
        text += f" dependent {line['input_dependent']:.2f} entropy {line['mean_entropy']:.2f}"
    return f"{text} {line['seconds']:.1f} s"


if __name__ == "__main__":
    typer.run(main)
