"""Reference pages of keys: board files, recipes, reports, sweeps, from what defines them.

``python -m acsgen.flow.keys FOLDER`` writes the pages (``docs/reference``).
"""

from __future__ import annotations

import dataclasses
import re
import sys
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from acsgen.flow.sweep.figures import COLUMNS
from acsgen.program.board import Board
from acsgen.report.data import Report
from acsgen.support.fields import meanings
from acsgen.train.losses import LOSSES
from acsgen.train.recipe import Recipe

_HEAD = "<!-- Rendered by `python -m acsgen.flow.keys docs/reference`; do not edit. -->"


def pages() -> dict[str, str]:
    """Return the content of every page by its file's name."""
    losses = [
        row
        for name, loss in LOSSES.items()
        for row in _rows(loss.parameters_type, f"loss {name}: ")
        if not row[0].endswith(": name")
    ]
    return {
        "board-keys.md": _page(
            "Keys of a board file", "`acsgen build --board FILE` reads them.", _rows(Board)
        ),
        "recipe-keys.md": _page(
            "Keys of a recipe", "`acsgen train FILE` reads them.", [*_rows(Recipe), *losses]
        ),
        "report-keys.md": _page(
            "Fields of report.json", "`acsgen build` writes them.", _rows(Report)
        ),
        "sweep-columns.md": _page(
            "Columns of results.csv",
            "`acsgen sweep` writes them, between the values of the axes and the commands.",
            [(name, "", f"{column.meaning}.") for name, column in COLUMNS.items()],
        ),
    }


def _page(title: str, text: str, rows: Any) -> str:
    lines = [_HEAD, "", f"# {title}", "", text, "", "| key | default | meaning |", "|---|---|---|"]
    for key, default, meaning in rows:
        lines.append(f"| `{key}` | {default} | {_plain(meaning)} |")
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    """Return the text of a docstring as Markdown for a table's cell."""
    return re.sub(r":\w+:`", "`", text.replace("``", "`")).replace("|", "/")


def _rows(holder: type, prefix: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield key, default and meaning of every field, those of nested classes behind their own."""
    texts = meanings(holder)
    hints = typing.get_type_hints(holder)
    for name, text in texts.items():
        shown, default = name, ""
        if issubclass(holder, BaseModel):
            field = holder.model_fields[name]
            value = field.default
            plain = value is not PydanticUndefined and not isinstance(value, BaseModel)
            default = f"`{value}`" if plain and value not in ("", None) else ""
        else:
            shown = _alias(holder, name)
        yield f"{prefix}{shown}", default, text
        for inner, several in _classes_in(hints[name]):
            if inner is not holder and not _is_loss(inner):
                yield from _rows(inner, f"{prefix}{shown}{'[]' if several else ''}.")


def _is_loss(inner: type) -> bool:
    return any(issubclass(inner, loss.parameters_type) for loss in LOSSES.values())


def _alias(holder: type, name: str) -> str:
    """``float`` cannot be the name of a field in Python; its alias is the name in the file."""
    hint = typing.get_type_hints(holder, include_extras=True)[name]
    for extra in getattr(hint, "__metadata__", ()):
        if getattr(extra, "alias", None):
            return str(extra.alias)
    return name


def _classes_in(hint: Any, several: bool = False) -> Iterator[tuple[type, bool]]:
    if isinstance(hint, type) and not typing.get_args(hint):
        if dataclasses.is_dataclass(hint) or issubclass(hint, BaseModel):
            yield hint, several
        return
    many = typing.get_origin(hint) in (tuple, list, dict)
    for inner in typing.get_args(hint):
        yield from _classes_in(inner, several or many)


def main(arguments: list[str]) -> int:
    """Write the pages into the folder named by the only argument."""
    folder = Path(arguments[0] if arguments else "docs/reference")
    for name, content in pages().items():
        (folder / name).write_text(content, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
