"""``python -m acsgen.train.table [FOLDER]``: write the table of trained models into a README.

Every figure is read from the model files, where training left it, so that none is ever typed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from acsgen.nn.checkpoint import load_checkpoint
from acsgen.support.errors import Problem, UserError
from acsgen.support.marked import replace_marked
from acsgen.support.script import status_of

BEGIN = "<!-- models:begin (written by `python -m acsgen.train.table models`, never by hand) -->"
END = "<!-- models:end -->"

_COLUMNS = (
    "file",
    "size",
    "epochs",
    "accuracy",
    "MACs of the static network",
    "MACs executed, mean ± spread",
    "share",
    "MACs of the gates",
)
_MASK_COLUMNS = (
    "file",
    "gate bits",
    "open, mean",
    "depend on the image",
    "always open",
    "always closed",
    "entropy of a bit",
    "different masks",
    "first component",
    "MACs follow difficulty",
)


def model_table(folder: Path) -> str:
    """Markdown tables of the model files ``*.pt`` of a folder, and the commands that made them.

    Raises:
        UserError: files do not hold what training leaves in them; all are listed.
    """
    files = sorted(folder.glob("*.pt"))
    if not files:
        return "No model has been trained yet."
    rows, masks, commands, problems = [], [], [], []
    for path in files:
        meta = load_checkpoint(path).meta
        try:
            rows.append(_row(path, meta))
            if (found := meta["metrics"]["masks"]) is not None:
                masks.append(_mask_row(path, found))
            commands.append(_command(meta))
        except (KeyError, TypeError, ValueError):
            what = "does not hold its recipe and the figures that training measures"
            remedy = "keep only files that acsgen train wrote in this folder"
            problems.append(Problem(str(path), what, remedy))
    if problems:
        raise UserError(problems)
    lines = [*_header(_COLUMNS), *rows]
    if masks:
        lines += ["", *_header(_MASK_COLUMNS), *masks]
    lines += ["", "Made by:", "", '```sh title="Takes hours"', *commands, "```"]
    return "\n".join(lines)


def update(readme: Path, table: str) -> None:
    """Put the table between the marks of ``readme``.

    Raises:
        UserError: no such file, or no marks in it.
    """
    replace_marked(readme, BEGIN, END, table)


def _header(columns: tuple[str, ...]) -> Iterator[str]:
    yield f"| {' | '.join(columns)} |"
    yield f"|---|{'---:|' * (len(columns) - 1)}"


def _row(path: Path, meta: Mapping[str, Any]) -> str:
    metrics = meta["metrics"]
    gated = metrics["masks"] is not None
    spread = f" ± {_millions(metrics['macs_std'])}" if gated else ""
    cells = (
        f"`{path.name}`",
        f"{path.stat().st_size / 1e6:.2f} MB",
        str(meta["epochs"]),
        f"{100 * metrics['accuracy']:.2f} %",
        _millions(metrics["static_macs"]),
        f"{_millions(metrics['macs_mean'])}{spread}",
        f"{100 * metrics['macs_ratio']:.1f} %",
        _millions(metrics["gate_macs"]) if gated else "–",
    )
    return f"| {' | '.join(cells)} |"


def _mask_row(path: Path, masks: Mapping[str, Any]) -> str:
    correlation = masks["difficulty_correlation"]
    cells = (
        f"`{path.name}`",
        str(masks["bits"]),
        *(
            f"{100 * masks[key]:.1f} %"
            for key in ("mean_open", "input_dependent", "always_open", "always_closed")
        ),
        f"{masks['mean_entropy']:.2f}",
        # Files from before these two were measured do not have them.
        "–" if masks.get("distinct") is None else f"{masks['distinct']:,}",
        "–" if masks.get("first_component") is None else f"{100 * masks['first_component']:.1f} %",
        "–" if correlation is None else f"r = {correlation:+.2f}",
    )
    return f"| {' | '.join(cells)} |"


def _millions(macs: float) -> str:
    return f"{macs / 1e6:.3f} M"


def _command(meta: Mapping[str, Any]) -> str:
    """The command without the folders it was given, which exist on one machine only."""
    return f"acsgen train models/recipes/{meta['recipe']['name']}.yaml --out models"


def main(arguments: list[str]) -> int:
    """Update ``README.md`` of the folder named by the only argument (default ``models``)."""
    folder = Path(arguments[0] if arguments else "models")
    return status_of(lambda: update(folder / "README.md", model_table(folder)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
