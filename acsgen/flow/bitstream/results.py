"""What the tools left behind, found and read: the two files of a bitstream, and the reports."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from acsgen.report.data import BitstreamFigures, Synthesis
from acsgen.report.vivado import PlacedResources, TimingSummary

SOURCE = "measured by Vivado after routing"


@dataclass(frozen=True)
class Results:
    """The results of one run of the tools.

    Attributes:
        bit: the bitstream.
        hwh: its hardware handoff.
        summary: what the script wrote down: clock, versions.
        resources: of the routed design.
        timing: its slack.
        synthesis: the report of Vitis HLS against the claims; None for the RTL.
        reports: files to keep, by their name.
        critical: Vivado's critical warnings.
        logs: folder with the tools' logs, if acsgen ran them.
    """

    bit: Path
    hwh: Path
    summary: dict[str, str]
    resources: PlacedResources
    timing: TimingSummary
    synthesis: Synthesis | None
    reports: dict[str, Path]
    critical: tuple[str, ...] = ()
    logs: Path | None = None

    def figures(self, stem: str) -> BitstreamFigures:
        """Return the figures for the report, of the bitstream with this stem."""
        return BitstreamFigures(
            stem=stem,
            vivado=self.summary["vivado"],
            clock_mhz=float(self.summary["clock_mhz"]),
            board_mhz=float(self.summary["clock_mhz_board"]),
            wns_ns=self.timing.wns_ns,
            whs_ns=self.timing.whs_ns,
            resources=self.resources,
            source=SOURCE,
            critical_warnings=self.critical,
            synthesis=self.synthesis,
        )
