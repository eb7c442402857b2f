"""Reads the results of the tools, and writes the folder for the board.

The folder is a bundle as the driver knows it, with the bitstream: ``manifest.json``, ``program/``,
``vectors/``, ``NAME-<hash>.bit`` and ``.hwh``, the driver, and ``install.sh``.  The compiled C
simulation goes along, so that the notebooks of a copy run on the PC that built it, too.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import jinja2
from acsgen_host.digests import describe_files
from acsgen_host.errors import HostError
from acsgen_host.handoff import check_handoff
from acsgen_host.simulation.start import CSIM_LIBRARY

from acsgen.emit.claims import Claims, load_claims
from acsgen.emit.sbom import BUNDLE_FILES
from acsgen.engines.base import Implementation
from acsgen.flow.bitstream.results import Results
from acsgen.flow.bitstream.tools import Tool
from acsgen.report.claims import compare
from acsgen.report.csynth import read_report as read_csynth
from acsgen.report.data import LoopSynthesis, Report, Synthesis
from acsgen.report.file import write_report
from acsgen.report.page import write_page
from acsgen.report.vivado import read_timing, read_utilization
from acsgen.support.assets import asset
from acsgen.support.errors import CheckFailed, Problem, UserError
from acsgen.support.fsutil import staged_directory
from acsgen.verify.builddir import (
    HLS_FOLDER,
    HOST_FOLDER,
    MANIFEST_FILE,
    PROGRAM_FOLDER,
    VECTORS_FOLDER,
    VIVADO_FOLDER,
    BuildDirectory,
)

#: Where versions of Vitis HLS leave their report, in a project or a component.
_CSYNTH = ("acs_project/*/syn/report", "acs_component/*/syn/report", "acs_component/syn/report")

#: Reports of Vivado that are kept.
_REPORTS = ("utilization.rpt", "utilization_hierarchical.rpt", "timing_summary.rpt", "summary.txt")

_SUMS = "SHA256SUMS"


def read_results(
    build: BuildDirectory, engine: Implementation, place: Path, hls: Tool | None
) -> Results:
    """Return the results that the tools left.

    Args:
        build: the build.
        engine: the engine that was implemented.
        place: the folder with ``vivado/`` and the engine's sources that the tools ran in.
        hls: the tool that synthesized, for its version.

    Raises:
        CheckFailed: a file is missing, the handoff is not the driver's, or the clock is not met.
        UserError: there are no results at all, or a report cannot be read.
    """
    folder = place / VIVADO_FOLDER / f"results-{engine}"
    if not folder.is_dir():
        raise UserError(
            Problem(
                str(folder),
                "is not there: no bitstream was made, or its run did not end well",
                f"make -C {place / VIVADO_FOLDER} ENGINE={engine}",
            )
        )
    bit, hwh = (_only(folder, suffix) for suffix in (".bit", ".hwh"))
    if bit.stem != hwh.stem:
        raise CheckFailed(f"{bit} and {hwh.name} are not of one run: their names differ")
    missing = [name for name in _REPORTS if not (folder / name).is_file()]
    if missing:
        raise CheckFailed(f"{folder} has no {', '.join(missing)}")
    try:
        check_handoff(hwh)
    except HostError as error:
        raise CheckFailed(f"the driver cannot use what Vivado wrote: {error}") from error
    summary = dict(
        line.split(" ", 1) for line in (folder / "summary.txt").read_text().splitlines() if line
    )
    part = build.manifest.board.part
    if summary.get("part") != part or summary.get("engine") != engine:
        raise CheckFailed(
            f"{folder} is of {summary.get('engine')} on {summary.get('part')}, not of {engine} on "
            f"{part}"
        )
    timing = read_timing(folder / "timing_summary.rpt")
    if min(timing.wns_ns, timing.whs_ns, timing.wpws_ns) < 0:
        raise CheckFailed(
            f"timing is not met: slack {timing.wns_ns} ns, hold {timing.whs_ns} ns, pulse width "
            f"{timing.wpws_ns} ns; see {folder / 'timing_summary.rpt'}"
        )
    reports = {name: folder / name for name in _REPORTS}
    synthesis = None
    if engine == "hls":
        reports["csynth.xml"] = _csynth(place / HLS_FOLDER)
        asked = float(summary["clock_mhz_asked"])
        synthesis = _synthesis(build, reports["csynth.xml"], asked, hls)
    return Results(
        bit=bit,
        hwh=hwh,
        summary=summary,
        resources=read_utilization(folder / "utilization.rpt"),
        timing=timing,
        synthesis=synthesis,
        reports=reports,
    )


def _only(folder: Path, suffix: str) -> Path:
    found = sorted(folder.glob(f"*{suffix}"))
    if len(found) != 1 or found[0].stat().st_size == 0:
        what = f"{len(found)} files *{suffix}, not one" if len(found) != 1 else f"an empty {suffix}"
        raise CheckFailed(f"{folder} has {what}")
    return found[0]


def _csynth(sources: Path) -> Path:
    found = [p for form in _CSYNTH for p in sources.glob(f"{form}/csynth.xml")]
    if len(found) != 1:
        raise CheckFailed(
            f"Vitis HLS left {len(found)} reports csynth.xml in {sources}, not one: "
            f"{', '.join(form + '/csynth.xml' for form in _CSYNTH)}"
        )
    return found[0]


def _synthesis(build: BuildDirectory, path: Path, asked_mhz: float, hls: Tool | None) -> Synthesis:
    """Return the report of Vitis HLS beside the claims of the build."""
    report = read_csynth(path)
    # The clock that was asked for takes the place of the board's, which is what is claimed.
    claims: Claims = replace(load_claims(build.path), clock_ns=round(1000 / asked_mhz, 3))
    comparisons = [c for c in compare(claims, report) if c.claimed]
    loops = []
    for label, claim in claims.loops.items():
        found = [loop for loop in report.loops if loop.name == label]
        for loop in found or (None,):
            loops.append(
                LoopSynthesis(
                    label=label,
                    module="" if loop is None else loop.module,
                    claimed_interval=claim.interval,
                    claimed_depth=claim.depth,
                    interval=None if loop is None else loop.interval,
                    depth=None if loop is None else loop.depth,
                )
            )
    return Synthesis(
        vitis_hls=report.version or (hls.version if hls is not None else ""),
        clock_ns=report.clock_ns,
        estimated_ns=report.estimated_ns,
        resources=report.resources,
        loops=tuple(loops),
        claims=len(comparisons),
        broken=tuple(
            f"{c.subject}: claimed {c.claimed}, found {c.found or 'nothing'}"
            for c in comparisons
            if not c.holds
        ),
    )


def collect(
    build: BuildDirectory,
    engine: Implementation,
    results: Results,
    report: Report,
    stem: str,
    out: Path,
) -> None:
    """Write the folder for the board, or leave what is there as it is.

    Args:
        build: the build.
        engine: the engine that was implemented.
        results: of the tools.
        report: of the build, with the figures of this bitstream.
        stem: of the bitstream's files.
        out: folder to write.
    """
    ignored = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
    with staged_directory(out) as folder:
        for name in (PROGRAM_FOLDER, VECTORS_FOLDER, HOST_FOLDER):
            shutil.copytree(build.path / name, folder / name, ignore=ignored)
        for name in BUNDLE_FILES:
            if (build.path / name).is_file():  # builds of earlier versions have none
                shutil.copyfile(build.path / name, folder / name)
        if (build.path / CSIM_LIBRARY).is_file():  # a build of the RTL engine alone has none
            (folder / CSIM_LIBRARY).parent.mkdir()
            shutil.copyfile(build.path / CSIM_LIBRARY, folder / CSIM_LIBRARY)
        shutil.copyfile(results.bit, folder / f"{stem}.bit")
        shutil.copyfile(results.hwh, folder / f"{stem}.hwh")
        (folder / "reports").mkdir()
        for name, path in results.reports.items():
            shutil.copyfile(path, folder / "reports" / name)
        if results.logs is not None:
            shutil.copytree(results.logs, folder / "reports" / "logs")
        write_report(folder, report)
        _write_manifest(build, folder, stem)
        _write_pages(build, engine, report, stem, folder)
        write_page(folder)
        _write_sums(folder)


def _write_manifest(build: BuildDirectory, folder: Path, stem: str) -> None:
    """Write the manifest of the build, with the bitstream among its files."""
    names = (f"{stem}.bit", f"{stem}.hwh")
    files = {**build.manifest.files, **describe_files(folder, names)}
    manifest = build.manifest.model_copy(update={"files": files})
    text = json.dumps(manifest.model_dump(), indent=1) + "\n"
    (folder / MANIFEST_FILE).write_text(text, encoding="utf-8")


def _write_pages(
    build: BuildDirectory, engine: Implementation, report: Report, stem: str, folder: Path
) -> None:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(asset("templates", "board")),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # a shell script and Markdown, not HTML
    )
    figures = report.bitstream[engine]
    tools = f"Vivado {figures.vivado}"
    if figures.synthesis is not None:
        tools = f"Vitis HLS {figures.synthesis.vitis_hls} and {tools}"
    context = {
        "name": stem.rsplit("-", 1)[0],
        "model": build.manifest.model,
        "board": build.manifest.board,
        "stem": stem,
        "engine": engine,
        "tools": tools,
        "figures": figures,
        "notebooks": (folder / HOST_FOLDER / "notebooks").is_dir(),
    }
    for name in environment.list_templates():
        path = folder / name.removesuffix(".j2")
        path.write_text(environment.get_template(name).render(context), encoding="utf-8")
    (folder / "install.sh").chmod(0o755)


def _write_sums(folder: Path) -> None:
    """Write the digests of all files, as ``sha256sum`` reads them."""
    lines = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = path.relative_to(folder).as_posix()
        if not path.name.startswith(".") and name != _SUMS:
            lines.append(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {name}\n")
    (folder / _SUMS).write_text("".join(lines), encoding="utf-8")
