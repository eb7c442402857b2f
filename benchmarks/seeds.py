"""Channel skipping beside layer skipping: the gated ResNet14s of the papers, with several seeds.

``python -m benchmarks.seeds FILE...`` reads trained model files and keeps their figures in
``seeds.json``: accuracy, executed share of the twin's MACs, and how well these follow difficulty,
all of the network in floats on the test images. A file counts for the shipped recipe that it was
trained by; one whose recipe differs from it in more than its name, its seed and how its weights are
stored is refused. Without a file it reads those of ``models/``. Then it renders the table of
``docs/papers.md``.

The other seeds are trained by
``acsgen train models/recipes/NAME.yaml --set seed=2 --out FOLDER``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from acsgen.flow.baseline import load_baseline, save_baseline
from acsgen.nn.checkpoint import load_checkpoint
from acsgen.support.errors import Problem, UserError
from acsgen.support.marked import replace_marked
from acsgen.support.script import status_of
from benchmarks.papers import ROWS, model_file
from benchmarks.recipes import LABELS, shipped_recipe_of, training_figures

COMMAND = "python -m benchmarks.seeds"
FILE = Path(__file__).with_name("seeds.json")
PAGE = Path(__file__).resolve().parent.parent / "docs" / "papers.md"
BEGIN = f"<!-- seeds:begin (written by `{COMMAND}`, never by hand) -->"
END = "<!-- seeds:end -->"

#: What each network skips, in the order of the table.
SKIPS = {
    "acs-resnet14-digits32": "channels",
    "gaternet-resnet14-digits32": "channels",
    "iadi-resnet14-digits32": "channels",
    "mgl2s-resnet14-digits32": "layers, channels",
    "blockdrop-resnet14-digits32": "layers",
    "ofas2-resnet14-digits32": "layers",
    "skipnet-rnn-resnet14-digits32": "layers",
    "skipnet2-resnet14-digits32": "layers",
    "skipnet1-resnet14-digits32": "layers",
}
#: Seeds that the table has of every network.
SEEDS = ("1", "2", "3")


def figures(path: Path) -> tuple[str, str, dict[str, Any]]:
    """Return the shipped recipe that a model file was trained by, its seed, and its figures.

    Raises:
        UserError: the file has no recipe or no figures, or its recipe is none of the table's.
    """
    name, recipe, meta = shipped_recipe_of(path, SKIPS, LABELS | {"seed"})
    of_network, of_masks = ("accuracy", "macs_ratio"), ("difficulty_correlation",)
    return name, str(recipe.seed), training_figures(path, meta, of_network, of_masks)


def recorded() -> dict[str, Any]:
    """Figures by recipe and seed, in the order of the table."""
    found = load_baseline(FILE, COMMAND)
    return {name: found[name] for name in SKIPS if name in found}


def table() -> str:
    """Return the table, in Markdown: means of the seeds, and the least and the most of them."""
    header = ("system", "skips", "MACs executed", "accuracy", "MACs follow difficulty")
    lines = [f"| {' | '.join(header)} |", "|---|---|---:|---:|---:|"]
    for name, seeds in recorded().items():
        values = [seeds[seed] for seed in SEEDS]
        macs = _spread([100 * v["macs_ratio"] for v in values], 1, " %")
        accuracy = _spread([100 * v["accuracy"] for v in values], 2, " %")
        r = _spread([v["difficulty_correlation"] for v in values], 2, "")
        lines.append(f"| {ROWS[name].system} | {SKIPS[name]} | {macs} | {accuracy} | {r} |")
    twin = load_checkpoint(model_file("resnet14-digits32")).meta["metrics"]["accuracy"]
    lines.append(f"| static twin, seed 1 | – | 100.0 % | {100 * twin:.2f} % | – |")
    return "\n".join(lines)


def _spread(values: list[float], digits: int, unit: str) -> str:
    mean, least, most = sum(values) / len(values), min(values), max(values)
    return f"{mean:.{digits}f}{unit} ({least:.{digits}f} to {most:.{digits}f})"


def update(files: Iterable[Path]) -> None:
    """Keep the figures of model files, and write the table.

    Raises:
        UserError: a file is none of the table's, or the table still lacks figures.
    """
    kept = recorded()
    for path in files:
        name, seed, found = figures(path)
        kept[name] = dict(sorted((kept.get(name, {}) | {seed: found}).items()))
    save_baseline(FILE, {name: kept[name] for name in SKIPS if name in kept})
    missing = [
        Problem(name, f"has no figures of seed {seed}", f"train it with --set seed={seed}")
        for name in SKIPS
        for seed in SEEDS
        if seed not in kept.get(name, {})
    ]
    if missing:
        raise UserError(missing)
    replace_marked(PAGE, BEGIN, END, table())


def main(arguments: Iterable[str] | None = None) -> int:
    """Keep the figures of the model files that are named, or of the shipped ones."""
    given = [Path(name) for name in (sys.argv[1:] if arguments is None else arguments)]
    return status_of(lambda: update(given or [model_file(name) for name in SKIPS]))


if __name__ == "__main__":
    sys.exit(main())
