"""The systems trained as their papers do, beside the shipped networks, which have image budgets.

``python -m benchmarks.paper_recipes FILE...`` reads model files that were trained by the recipes
``models/recipes/*-paper-resnet14-digits32.yaml`` and keeps their figures in ``paper_recipes.json``:
of the network in floats on the test images as training measured them, and of the integer network
on both engines as those of ``benchmarks.papers``: a file whose simulations differ from it in a bit
is refused. So is one whose recipe is none of these, or a changed one; where a recipe changes, its
figures are to be measured again. Then, and without a file, it renders the table of
``docs/papers.md``. The shipped networks' figures are those of their own files and of
``papers.json``.

The networks are trained by ``acsgen train models/recipes/NAME.yaml --out FOLDER``; they are not
shipped themselves.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from acsgen.flow.baseline import load_baseline, save_baseline
from acsgen.nn.checkpoint import load_checkpoint
from acsgen.support.errors import Problem, UserError
from acsgen.support.marked import replace_marked
from acsgen.support.script import status_of
from acsgen.support.yamltext import load_yaml
from benchmarks import papers_tables
from benchmarks.papers import ROWS, measure_integers, model_file
from benchmarks.papers_tables import header, percent, row, saved
from benchmarks.recipes import recipe_file, shipped_recipe_of, training_figures

COMMAND = "python -m benchmarks.paper_recipes"
FILE = Path(__file__).with_name("paper_recipes.json")
PAGE = Path(__file__).resolve().parent.parent / "docs" / "papers.md"
BEGIN = f"<!-- paper recipes:begin (written by `{COMMAND}`, never by hand) -->"
END = "<!-- paper recipes:end -->"

#: The shipped network beside each recipe of a paper, in the order of the table.
SHIPPED = {
    f"{system}-paper-resnet14-digits32": f"{system}-resnet14-digits32"
    for system in (
        "acs",
        "iadi",
        "mgl2s",
        "ofas1",
        "ofas2",
        "skipnet1",
        "skipnet2",
        "skipnet-rnn",
        "blockdrop",
        "gaternet",
    )
}
#: Figures that training leaves in a file.
_OF_NETWORK = ("accuracy", "macs_ratio")
_OF_MASKS = ("difficulty_correlation", "input_dependent", "distinct")


def recipe_digest(name: str) -> str:
    """SHA-256 of the keys and values that a recipe's file has, in hexadecimal.

    Comments have no part in it, nor has a key that is added to the schema later.
    """
    content = load_yaml(recipe_file(name).read_text(encoding="utf-8"))
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def trained(path: Path) -> tuple[str, dict[str, Any]]:
    """Return the paper's recipe that a model file was trained by, and its entry.

    Raises:
        UserError: the file has no recipe, it is none of those of the table, or figures are missing.
        CheckFailed: a simulation differs from the integer network.
    """
    name, _, meta = shipped_recipe_of(path, SHIPPED)
    entry = {"recipe_sha256": recipe_digest(name), "figures": _figures(path, meta)}
    return name, entry | {"engines": measure_integers(path, ROWS[SHIPPED[name]].twin)}


def _figures(path: Path, meta: Mapping[str, Any]) -> dict[str, Any]:
    """Figures of a network in floats: epochs, accuracy, executed MACs, and how masks behave."""
    return {"epochs": meta["epochs"], **training_figures(path, meta, _OF_NETWORK, _OF_MASKS)}


def recorded() -> dict[str, Any]:
    """Entries by recipe, in the order of the table."""
    found = load_baseline(FILE, COMMAND, "figures")
    return {name: found[name] for name in SHIPPED if name in found}


_COLUMNS = (
    "system",
    "trained",
    "epochs",
    "accuracy",
    "int8",
    "MACs saved",
    "cycles saved, RTL / HLS",
    "skipping alone",
    "MACs follow difficulty",
    "bits that depend on the image",
    "different masks",
)


def table() -> str:
    """Return the table, in Markdown: each system as its paper trains it, and as shipped."""
    lines = list(header(_COLUMNS, words=2))
    rows = papers_tables.recorded()
    for name, entry in recorded().items():
        shipped = SHIPPED[name]
        path = model_file(shipped)
        own = _figures(path, load_checkpoint(path).meta)
        lines.append(
            _line(ROWS[shipped].system, "as the paper", entry["figures"], entry["engines"])
        )
        lines.append(_line("", "as shipped", own, rows[shipped]))
    return "\n".join(lines)


def _line(system: str, how: str, its: dict[str, Any], engines: dict[str, Any]) -> str:
    r, found = its["difficulty_correlation"], saved(engines)
    return row(
        (
            system,
            how,
            str(its["epochs"]),
            percent(its["accuracy"], 2),
            percent(engines["accuracy_int8"]),
            percent(found.macs),
            f"{percent(found.cycles)} / {percent(found.cycles_hls)}",
            "–" if found.ratio is None else f"{found.ratio:.2f}",
            "–" if r is None else f"r = {r:+.2f}",
            percent(its["input_dependent"]),
            f"{its['distinct']:,}",
        )
    )


def update(files: Iterable[Path]) -> None:
    """Keep the figures of model files, and write the table.

    Raises:
        UserError: a file is none of the table's, or the table lacks figures of a recipe.
        CheckFailed: a simulation differs from the integer network of a file.
    """
    kept = recorded()
    for path in files:
        kept |= dict([trained(path)])
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
