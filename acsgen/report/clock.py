"""The clock that milliseconds are told for: what it is, and all the evidence that there is for it.

A board file names a clock, and a build takes it as it is: no tool of Vivado has run.  What was
recorded of the RTL engine (``benchmarks/timing.json``) is of another chip family, and stands beside
the milliseconds so that nobody takes these for more than they are.
"""

from __future__ import annotations

import json

from acsgen.report.data import ClockEvidence, Report
from acsgen.support.assets import asset_root

#: The record, below the folder of assets; written by ``acsgen synth --timing --whole packed``.
RECORD = "benchmarks/timing.json"


def recorded_evidence() -> ClockEvidence:
    """Return the evidence that is recorded; without an estimate where there is none."""
    path = asset_root() / RECORD
    content = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    packed, tools = content.get("engine", {}).get("packed"), content.get("tools", {})
    if packed is None:
        return ClockEvidence(basis="assumed")
    return ClockEvidence(
        basis="assumed",
        estimate_mhz=packed["mhz"],
        estimate_part=tools["part"],
        estimate_tools=f"Yosys {tools['yosys']}, nextpnr {tools['nextpnr']}",
        estimate_worth=packed["worth"],
    )


def at_clock(report: Report) -> str:
    """Return the clock of a report in words: ``at 100 MHz, assumed``."""
    return f"at {report.clock_mhz:g} MHz, assumed"


def clock_note(report: Report) -> str:
    """Return in words what is known of the clock: what Vivado found, or the estimate."""
    routed = [
        f"Vivado {made.vivado} finds a slack of {made.wns_ns:+.3f} ns at {made.clock_mhz:.1f} MHz "
        f"for {name.upper()}"
        for name, made in report.bitstream.items()
    ]
    if routed:
        return "; ".join(["assumed by the build", *routed])
    return evidence_in_words(report.clock)


def evidence_in_words(found: ClockEvidence | None) -> str:
    """Return what is known of an assumed clock before Vivado has run."""
    text = "assumed, and not confirmed by Vivado"
    if found is None or found.estimate_mhz is None:
        return text
    return (
        f"{text}; the whole RTL engine, one lane group, packed for an ECP5-6 by nextpnr, is "
        f"estimated at {found.estimate_mhz:g} MHz, on another chip family"
    )
