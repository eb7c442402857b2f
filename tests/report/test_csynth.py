"""Reports of Vitis HLS in the published form, read and held against claims."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from acsgen.cli import app
from acsgen.emit.claims import HEADER, Claims, LoopClaim, load_claims, loop_claims
from acsgen.engines.hlscheck.loops import Sources
from acsgen.report.claims import compare
from acsgen.report.csynth import LoopReport, read_report
from acsgen.support.errors import UserError
from tests.engines.csim.conftest import SMALL
from tests.engines.csim.rendering import render_engine

pytestmark = pytest.mark.unit

CLAIMS = Claims(
    top="acs_engine",
    part="xc7z020clg484-1",
    clock_ns=10.0,
    loops={
        "STEPS": LoopClaim(16, 0),
        "ARRAY": LoopClaim(1, 28),
        "LOAD": LoopClaim(1, 5),
        "HEADER": LoopClaim(1, 4),
    },
    resources={"dsp": 205.0, "bram36": 110.0, "lut": 45000.0, "ff": 60000.0},
)


def loop(name: str, interval: int | None, depth: int | None, inside: str = "") -> str:
    """A loop as the tool writes it, with or without a pipeline."""
    figures = f"<IterationLatency>undef</IterationLatency>{inside}"
    if interval is not None:
        figures = f"<PipelineII>{interval}</PipelineII><PipelineDepth>{depth}</PipelineDepth>"
    return (
        f"<{name}><Slack>7.30</Slack><TripCount>undef</TripCount><Latency>undef</Latency>"
        f"<AbsoluteTimeLatency>undef</AbsoluteTimeLatency>{figures}<InstanceList/></{name}>"
    )


def module(name: str, loops: str) -> str:
    return (
        f"<Module><Name>{name}</Name><PerformanceEstimates><SummaryOfTimingAnalysis>"
        "<unit>ns</unit><EstimatedClockPeriod>6.9</EstimatedClockPeriod></SummaryOfTimingAnalysis>"
        f"<SummaryOfLoopLatency>{loops}</SummaryOfLoopLatency></PerformanceEstimates>"
        "<AreaEstimates><Resources><DSP>9</DSP><FF>1</FF><LUT>2</LUT></Resources></AreaEstimates>"
        "</Module>"
    )


NAMED = (
    "<HEADER><Name>HEADER</Name><Slack>7.30</Slack><TripCount>13</TripCount><Latency>15</Latency>"
    "<PipelineII>1</PipelineII><PipelineDepth>3</PipelineDepth><PipelineType>yes</PipelineType>"
    "</HEADER>"
)


def report(
    array: tuple[int | None, int | None] = (1, 28),
    resources: str = "<BRAM_18K>216</BRAM_18K><DSP>201</DSP><FF>52000</FF><LUT>44810</LUT>",
    estimated: str = "7.259",
    part: str = "xc7z020-clg484-1",
    clock: str = "10.00",
    more: str = "",
) -> str:
    """A report of version 2024.2: loops that were pipelined are in modules of their own."""
    steps = loop("STEPS", None, None, loop("OUTER", None, None))
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<profile>
<ReportVersion><Version>2024.2</Version></ReportVersion>
<UserAssignments><unit>ns</unit><ProductFamily>zynq</ProductFamily><Part>{part}</Part>
<TopModelName>acs_engine</TopModelName><TargetClockPeriod>{clock}</TargetClockPeriod>
<ClockUncertainty>2.70</ClockUncertainty><FlowTarget>vivado</FlowTarget></UserAssignments>
<PerformanceEstimates><PipelineType>no</PipelineType>
<SummaryOfTimingAnalysis><unit>ns</unit><EstimatedClockPeriod>{estimated}</EstimatedClockPeriod>
</SummaryOfTimingAnalysis><SummaryOfLoopLatency>{steps}</SummaryOfLoopLatency>
<SummaryOfViolations><SummaryOfLoopViolations><STEPS><Name>STEPS</Name></STEPS>
</SummaryOfLoopViolations></SummaryOfViolations></PerformanceEstimates>
<AreaEstimates><Resources>{resources}</Resources>
<AvailableResources><BRAM_18K>280</BRAM_18K><DSP>220</DSP></AvailableResources></AreaEstimates>
<ModuleInformation>{module("run_array_Pipeline_ARRAY", loop("ARRAY", *array))}
{module("run_load_Pipeline_LOAD", loop("LOAD", 1, 5))}
{module("write_header_Pipeline_HEADER", NAMED)}{more}</ModuleInformation>
</profile>
"""


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """A build directory, as far as its claims go."""
    folder = tmp_path / "build"
    (folder / "hls").mkdir(parents=True)
    content = {
        **vars(CLAIMS),
        "loops": {label: vars(claim) for label, claim in CLAIMS.loops.items()},
    }
    (folder / "hls" / "claims.json").write_text(json.dumps(content))
    return folder


def synth_report(build: Path, text: str, *options: str, status: int = 0) -> str:
    path = build / "csynth.xml"
    path.write_text(text)
    result = CliRunner(env={"COLUMNS": "200"}).invoke(
        app, ["synth-report", str(build), str(path), *options]
    )
    assert result.exit_code == status, result.output
    return result.output


def test_a_report_is_read(tmp_path: Path) -> None:
    path = tmp_path / "csynth.xml"
    path.write_text(report())
    found = read_report(path)
    assert (found.version, found.top, found.part) == ("2024.2", "acs_engine", "xc7z020-clg484-1")
    assert (found.clock_ns, found.uncertainty_ns, found.estimated_ns) == (10.0, 2.7, 7.259)
    assert found.resources == {"bram18": 216, "dsp": 201, "ff": 52000, "lut": 44810}
    assert found.loops == (
        LoopReport("STEPS", "acs_engine", None, None),
        LoopReport("OUTER", "acs_engine", None, None),
        LoopReport("ARRAY", "run_array_Pipeline_ARRAY", 1, 28),
        LoopReport("LOAD", "run_load_Pipeline_LOAD", 1, 5),
        LoopReport("HEADER", "write_header_Pipeline_HEADER", 1, 3),
    )


def test_an_older_report_is_read(tmp_path: Path) -> None:
    """Before modules were extracted: all loops in the top function, the DSPs by another name."""
    loops = loop("ARRAY", None, None, loop("TAPS", 1, 22)) + loop("LOAD", 2, 6)
    path = tmp_path / "csynth.xml"
    path.write_text(
        "<profile><UserAssignments><Part>xc7z020clg484-1</Part><TopModelName>top</TopModelName>"
        "<TargetClockPeriod>10.00</TargetClockPeriod></UserAssignments><PerformanceEstimates>"
        "<SummaryOfTimingAnalysis><EstimatedClockPeriod>8.750</EstimatedClockPeriod>"
        f"</SummaryOfTimingAnalysis><SummaryOfLoopLatency>{loops}</SummaryOfLoopLatency>"
        "</PerformanceEstimates><AreaEstimates><Resources><DSP48E>12</DSP48E></Resources>"
        "</AreaEstimates></profile>"
    )
    found = read_report(path)
    assert found.resources == {"dsp": 12}
    assert [(lo.name, lo.interval, lo.depth) for lo in found.loops] == [
        ("ARRAY", None, None),
        ("TAPS", 1, 22),
        ("LOAD", 2, 6),
    ]


def test_claims_that_hold(build: Path) -> None:
    printed = synth_report(build, report())
    assert "claims hold" in printed
    assert "loop HEADER: depth" in printed
    assert "better" in printed
    # A loop without a claim is told, and is no failure.
    assert "loop OUTER in acs_engine" in printed
    assert "not counted" in printed
    assert "loop ARRAY" not in printed


def test_all_claims_can_be_shown(build: Path) -> None:
    printed = synth_report(build, report(), "--all")
    assert "loop ARRAY: interval" in printed
    assert "LUT" in printed


#: Reports in which one claim fails, and words of the row that says so.
FAILURES = {
    "interval": (report(array=(2, 28)), ["loop ARRAY: interval", "1", "2"]),
    "depth": (report(array=(1, 31)), ["loop ARRAY: depth", "28", "31"]),
    "no pipeline": (report(array=(None, None)), ["loop ARRAY: interval", "not pipelined"]),
    "dsp": (
        report(resources="<BRAM_18K>9</BRAM_18K><DSP>206</DSP><FF>2</FF><LUT>1</LUT>"),
        ["DSP", "205", "206"],
    ),
    "bram": (
        report(resources="<BRAM_18K>221</BRAM_18K><DSP>6</DSP><FF>2</FF><LUT>1</LUT>"),
        ["BRAM36", "110", "110.5"],
    ),
    "lut": (
        report(resources="<BRAM_18K>1</BRAM_18K><DSP>6</DSP><FF>2</FF><LUT>45001</LUT>"),
        ["LUT", "45000", "45001"],
    ),
    "resource not told": (
        report(resources="<BRAM_18K>1</BRAM_18K><DSP>6</DSP><LUT>1</LUT>"),
        ["FF", "60000", "not in the report"],
    ),
    "path": (report(estimated="7.301"), ["longest path", "at most 7.30 ns", "7.30 ns"]),
    "part": (report(part="xc7z010-clg400-1"), ["part", "xc7z010-clg400-1"]),
    "clock": (report(clock="12.50"), ["clock", "10 ns", "12.5 ns"]),
    "one of two modules": (
        report(more=module("run_array_1", loop("ARRAY", 3, 9))),
        ["loop ARRAY in run_array_1: interval", "3"],
    ),
    "loop missing": (
        report().replace("LOAD>", "VITIS_LOOP_34_1>"),
        ["loop LOAD", "interval 1, depth 5", "not in the report"],
    ),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_claim_that_fails(build: Path, name: str) -> None:
    text, words = FAILURES[name]
    printed = synth_report(build, text, status=1)
    row = next(line for line in printed.splitlines() if "WORSE" in line)
    assert all(word in row for word in words), printed
    assert sum("WORSE" in line for line in printed.splitlines()) == 1


def test_the_comparison_as_json(build: Path, tmp_path: Path) -> None:
    text, _ = FAILURES["clock"]
    synth_report(build, text, "--json", str(tmp_path / "found.json"), status=1)
    found = json.loads((tmp_path / "found.json").read_text())
    worse = [c for c in found["comparisons"] if not c["holds"]]
    assert [(c["subject"], c["claimed"], c["found"]) for c in worse] == [
        ("clock", "10 ns", "12.5 ns")
    ]


BOMB = """<?xml version="1.0"?>
<!DOCTYPE profile [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<profile>&b;</profile>
"""
OUTSIDE = '<!DOCTYPE profile SYSTEM "file:///etc/hostname"><profile/>'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not XML"),
        ("<profile>", "not XML"),
        ("{}", "not XML"),
        (BOMB, "document type"),
        (OUTSIDE, "document type"),
        ("<profile/>", "it lacks UserAssignments/TopModelName"),
        ("<html><body/></html>", "not a report"),
        (report(clock="fast"), "TargetClockPeriod"),
        (report().replace("<AreaEstimates><Resources>", "<AreaEstimates><Other>", 1), "not XML"),
    ],
)
def test_bad_files(build: Path, text: str, words: str) -> None:
    assert words in " ".join(synth_report(build, text, status=2).split())


def test_bad_builds(tmp_path: Path, build: Path) -> None:
    assert "is not there" in " ".join(synth_report_of(tmp_path / "none", build).split())
    (tmp_path / "old").mkdir()
    assert "has no claims" in synth_report_of(tmp_path / "old", build)
    (build / "hls" / "claims.json").write_text('{"loops": {"ARRAY": 1}}')
    assert "not a file of claims" in synth_report_of(build, build)


def synth_report_of(folder: Path, build: Path) -> str:
    path = build / "csynth.xml"
    path.write_text(report())
    result = CliRunner(env={"COLUMNS": "300"}).invoke(app, ["synth-report", str(folder), str(path)])
    assert result.exit_code == 2, result.output
    return result.output


def test_a_missing_report_is_bad_input(build: Path) -> None:
    result = CliRunner().invoke(app, ["synth-report", str(build), str(build / "none.xml")])
    assert result.exit_code == 2


def test_parts_are_compared_whole(tmp_path: Path) -> None:
    path = tmp_path / "csynth.xml"
    path.write_text(report())
    found = read_report(path)
    assert all(c.holds for c in compare(CLAIMS, found))
    other = [
        c.subject for c in compare(replace(CLAIMS, part="xc7z020clg400-1"), found) if not c.holds
    ]
    assert other == ["part"]


def test_claims_are_read_from_the_header(tmp_path: Path) -> None:
    header = tmp_path / HEADER
    header.write_text(
        "#define ACS_CLAIMS(CLAIM) \\\n  CLAIM(STEPS, 16, 0)  /* decode 10 */ \\\n"
        "  CLAIM(ARRAY, 1, 28)  /* bank 2, \\\n   product 3 */ \\\n  CLAIM( LOAD , 2,5 )\n"
    )
    assert loop_claims(header) == {
        "STEPS": LoopClaim(16, 0),
        "ARRAY": LoopClaim(1, 28),
        "LOAD": LoopClaim(2, 5),
    }
    header.write_text("// nothing\n")
    with pytest.raises(ValueError, match="has no claims"):
        loop_claims(header)


def test_a_build_has_the_claims_of_its_sources(tmp_path: Path) -> None:
    sources = render_engine(tmp_path / "build" / "hls", SMALL)
    claims = load_claims(tmp_path / "build")
    assert dict(claims.loops) == loop_claims(sources / HEADER)
    assert claims.top == "acs_engine"
    assert claims.resources.keys() == {"dsp", "bram36", "lut", "ff"}


def test_every_pipelined_loop_is_claimed_as_its_pragma_asks(tmp_path: Path) -> None:
    sources = render_engine(tmp_path, SMALL)
    claims = loop_claims(sources / HEADER)
    asked = {loop.label: loop.interval for loop in Sources(sources).loops()}
    assert {label: c.interval for label, c in claims.items() if c.depth > 0} == asked


def test_a_file_that_is_no_claims_names_itself(tmp_path: Path) -> None:
    (tmp_path / "hls").mkdir()
    (tmp_path / "hls" / "claims.json").write_text("[]")
    with pytest.raises(UserError, match=r"claims\.json"):
        load_claims(tmp_path)
