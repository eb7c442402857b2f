"""``acsgen doctor``: what is installed, what it enables, and what to do for the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from acsgen.cli.console import guarded, out
from acsgen.cli.options import JsonOption, check_json, write_json
from acsgen.support.errors import CheckFailed

if TYPE_CHECKING:
    from acsgen.flow.doctor import Finding


@guarded
def doctor(json_file: JsonOption = None) -> None:
    """Show what is installed, what each tool enables, and what to do for those that are missing.

    The exit status is 1 only where a build with its C simulation cannot work.
    """
    check_json(json_file)

    from acsgen.flow.doctor import diagnose

    findings = diagnose()
    out.print(findings_table([f for f in findings if f.needed], "Needed to build"))
    out.print()
    out.print(findings_table([f for f in findings if not f.needed], "For more"))
    write_json(json_file, findings)
    ill = [finding.name for finding in findings if finding.needed and not finding.works]
    if ill:
        raise CheckFailed(f"acsgen build does not work without: {', '.join(ill)}")
    out.print("\nacsgen build works here")


def findings_table(findings: list[Finding], title: str) -> Table:
    """Return a row for each finding; what to do stands under what it is for."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column()
    for finding in findings:
        state = Text("ok", "green") if finding.works else Text("missing", "red")
        if not finding.works and finding.version:
            state = Text("not enough", "red")
        if not finding.works and not finding.needed:
            state.stylize("yellow")
        words = Text(finding.enables)
        if finding.remedy:
            words.append(f"\n-> {finding.remedy}", "dim")
        table.add_row(Text(finding.name), state, Text(finding.version), words)
    return table
