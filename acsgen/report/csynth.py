"""Reads ``csynth.xml``, the report that synthesis with Vitis HLS writes.

It has the performance of the top function, its resources, and the same for every module that loops
and functions became.  A loop is an element of its name, inside the element of the loop around it.
Versions differ in their order and depth, so that loops are found by the figures that they have.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from acsgen.support.errors import Problem, UserError
from acsgen.support.user_files import require_file

#: Larger files are no reports: those of large designs have some megabytes.
MAX_BYTES = 256 * 2**20

#: An element is a loop if it has one of these.
_OF_LOOPS = ("TripCount", "Latency", "PipelineII", "IterationLatency")

#: Resources, each with its names; the DSPs' has changed.
_RESOURCES = {
    "bram18": ("BRAM_18K",),
    "dsp": ("DSP", "DSP48E"),
    "ff": ("FF",),
    "lut": ("LUT",),
    "uram": ("URAM",),
}


@dataclass(frozen=True)
class LoopReport:
    """One loop of a report.

    Attributes:
        name: its label, or the tool's name for a loop without one.
        module: the module that it is in.
        interval: achieved initiation interval, None if it is not pipelined.
        depth: of the pipeline, None likewise.
    """

    name: str
    module: str
    interval: int | None
    depth: int | None


@dataclass(frozen=True)
class SynthesisReport:
    """The content of a report.

    Attributes:
        version: of the tool.
        top: the top function.
        part: the device.
        clock_ns: the period that was asked.
        uncertainty_ns: the part of it that the tool keeps.
        estimated_ns: the longest path that it estimates.
        loops: all loops, in all modules.
        resources: of the whole, by the names of the estimate: ``bram18``, ``dsp``, ``ff``, ``lut``,
            ``uram``.
    """

    version: str
    top: str
    part: str
    clock_ns: float
    uncertainty_ns: float
    estimated_ns: float
    loops: tuple[LoopReport, ...]
    resources: dict[str, int]


def read_report(path: Path) -> SynthesisReport:
    """Return the report in an XML file.

    Raises :class:`UserError` where the file cannot be read, is no XML, has a document type (the
    tool writes none, and its entities could grow without bound), or is no report of synthesis.
    """
    require_file(path, "report", "name a csynth.xml")
    if path.stat().st_size > MAX_BYTES:
        raise UserError(Problem(str(path), "too large for a report", "name a csynth.xml"))
    root = _parse(path)
    missing: list[str] = []

    def text(where: str) -> str:
        found = root.findtext(where)
        if found is None or not found.strip():
            missing.append(where)
            return ""
        return found.strip()

    def number(where: str) -> float:
        try:
            return float(text(where) or 0)
        except ValueError:
            missing.append(where)
            return 0.0

    resources = root.find("AreaEstimates/Resources")
    report = SynthesisReport(
        version=(root.findtext("ReportVersion/Version") or "").strip(),
        top=text("UserAssignments/TopModelName"),
        part=text("UserAssignments/Part"),
        clock_ns=number("UserAssignments/TargetClockPeriod"),
        uncertainty_ns=_number(root.findtext("UserAssignments/ClockUncertainty")) or 0.0,
        estimated_ns=number("PerformanceEstimates/SummaryOfTimingAnalysis/EstimatedClockPeriod"),
        loops=tuple(_loops(root)),
        resources={} if resources is None else _resources(resources),
    )
    if resources is None:
        missing.append("AreaEstimates/Resources")
    if root.tag != "profile" or missing:
        parts = ", ".join(missing) or "the element profile"
        raise UserError(
            Problem(
                str(path),
                f"not a report of Vitis HLS synthesis: it lacks {parts}",
                "name syn/report/csynth.xml of the solution or component",
            )
        )
    return report


def _parse(path: Path) -> Element:
    builder = TreeBuilder()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data

    def refuse(*_: object) -> None:
        raise UserError(
            Problem(
                str(path), "it has a document type, which reports do not have", "name a csynth.xml"
            )
        )

    parser.StartDoctypeDeclHandler = refuse
    try:
        with path.open("rb") as file:
            parser.ParseFile(file)
        return builder.close()
    except (expat.ExpatError, LookupError, ValueError) as error:  # or an encoding that is unknown
        raise UserError(Problem(str(path), f"not XML: {error}", "name a csynth.xml")) from error


def _loops(root: Element) -> Iterator[LoopReport]:
    top = (root.findtext("UserAssignments/TopModelName") or "").strip()
    modules = [(top, root), *_modules(root)]
    for name, module in modules:
        summary = module.find("PerformanceEstimates/SummaryOfLoopLatency")
        for element in () if summary is None else summary.iter():
            if element is summary or not any(element.find(tag) is not None for tag in _OF_LOOPS):
                continue
            yield LoopReport(
                name=(element.findtext("Name") or element.tag).strip(),
                module=name,
                interval=_whole(element.findtext("PipelineII")),
                depth=_whole(element.findtext("PipelineDepth")),
            )


def _modules(root: Element) -> Iterator[tuple[str, Element]]:
    for module in root.iterfind("ModuleInformation/Module"):
        yield (module.findtext("Name") or "").strip(), module


def _resources(element: Element) -> dict[str, int]:
    found = {}
    for name, tags in _RESOURCES.items():
        values = [_whole(element.findtext(tag)) for tag in tags]
        known = [value for value in values if value is not None]
        if known:
            found[name] = known[0]
    return found


def _whole(text: str | None) -> int | None:
    """Return a number; where the tool does not know it, it writes ``undef``, ``-`` or ``?``."""
    value = _number(text)
    return None if value is None or value != int(value) else int(value)


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if abs(value) < 1e15 else None
