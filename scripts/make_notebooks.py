#!/usr/bin/env python3
"""Writes host/notebooks/*.ipynb: runs notebook_cells/ on a build, and keeps the outputs.

    python scripts/make_notebooks.py BUILD EXITS_BUILD

BUILD is what ``acsgen build`` wrote for models/resnet8-acs-digits32.pt with 40 images, EXITS_BUILD
the same for models/ddi-resnet14-digits32.pt, which has gates and early exits: the notebook on
budgets shows both. The stored outputs are those of the run, and say by themselves what ran them.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parent.parent
CELLS = Path(__file__).resolve().parent / "notebook_cells"
TARGET = ROOT / "host" / "notebooks"

#: Notebooks on networks with early exits.
ON_EXITS = ("4_budget",)

#: Where a notebook keeps the state of its widgets, and the form of their names.
WIDGETS = "application/vnd.jupyter.widget-state+json"
NAME = re.compile(r"\b[0-9a-f]{32}\b")


def read(path: Path) -> nbformat.NotebookNode:
    """Return a notebook of a file of cells: ``# %% [markdown]`` begins text, ``# %%`` code."""
    cells = []
    for number, part in enumerate(("\n" + path.read_text(encoding="utf-8")).split("\n# %%")[1:]):
        kind, _, text = part.partition("\n")
        text = text.strip("\n")
        if "markdown" in kind:
            lines = [line[2:] if line.startswith("# ") else line[1:] for line in text.split("\n")]
            cell = nbformat.v4.new_markdown_cell("\n".join(lines))
        else:
            cell = nbformat.v4.new_code_cell(text)
        # Random numbers would make every run a change.
        cell["id"] = f"cell-{number}"
        cells.append(cell)
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {
        "display_name": "Python 3",
        "language": "python",
        "name": "python3",
    }
    return notebook


def with_fixed_names(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return a notebook whose widgets are numbered: their random names make every run a change.

    The numbers follow what the widgets are, and what refers to them.
    """
    widgets = notebook.metadata.get("widgets", {}).get(WIDGETS, {}).get("state", {})
    plain = {name: NAME.sub("", json.dumps(widgets[name], sort_keys=True)) for name in widgets}

    def order(name: str) -> tuple[str, list[str]]:
        readers = (other for other in widgets if name in json.dumps(widgets[other]))
        return plain[name], sorted(plain[other] for other in readers)

    text = nbformat.writes(notebook)
    for number, name in enumerate(sorted(widgets, key=order)):
        text = text.replace(name, f"{number:032x}")
    return nbformat.reads(text, as_version=4)


def main() -> None:
    """Write all notebooks."""
    build, with_exits = (str(Path(folder).resolve()) for folder in sys.argv[1:])
    TARGET.mkdir(exist_ok=True)
    for path in sorted(CELLS.glob("*.py")):
        os.environ["ACSGEN_BUILD"] = with_exits if path.stem in ON_EXITS else build
        notebook = read(path)
        # Lines of one output may come in several messages, each time in others.
        client = NotebookClient(
            notebook,
            timeout=600,
            coalesce_streams=True,
            resources={"metadata": {"path": TARGET}},
        )
        client.execute()
        for cell in notebook.cells:
            cell.get("metadata", {}).pop("execution", None)
        notebook.metadata.pop("language_info", None)
        nbformat.write(with_fixed_names(notebook), TARGET / f"{path.stem}.ipynb")
        print(f"wrote {path.stem}.ipynb")


if __name__ == "__main__":
    main()
