#!/usr/bin/env python3
"""Writes host/notebooks/*.ipynb: runs notebook_cells/ on a build, and keeps the outputs.

    python scripts/make_notebooks.py BUILD

BUILD is what ``acsgen build`` wrote for models/resnet8-acs-digits32.pt with 40 images. The stored
outputs are those of the run, and say by themselves what ran them.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parent.parent
CELLS = Path(__file__).resolve().parent / "notebook_cells"
TARGET = ROOT / "host" / "notebooks"


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


def main() -> None:
    """Write all notebooks."""
    os.environ["ACSGEN_BUILD"] = str(Path(sys.argv[1]).resolve())
    TARGET.mkdir(exist_ok=True)
    for path in sorted(CELLS.glob("*.py")):
        notebook = read(path)
        NotebookClient(notebook, timeout=600, resources={"metadata": {"path": TARGET}}).execute()
        for cell in notebook.cells:
            cell.get("metadata", {}).pop("execution", None)
        notebook.metadata.pop("language_info", None)
        nbformat.write(notebook, TARGET / f"{path.stem}.ipynb")
        print(f"wrote {path.stem}.ipynb")


if __name__ == "__main__":
    main()
