"""``acsgen train``: run a recipe."""

from __future__ import annotations

import json
import shlex
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from acsgen.cli.console import guarded, out
from acsgen.cli.options import JsonOption, check_json, write_json
from acsgen.cli.tables import figures_table, print_table
from acsgen.support.errors import CheckFailed, Problem, UserError

if TYPE_CHECKING:
    from acsgen.train import Recipe, Validation


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
    sweep: Annotated[
        str | None,
        typer.Option(
            metavar="KEY=V1,V2,...",
            help="Train once for every value, for example alpha=0.2,0.4,0.6.",
        ),
    ] = None,
    json_file: JsonOption = None,
) -> None:
    """Train a network by a recipe, phase by phase.

    Writes NAME.pt, the model file, and NAME.metrics.jsonl, a line for each epoch. A sweep writes
    those of every value, and NAME-KEY.sweep.jsonl, a line for each value. Masks that are one switch
    are warned of; where the recipe has max_first_component, the exit status is then 1.
    """
    check_json(json_file)

    from acsgen.train import load_recipe
    from acsgen.train.sweep import curve_line, parse_axis, variants

    if sweep is None:
        plan = load_recipe(recipe, settings or [])
        validation = _train(plan, device, out_dir, resume)
        write_json(json_file, validation.as_dict())
        _require_varied([(plan, validation)])
        return
    if resume:
        remedy = "resume the run of one value with --set, then sweep over those that are left"
        raise UserError(Problem("--resume", "does not go with --sweep", remedy))
    axis = parse_axis("--sweep", sweep)
    key = axis.short
    plans = variants(recipe, settings or [], [axis])
    base = load_recipe(recipe, settings or []).name
    columns = (key, "test accuracy", "MACs an image", "of the static network")
    table = figures_table(f"{base} by {key}", columns)
    curve, trained = [], []
    for variant in plans:
        validation = _train(variant.recipe, device, out_dir, False)
        trained.append((variant.recipe, validation))
        curve.append(curve_line(variant.values[0], validation.as_dict()))
    path = out_dir / f"{base}-{key}.sweep.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in curve), encoding="utf-8")
    for line in curve:
        accuracy, share = (f"{100 * line[name]:.2f} %" for name in ("accuracy", "macs_ratio"))
        table.add_row(line["value"], accuracy, f"{line['macs_mean'] / 1e6:.3f} M", share)
    print_table(table)
    out.print(f"curve in {path}", soft_wrap=True)
    write_json(json_file, {"key": key, "curve": curve})
    _require_varied(trained)


def _require_varied(trained: Sequence[tuple[Recipe, Validation]]) -> None:
    """Say of which networks the masks are one switch.

    Raises:
        CheckFailed: the recipe of one of them does not let that pass.
    """
    from acsgen.train.one_switch import one_switch_complaint

    failed = []
    for recipe, validation in trained:
        complaint = one_switch_complaint(recipe, validation)
        if complaint is None:
            continue
        if recipe.max_first_component is None:
            warnings.warn(complaint, stacklevel=2)
        else:
            failed.append(complaint)
    if failed:
        raise CheckFailed("\n".join(failed))


def _train(plan: Recipe, device: str, out_dir: Path, resume: bool) -> Validation:
    """Train one recipe, with its progress on the console."""
    from acsgen.train import train as run_training

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
    return validation


def epoch_line(metrics: dict[str, Any], epochs: int) -> str:
    """Return one epoch's metrics as a line for people."""
    line = (
        f"epoch {metrics['epoch']}/{epochs} {metrics['phase']}: loss {metrics['loss']:.3f}, "
        f"test {100 * metrics['test_acc']:.2f} %, MACs {100 * metrics['test_macs_ratio']:.1f} %"
    )
    if "input_dependent" in metrics:
        line += f", {100 * metrics['input_dependent']:.0f} % of gate bits depend on the input"
    return f"{line}, {metrics['seconds']:.0f} s"
