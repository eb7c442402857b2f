"""``acsgen count``: the size of a network, by acsgen's rule and as the papers count."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from acsgen.cli.console import guarded
from acsgen.cli.options import JsonOption, check_json, write_json
from acsgen.cli.tables import figures_table, print_table
from acsgen.support.numbers import count as grouped


@guarded
def count(
    network: Annotated[Path, typer.Argument(help="An acsgen checkpoint (.pt) or recipe (.yaml).")],
    like: Annotated[
        Literal["acs", "ddi"] | None,
        typer.Option("--count-like", help="Count the static network as a paper does, too."),
    ] = None,
    json_file: JsonOption = None,
) -> None:
    """Count multiply-accumulates and parameters of a network, with nothing skipped.

    One rule of acsgen: the multiply-accumulates of all kernel taps. The papers count otherwise:
    acs has 2 for each, and norms, activations and pools; its shortcuts count four times. ddi has 2
    for each, and nothing else.
    """
    check_json(json_file)

    from acsgen.flow.count import count_network

    found = count_network(network, like)
    table = figures_table(f"{network.name} ({found.arch})", ("figure", "value"))
    table.add_row("MACs an image, without gates", grouped(found.macs))
    table.add_row("MACs an image, of gates", grouped(found.gate_macs))
    table.add_row("parameters, without gates", grouped(found.parameters))
    table.add_row("parameters, of gates", grouped(found.gate_parameters))
    if found.paper is not None:
        title = found.paper.rule.upper()
        for kind, operations in found.paper.by_kind.items():
            table.add_row(f"{kind}, as {title} counts", grouped(operations))
        giga = found.paper.operations / 1e9
        table.add_row(f"operations, as {title} counts", f"{giga:.5f} G")
    print_table(table)
    write_json(json_file, found)
