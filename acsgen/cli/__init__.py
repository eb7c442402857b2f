"""The command line: one module per command, thin over the stages it calls.

Modules are imported here, but none of them imports torch before its command runs, so that
``acsgen --help`` answers at once.
"""

from __future__ import annotations

import typer

from acsgen.cli import (
    bench,
    bitstream,
    build,
    compare,
    count,
    doctor,
    import_,
    info,
    report,
    sim,
    sweep,
    synth,
    synth_report,
    train,
)
from acsgen.cli import eval as eval_
from acsgen.cli.console import escape_unknown_characters

app = typer.Typer(
    name="acsgen",
    help="Turn a PyTorch network with adaptive channel skipping into an int8 FPGA accelerator in "
    "which a skipped channel is a skipped loop.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("build")(build.build)
app.command("count")(count.count)
app.command("import")(import_.import_command)
app.command("bitstream")(bitstream.bitstream)
app.command("sim")(sim.sim)
app.command("report")(report.report)
app.command("bench")(bench.bench)
app.command("synth")(synth.synth)
app.command("synth-report")(synth_report.synth_report)
app.command("eval")(eval_.eval_command)
app.command("train")(train.train)
app.command("sweep")(sweep.sweep)
app.command("compare")(compare.compare)
app.command("boards")(info.boards)
app.command("doctor")(doctor.doctor)
app.command("info")(info.info)


@app.callback(invoke_without_command=True)
def _options(
    version: bool = typer.Option(
        False, "--version", callback=info.print_version, is_eager=True, help="Print the version."
    ),
) -> None:
    """Hold the options that come before a command."""


def main() -> None:
    """Run the command line; the entry point ``acsgen``."""
    escape_unknown_characters()
    app(prog_name="acsgen")
