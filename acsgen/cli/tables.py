"""Tables that keep all their columns, however narrow the terminal."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from acsgen.cli.console import out

#: Below this width a remark stands under its figure, not beside it.
_BESIDE_FROM = 70


def figures_table(title: str, columns: Sequence[str], left: int = 1) -> Table:
    """Return an empty table of figures whose cells are never wrapped.

    Args:
        title: above it.
        columns: headers; a line break in one puts it over two lines.
        left: how many of the first columns hold words, aligned to the left.
    """
    table = Table(title=Text(title), title_justify="left", box=None, pad_edge=False)
    for index, column in enumerate(columns):
        table.add_column(column, justify="left" if index < left else "right", no_wrap=True)
    return table


def print_table(table: Table) -> None:
    """Print a table wider than the terminal, if need be: figures cut off are worth nothing."""
    _print_at(max(out.width, _measure(table).maximum), table)


def print_remarks(
    title: str, headers: tuple[str, str, str], rows: Iterable[tuple[str, str, str]]
) -> None:
    """Print the rows of :func:`remarks_table` as the terminal needs them.

    On a terminal narrower than any label with its figure, the lines are longer than it.
    """
    table = remarks_table(title, headers, rows, out.width)
    needed = _measure(table).minimum
    if needed > out.width:
        _print_at(needed, table)
    else:
        out.print(table)


def _measure(table: Table) -> Measurement:
    return Measurement.get(out, out.options.update(max_width=1000), table)


def _print_at(width: int, table: Table) -> None:
    wide = Console(width=width, file=io.StringIO(), highlight=False, markup=False)
    with wide.capture() as captured:
        wide.print(table)
    lines = (line.rstrip() for line in captured.get().splitlines())
    # By the common console, which knows of --quiet and of readers that went away.
    out.print("\n".join(lines), soft_wrap=True)


def remarks_table(
    title: str, headers: tuple[str, str, str], rows: Iterable[tuple[str, str, str]], width: int
) -> Table:
    """Return rows of a label, a figure and a remark, which suit a terminal of a given width.

    The remark is wrapped beside its figure; on a narrow terminal it stands on lines of its own.
    """
    rows = list(rows)
    table = Table(title=Text(title), title_justify="left", box=None, pad_edge=False)
    longest = max(cell_len(label) for label, *_ in [headers, *rows])
    table.add_column(headers[0], no_wrap=True, min_width=longest)
    beside = width >= _BESIDE_FROM
    table.add_column(headers[1], justify="right" if beside else "left", no_wrap=beside)
    if beside:
        table.add_column(headers[2], style="dim")
    for label, value, remark in rows:
        if beside:
            table.add_row(label, value, remark)
        else:
            table.add_row(label, Text.assemble(value, "\n", (remark, "dim")))
    return table
