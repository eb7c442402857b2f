"""The systems trained as their papers do, beside the shipped networks, which have image budgets.

``python -m benchmarks.paper_recipes FILE...`` reads model files that were trained by the recipes
``models/recipes/*-paper-resnet14-digits32.yaml`` and keeps their figures in ``paper_recipes.json``:
all of the network in floats on the test images. A file whose recipe is none of these, or a changed
one, is refused; where a recipe changes, its figures are to be measured again. Then, and without a
file, it renders the table of ``docs/papers.md``. The shipped networks' figures are those that their
own files have.

The networks are trained by ``acsgen train models/recipes/NAME.yaml --out FOLDER``; they are not
shipped themselves.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from acsgen.flow.baseline import load_baseline, save_baseline
from acsgen.nn.checkpoint import load_checkpoint
from acsgen.support.assets import asset
from acsgen.support.errors import Problem, UserError
from acsgen.support.marked import replace_marked
from acsgen.support.script import status_of
from acsgen.support.yamltext import load_yaml
from acsgen.train import Recipe, load_recipe
from benchmarks.papers import ROWS, model_file

COMMAND = "python -m benchmarks.paper_recipes"
FILE = Path(__file__).with_name("paper_recipes.json")
PAGE = Path(__file__).resolve().parent.parent / "docs" / "papers.md"
BEGIN = f"<!-- paper recipes:begin (written by `{COMMAND}`, never by hand) -->"
END = "<!-- paper recipes:end -->"

#: The shipped network beside each recipe of a paper, in the order of the table.
SHIPPED = {
    "acs-paper-resnet14-digits32": "acs-resnet14-digits32",
    "iadi-paper-resnet14-digits32": "iadi-resnet14-digits32",
    "ofas2-paper-resnet14-digits32": "ofas2-resnet14-digits32",
    "skipnet2-paper-resnet14-digits32": "skipnet2-resnet14-digits32",
    "blockdrop-paper-resnet14-digits32": "blockdrop-resnet14-digits32",
    "gaternet-paper-resnet14-digits32": "gaternet-resnet14-digits32",
}


def recipe_file(name: str) -> Path:
    """The file of a shipped recipe."""
    return asset("models", "recipes", f"{name}.yaml")


def recipe_digest(name: str) -> str:
    """SHA-256 of the keys and values that a recipe's file has, in hexadecimal.

    Comments have no part in it, nor has a key that is added to the schema later.
    """
    content = load_yaml(recipe_file(name).read_text(encoding="utf-8"))
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def figures(path: Path) -> dict[str, Any]:
    """Figures of a model file with gates: epochs, accuracy, executed MACs, and how masks behave.

    Raises:
        UserError: the file does not hold them.
    """
    meta = load_checkpoint(path).meta
    try:
        metrics, masks = meta["metrics"], meta["metrics"]["masks"]
        return {
            "epochs": meta["epochs"],
            **{key: metrics[key] for key in ("accuracy", "macs_ratio")},
            **{key: masks[key] for key in ("difficulty_correlation", "input_dependent")},
            "distinct": masks["distinct"],
        }
    except (KeyError, TypeError):
        what = "does not hold the figures that training measures"
        remedy = "name a file that acsgen train wrote"
        raise UserError([Problem(str(path), what, remedy)]) from None


def trained(path: Path) -> tuple[str, dict[str, Any]]:
    """Return the paper's recipe that a model file was trained by, and its entry.

    Raises:
        UserError: the file has no recipe, it is none of those of the table, or figures are missing.
    """
    try:
        plan = _plan(Recipe.model_validate(load_checkpoint(path).meta.get("recipe")))
    except ValidationError:
        plan = None
    for name in SHIPPED:
        if plan == _plan(load_recipe(recipe_file(name))):
            return name, {"recipe_sha256": recipe_digest(name), "figures": figures(path)}
    what = "was trained by none of the recipes of the table, or by a changed one"
    raise UserError([Problem(str(path), what, f"the recipes are {', '.join(SHIPPED)}")])


def _plan(recipe: Recipe) -> dict[str, Any]:
    """All of a recipe but how its file is called and stored."""
    return recipe.model_dump(mode="json", exclude={"name", "file_precision"})


def recorded() -> dict[str, Any]:
    """Entries by recipe, in the order of the table."""
    found = load_baseline(FILE, COMMAND, "figures")
    return {name: found[name] for name in SHIPPED if name in found}


def table() -> str:
    """Return the table, in Markdown: each system as its paper trains it, and as shipped."""
    header = ("system", "trained", "epochs", "accuracy", "MACs executed", "MACs follow difficulty",
              "bits that depend on the image", "different masks")  # fmt: skip
    lines = [f"| {' | '.join(header)} |", f"|---|---|{'---:|' * (len(header) - 2)}"]
    for name, entry in recorded().items():
        shipped = SHIPPED[name]
        lines.append(_line(ROWS[shipped].system, "as the paper", entry["figures"]))
        lines.append(_line("", "as shipped", figures(model_file(shipped))))
    return "\n".join(lines)


def _line(system: str, how: str, its: dict[str, Any]) -> str:
    r = its["difficulty_correlation"]
    cells = (
        system,
        how,
        str(its["epochs"]),
        f"{100 * its['accuracy']:.2f} %",
        f"{100 * its['macs_ratio']:.1f} %",
        "–" if r is None else f"r = {r:+.2f}",
        f"{100 * its['input_dependent']:.1f} %",
        f"{its['distinct']:,}",
    )
    return f"| {' | '.join(cells)} |"


def update(files: Iterable[Path]) -> None:
    """Keep the figures of model files, and write the table.

    Raises:
        UserError: a file is none of the table's, or the table lacks figures of a recipe.
    """
    kept = recorded() | dict(trained(path) for path in files)
    save_baseline(FILE, {name: kept[name] for name in SHIPPED if name in kept})
    replace_marked(PAGE, BEGIN, END, table())
    stale = [
        Problem(name, why, f"train it by models/recipes/{name}.yaml, and give the model file")
        for name in SHIPPED
        if (why := _why_stale(name, kept.get(name))) is not None
    ]
    if stale:
        raise UserError(stale)


def main(arguments: Iterable[str] | None = None) -> int:
    """Keep the figures of the model files that are named, and write the table."""
    given = [Path(name) for name in (sys.argv[1:] if arguments is None else arguments)]
    return status_of(lambda: update(given))


def _why_stale(name: str, entry: dict[str, Any] | None) -> str | None:
    if entry is None:
        return "has no figures"
    if entry["recipe_sha256"] != recipe_digest(name):
        return "has figures of another recipe than its present one"
    return None


if __name__ == "__main__":
    sys.exit(main())
