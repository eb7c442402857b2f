"""From a build to a folder for the board: the steps, each with its checks.

The tools run in a copy of the build's sources, ``OUT.work``, with the scripts that the build holds
in ``vivado/``: acsgen does what ``make -C vivado`` does, and looks closer.  Only when all of it
went well is the result put in place of an earlier one.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from acsgen_host.locate import hashed_stem

from acsgen.emit.vivado import bitstream_name
from acsgen.engines.base import Implementation
from acsgen.flow.bitstream.collect import collect, read_results
from acsgen.flow.bitstream.messages import Messages, slower_clock
from acsgen.flow.bitstream.process import run_tool
from acsgen.flow.bitstream.results import Results
from acsgen.flow.bitstream.tools import Tool, Tools, require_tools
from acsgen.report.data import BitstreamFigures, Report
from acsgen.report.file import read_report, replace_report
from acsgen.report.page import write_page
from acsgen.support.errors import CheckFailed, Problem, UserError
from acsgen.support.fsutil import check_writable, plain_os_error
from acsgen.support.progress import OnStage, ignore_stages
from acsgen.verify.builddir import (
    HLS_FOLDER,
    PROGRAM_FOLDER,
    RTL_FOLDER,
    VECTORS_FOLDER,
    VIVADO_FOLDER,
    BuildDirectory,
    open_build,
)

#: Minutes that each run of a tool may take.
DEFAULT_TIMEOUT = 720.0

#: Name of the (empty) file that marks a folder of this module's, which may be removed.
_WORK_MARKER = ".acsgen-work"

#: What tools leave behind in a build that was used by hand.
_LEFTOVERS = shutil.ignore_patterns(
    *("project-*", "results-*", "acs_project", "acs_component", "ip", "package_project"),
    *("*.log", "*.jou", ".Xil", "acs_testbench"),
)


class OnLine(Protocol):
    """A function that is called with every line that a tool prints."""

    def __call__(self, line: str, shown: bool) -> None:
        """``shown`` tells a line about progress or a problem from the many others."""


def ignore_lines(line: str, shown: bool) -> None:
    """Show nothing."""


@dataclass(frozen=True)
class BitstreamRequest:
    """A request for one bitstream.

    Attributes:
        build: a directory that ``acsgen build`` wrote.
        engine: the engine to implement; None for ``hls`` where it was rendered, else ``rtl``.
        out: folder to write; ``BUILD-ENGINE`` if None.
        clock_mhz: another clock than the board's.
        timeout: minutes that each run of a tool may take.
        jobs: processes of Vivado at once.
        collect: run no tools: take the results that ``make -C vivado`` left in the build.
        keep_work: keep the tools' projects.
    """

    build: Path
    engine: Implementation | None = None
    out: Path | None = None
    clock_mhz: float | None = None
    timeout: float = DEFAULT_TIMEOUT
    jobs: int = 2
    collect: bool = False
    keep_work: bool = False


@dataclass(frozen=True)
class BitstreamResult:
    """A finished bitstream: the folder for the board, its figures, and the report with them."""

    out: Path
    engine: Implementation
    figures: BitstreamFigures
    report: Report


def make_bitstream(
    request: BitstreamRequest,
    on_stage: OnStage = ignore_stages,
    on_line: OnLine = ignore_lines,
) -> BitstreamResult:
    """Make a bitstream, and the folder to copy to the board.

    Raises:
        UserError: no build, no such engine in it, a folder that cannot be written, a tool or its
            licence missing.
        CheckFailed: a tool failed, ran too long, or left something out; the clock is not met.
    """
    on_stage("check the build and the tools")
    build = open_build(request.build)
    report = read_report(request.build)
    engine = choose_engine(build, request.engine)
    build.sources(engine)
    scripts = build.path / VIVADO_FOLDER
    if not (scripts / "bitstream.tcl").is_file():
        problem = Problem(str(scripts), "is missing", "build it again with this acsgen")
        raise UserError(problem)
    out = request.out or build.path.resolve().parent / f"{build.path.resolve().name}-{engine}"
    if out.resolve() == build.path.resolve():
        raise UserError(Problem(str(out), "is the build itself", "choose another --out"))
    check_writable(out)
    if request.collect:
        on_stage("read the reports")
        results = read_results(build, engine, build.path, None)
        return _finish(request, build, engine, results, report, out, on_stage)
    tools = require_tools(request.build, engine, build.manifest.board)
    with _work_folder(out, request.keep_work) as work:
        _copy_sources(build, engine, work)
        critical = _run_tools(request, engine, tools, work, on_stage, on_line)
        on_stage("read the reports")
        try:
            results = read_results(build, engine, work, tools.hls)
        except UserError as error:
            # The input was well: it is the tools that did not leave what they were to leave.
            found = "\n  ".join(f"{p.where}: {p.what}" for p in error.problems)
            raise CheckFailed(
                f"the tools ended as if all were well, and left no result:\n  {found}\n"
                f"The logs are in {work / 'logs'}"
            ) from error
        results = replace(results, critical=critical, logs=work / "logs")
        return _finish(request, build, engine, results, report, out, on_stage)


def choose_engine(build: BuildDirectory, wanted: Implementation | None) -> Implementation:
    """Return the engine that is asked for, or the first that was rendered."""
    if wanted is not None:
        return wanted
    return "hls" if "hls" in build.manifest.engines else build.manifest.engines[0]


def _finish(
    request: BitstreamRequest,
    build: BuildDirectory,
    engine: Implementation,
    results: Results,
    report: Report,
    out: Path,
    on_stage: OnStage,
) -> BitstreamResult:
    """Write the folder for the board, then the build's report."""
    on_stage("write the folder for the board")
    name = bitstream_name(build.manifest.model, build.manifest.board)
    stem = hashed_stem(name, results.bit, results.hwh)
    figures = results.figures(stem)
    report = replace(report, bitstream={**report.bitstream, engine: figures})
    collect(build, engine, results, report, stem, out)
    replace_report(request.build, report)
    write_page(request.build)
    return BitstreamResult(out, engine, figures, report)


def _run_tools(
    request: BitstreamRequest,
    engine: Implementation,
    tools: Tools,
    work: Path,
    on_stage: OnStage,
    on_line: OnLine,
) -> tuple[str, ...]:
    """Run the tools one after another; return Vivado's critical warnings."""
    environment = tools.environment() | {
        "ACS_ENGINE": engine,
        "ACS_JOBS": str(request.jobs),
        "ACS_STEPS": "csynth export",
    }
    if request.clock_mhz is not None:
        environment["ACS_CLOCK_MHZ"] = f"{request.clock_mhz:.9g}"
    (work / "logs").mkdir()
    batch = ("-mode", "batch", "-notrace", "-nojournal", "-nolog", "-source")

    def run(stage: str, tool: Tool, words: tuple[str, ...], folder: str, script: str) -> Messages:
        on_stage(stage)
        messages = Messages()

        def take(line: str) -> None:
            on_line(line, messages.take(line))

        log = work / "logs" / f"{Path(script).stem}.log"
        command = (*tool.command, *words, script)
        limit = 60 * request.timeout
        status = run_tool(command, work / folder, environment, log, limit, take)
        _check(messages, tool, status, log)
        return messages

    if tools.hls is not None:
        run("synthesize the C++ (Vitis HLS)", tools.hls, (), HLS_FOLDER, "run_hls.tcl")
    else:
        run("package the RTL (Vivado)", tools.vivado, batch, RTL_FOLDER, "package_ip.tcl")
    last = run("place and route (Vivado)", tools.vivado, batch, VIVADO_FOLDER, "bitstream.tcl")
    return tuple(last.critical)


def _check(messages: Messages, tool: Tool, status: int, log: Path) -> None:
    """Raise unless a tool ended well, and without errors in its log."""
    if status == 0 and not messages.errors:
        return
    name = tool.path.name
    ended = f"ended with status {status}" if status >= 0 else f"was killed by signal {-status}"
    if status == 0:
        ended = "reported errors"
    said = messages.errors[:5] or [messages.last or "nothing"]
    lines = "\n  ".join(said)
    cause = messages.cause
    slower = slower_clock(messages.errors)
    if slower is not None:
        lines += f"\n  The longest path would allow {slower} MHz: --clock-mhz {slower}"
    if status == -9 and cause is None:
        lines += "\n  Most often the system does that to a process when memory is short."
    if cause is not None and cause.machine:
        raise UserError(Problem(name, f"{ended}: {said[0]}", f"{cause.meaning}. The log is {log}"))
    meaning = f"\n{cause.meaning[0].upper()}{cause.meaning[1:]}." if cause is not None else ""
    raise CheckFailed(f"{name} {ended}; it said:\n  {lines}{meaning}\nThe log is {log}")


def _copy_sources(build: BuildDirectory, engine: Implementation, work: Path) -> None:
    """Copy what the tools read, so that they write nothing into the build."""
    names = [build.sources(engine).name, VIVADO_FOLDER]
    if engine == "hls":
        names += [PROGRAM_FOLDER, VECTORS_FOLDER]  # the test bench reads them
    for name in names:
        shutil.copytree(build.path / name, work / name, ignore=_LEFTOVERS)


@contextmanager
def _work_folder(out: Path, keep: bool) -> Iterator[Path]:
    """Yield an empty folder beside ``out``; it goes if all is well, and stays for its logs if not.

    Raises:
        UserError: another process works in it, or it cannot be made.
    """
    work = out.resolve().with_name(f"{out.name}.work")
    try:
        work.parent.mkdir(parents=True, exist_ok=True)
        # Beside the folder, since the folder is removed while the lock is held.
        lock = os.open(work.with_name(f".{work.name}.lock"), os.O_CREAT | os.O_RDWR, 0o666)
    except OSError as error:
        raise UserError(
            Problem(
                str(work), f"cannot be written: {plain_os_error(error)}", "choose another --out"
            )
        ) from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UserError(
                Problem(
                    str(work),
                    "another acsgen bitstream works there",
                    "wait for it to end, or choose another --out",
                )
            ) from error
        except OSError:
            pass  # a file system without locks
        if work.exists() and not (work / _WORK_MARKER).exists():
            raise UserError(
                Problem(str(work), "is not acsgen's; it is left untouched", "choose another --out")
            )
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        (work / _WORK_MARKER).touch()
        yield work
        if not keep:
            shutil.rmtree(work, ignore_errors=True)
    finally:
        work.with_name(f".{work.name}.lock").unlink(missing_ok=True)
        os.close(lock)
