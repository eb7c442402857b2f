"""``acsgen train``: run a recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from acsgen.cli.console import guarded
from acsgen.errors import Problem, UserError


@guarded
def train(
    recipe: Annotated[Path, typer.Argument(help="A recipe, for example models/*.yaml.")],
    out_dir: Annotated[
        Path | None, typer.Option("--out", "-o", help="Where the checkpoint and metrics go.")
    ] = None,
    device: Annotated[str, typer.Option(help="Where to train: cpu, cuda, cuda:1.")] = "cpu",
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the last epoch found in OUT.")
    ] = False,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a key of the recipe; repeatable."),
    ] = None,
) -> None:
    """Train a network by a recipe: the backbone first, then with gates and the FLOPs loss."""
    overrides = parse_settings(settings or [])

    from acsgen.train import run_recipe

    run_recipe(recipe, out=out_dir, device=device, resume=resume, overrides=overrides)


def parse_settings(settings: list[str]) -> dict[str, str]:
    """Split ``key=value`` words; raise :class:`UserError` naming all that are not."""
    problems = [
        Problem("--set", f"{setting!r} is not KEY=VALUE", "for example --set train.epochs=2")
        for setting in settings
        if not setting.partition("=")[1] or not setting.partition("=")[0].strip()
    ]
    if problems:
        raise UserError(problems)
    return {key.strip(): value for key, _, value in (s.partition("=") for s in settings)}
