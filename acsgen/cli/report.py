"""``acsgen report``: the figures of a build again, layer by layer if wanted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from acsgen.cli.build import print_summary
from acsgen.cli.console import guarded, out
from acsgen.cli.options import JsonOption, check_json, write_json
from acsgen.cli.tables import figures_table, print_table
from acsgen.support.fsutil import check_file, check_folder, write_whole
from acsgen.support.numbers import count, share

if TYPE_CHECKING:
    from acsgen.report.data import Report


@guarded
def report(
    build: Annotated[Path, typer.Argument(help="A directory that acsgen build wrote.")],
    layers: Annotated[
        bool, typer.Option("--layers", help="Show every layer: cycles, MACs, bytes, noise.")
    ] = False,
    html: Annotated[
        Path | None,
        typer.Option(
            "--html", metavar="FILE", help="Write the page again: one file, without a network."
        ),
    ] = None,
    figures: Annotated[
        Path | None,
        typer.Option(
            "--figures",
            metavar="FOLDER",
            help="Write every figure as PDF and SVG, for papers; takes matplotlib.",
        ),
    ] = None,
    json_file: JsonOption = None,
) -> None:
    """Show the report of a build again.

    With --layers there is a row for each layer. Cycles are those of the HLS engine, where it was
    simulated; signal to noise compares the integers with the float network. report.html in the
    build is the report as a page; --html renders it again, with this version's template.
    """
    check_json(json_file)
    if html is not None:
        check_file(html)
    if figures is not None:
        from acsgen.report.figures import check_matplotlib, write_figures

        check_matplotlib()

    from acsgen.report.file import REPORT_FILE, read_report
    from acsgen.report.hints import hints
    from acsgen.verify.builddir import open_build

    found = read_report(build)
    opened = open_build(build)
    board = opened.manifest.board
    if html is not None:
        from acsgen.report.page import render_page

        write_whole(html, render_page(found, opened).encode())
        out.print(f"written to {html}", soft_wrap=True)
    if figures is not None:
        check_folder(figures)
        names = write_figures(figures, found, opened)
        out.print(f"{count(len(names))} files written to {figures}", soft_wrap=True)
    if layers:
        print_table(layers_table(found))
    elif html is None and figures is None:
        print_summary(found, board)
        for hint in hints(found):
            out.print(f"hint: {hint}", soft_wrap=True)
    write_json(json_file, json.loads((build / REPORT_FILE).read_text(encoding="utf-8")))


def layers_table(report: Report) -> Table:
    """Return one row for each layer, in order of execution, and their sum."""
    columns = ("layer", "cycles", "share", "ungated", "MACs", "skipped", "bytes", "SNR dB")
    table = figures_table(f"{report.model}, mean of an image", columns)
    noise = {item.layer: item for item in report.noise}
    known = [layer.cycles for layer in report.layers if layer.cycles is not None]
    total = sum(known)
    for layer in report.layers:
        snr = noise.get(layer.layer)
        table.add_row(
            layer.layer,
            "-" if layer.cycles is None else count(layer.cycles),
            "-" if layer.cycles is None else share(layer.cycles, total),
            "-" if layer.cycles_dense is None else count(layer.cycles_dense),
            count(layer.macs),
            share(layer.macs_skipped, layer.macs + layer.macs_skipped),
            count(layer.bytes_read),
            "-" if snr is None else f"{snr.snr_db:.1f}",
        )
    table.add_section()
    macs = sum(layer.macs for layer in report.layers)
    skipped = sum(layer.macs_skipped for layer in report.layers)
    moved = sum(layer.bytes_read for layer in report.layers)
    hls = report.cycles.hls
    table.add_row(
        "all",
        count(total) if known else "-",
        share(total, total) if known else "-",
        "-" if hls is None else count(hls.dense),
        count(macs),
        share(skipped, macs + skipped),
        count(moved),
        "",
    )
    return table
