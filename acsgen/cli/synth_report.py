"""``acsgen synth-report``: a report of Vitis HLS against the claims of a build."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from acsgen.cli.console import guarded, out
from acsgen.cli.options import JsonOption, check_json, write_json
from acsgen.emit.claims import load_claims
from acsgen.report.claims import Comparison, compare
from acsgen.report.csynth import read_report
from acsgen.support.errors import CheckFailed
from acsgen.support.printing import printable


@guarded
def synth_report(
    build: Annotated[Path, typer.Argument(metavar="BUILD", help="Folder of a build.")],
    report: Annotated[
        Path, typer.Argument(metavar="CSYNTH", help="The csynth.xml that Vitis HLS wrote.")
    ],
    everything: Annotated[
        bool, typer.Option("--all", help="Show the claims that are met to the letter, too.")
    ] = False,
    json_file: JsonOption = None,
) -> None:
    """Compare a synthesis report of Vitis HLS with the claims of a build.

    The build's cycles are counted with the interval and depth that the sources claim of every
    labelled loop, and its resources are an estimate. Nobody knows better than the tool: this
    command prints every claim that the report does not bear out to the letter. The exit status is 1
    where it is worse than claimed.
    """
    check_json(json_file)
    found = read_report(report)
    comparisons = compare(load_claims(build), found)
    shown = [c for c in comparisons if everything or c.differs]
    write_json(json_file, {"version": found.version, "comparisons": comparisons})
    if shown:
        out.print(comparison_table(found.version, shown))
    claims = [c for c in comparisons if c.claimed]
    failed = [c for c in claims if not c.holds]
    if failed:
        raise CheckFailed(f"{len(failed)} of {len(claims)} claims do not hold")
    better = sum(c.differs for c in claims)
    rest = f", {better} of them with room to spare" if better else ""
    out.print(f"all {len(claims)} claims hold{rest}")


def comparison_table(version: str, comparisons: list[Comparison]) -> Table:
    """Return one row for each claim."""
    title = f"Vitis HLS {printable(version)}".strip()
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for name in ("", "claimed", "found", ""):
        table.add_column(name)
    for comparison in comparisons:
        table.add_row(
            printable(comparison.subject),
            comparison.claimed or "no claim",
            printable(comparison.found) or "not in the report",
            comparison.verdict,
        )
    return table
