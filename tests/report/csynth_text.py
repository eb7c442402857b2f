"""A report of Vitis HLS in which every claim of a build holds to the letter."""

from __future__ import annotations

import json
from pathlib import Path


def csynth_of(build: Path) -> str:
    """Return the text of a ``csynth.xml``; ``@PART@`` and ``@PERIOD@`` stand for what was asked."""
    claims = json.loads((build / "hls" / "claims.json").read_text())
    modules = "".join(
        f"<Module><Name>of_{label}</Name><PerformanceEstimates><SummaryOfLoopLatency>"
        f"{_loop(label, claim)}</SummaryOfLoopLatency></PerformanceEstimates></Module>"
        for label, claim in claims["loops"].items()
    )
    took = claims["resources"]
    return (
        "<profile><ReportVersion><Version>2022.2</Version></ReportVersion>"
        "<UserAssignments><Part>@PART@</Part><TopModelName>acs_engine</TopModelName>"
        "<TargetClockPeriod>@PERIOD@</TargetClockPeriod><ClockUncertainty>2.70</ClockUncertainty>"
        "</UserAssignments><PerformanceEstimates><SummaryOfTimingAnalysis>"
        "<EstimatedClockPeriod>7.0</EstimatedClockPeriod></SummaryOfTimingAnalysis>"
        "<SummaryOfLoopLatency/></PerformanceEstimates><AreaEstimates><Resources>"
        f"<BRAM_18K>{int(2 * took['bram36'])}</BRAM_18K><DSP>{int(took['dsp'])}</DSP>"
        f"<FF>{int(took['ff'])}</FF><LUT>{int(took['lut'])}</LUT></Resources></AreaEstimates>"
        f"<ModuleInformation>{modules}</ModuleInformation></profile>"
    )


def _loop(label: str, claim: dict[str, int]) -> str:
    figures = "<IterationLatency>undef</IterationLatency>"
    if claim["depth"]:
        figures = (
            f"<PipelineII>{claim['interval']}</PipelineII>"
            f"<PipelineDepth>{claim['depth']}</PipelineDepth>"
        )
    return f"<{label}><TripCount>undef</TripCount><Latency>undef</Latency>{figures}</{label}>"
