"""The tools' logs: lines that show progress, errors, critical warnings, and what errors mean."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

#: Lines that tell how far a run is.
_MILESTONES = re.compile(
    r"^acsgen: "
    r"|^WARNING: \[acsgen\]"
    r"|^Starting .* Task\b"
    r"|^Phase \d+ "
    r"|^\[.*\] Launched "
    r"|^(Start|Finished) (RTL|Synthesis|Technology|Timing|IO|Writing)"
    r"|^INFO: \[HLS 200-(10|42|111|1470)\]"
    r"|^packaged "
)

_ERROR = re.compile(r"^(?:ERROR|FATAL_ERROR): (?:\[(?P<id>[^\]]*)\] )?(?P<text>.*)")
_CRITICAL = re.compile(r"^CRITICAL WARNING: (?P<text>.*)")

#: The script's words about a clock that is not met.
_TOO_SLOW = re.compile(r"timing is not met at ([0-9.]+) MHz: the worst path is ([0-9.]+) ns too")

#: At most so many of each kind are kept.
_KEPT = 50


@dataclass(frozen=True)
class Cause:
    """A known cause of a failure: its signs in the log, its meaning, and whether the input is well.

    Attributes:
        pattern: of a line.
        meaning: what it means, and what to do.
        machine: whether the machine, not the design, is at fault.
    """

    pattern: re.Pattern[str]
    meaning: str
    machine: bool


CAUSES = (
    Cause(
        re.compile(r"licen[sc]e", re.IGNORECASE),
        "the tool has no licence for this part or feature. The free edition (Vivado ML Standard, "
        "before that WebPACK) has all boards that come with acsgen, and needs no licence file "
        "from 2021.1 on. With a licence of your own, check XILINXD_LICENSE_FILE, or run the "
        "licence manager: vlm",
        machine=True,
    ),
    Cause(
        re.compile(r"part could not be found|No parts matched|part .*not (found|installed)", re.I),
        "the device files of the board's part are not installed. Add them with the installer: "
        "Help > Add Design Tools or Devices",
        machine=True,
    ),
    Cause(
        re.compile(r"No space left on device", re.IGNORECASE),
        "the disk is full; a run needs some 3 GB",
        machine=True,
    ),
    Cause(
        re.compile(r"cannot allocate memory|out of memory|std::bad_alloc", re.IGNORECASE),
        "the machine has too little memory; a run needs some 8 GB. Fewer processes at once "
        "(--jobs 1) take less",
        machine=True,
    ),
    Cause(
        re.compile(r"bad lexical cast"),
        "versions of Vitis HLS before 2021.2 cannot package an IP since 2022 without AMD's patch "
        "(answer record 76960). Apply it, or take a newer version",
        machine=True,
    ),
    Cause(
        re.compile(r"requires more .* than are available|over-?utilized", re.IGNORECASE),
        "the design does not fit the part. Build it again with fewer lanes (--lanes)",
        machine=False,
    ),
)


@dataclass
class Messages:
    """What a run's log said so far.

    Attributes:
        errors: lines of errors, without their mark.
        critical: critical warnings, each once.
        cause: the first known cause among the errors.
        last: the last line that is not empty.
    """

    errors: list[str] = field(default_factory=list)
    critical: list[str] = field(default_factory=list)
    cause: Cause | None = None
    last: str = ""

    def take(self, line: str) -> bool:
        """Note a line; return whether it is one that a user wants to see."""
        if line.strip():
            self.last = line.strip()
        error = _ERROR.match(line)
        if error is not None:
            text = error["text"].strip()
            if len(self.errors) < _KEPT and text not in self.errors:
                self.errors.append(text)
            self._find_cause(text)
            return True
        critical = _CRITICAL.match(line)
        if critical is not None:
            text = critical["text"].strip()
            if len(self.critical) < _KEPT and text not in self.critical:
                self.critical.append(text)
            return True
        if self.cause is None and self.errors:
            # An error may go on over several lines, with the cause in a later one.
            self._find_cause(line)
        return _MILESTONES.search(line) is not None

    def _find_cause(self, text: str) -> None:
        if self.cause is None:
            self.cause = next((c for c in CAUSES if c.pattern.search(text)), None)


def slower_clock(errors: list[str]) -> int | None:
    """Return the clock, in whole MHz, that the worst path would allow; None if it was met."""
    for text in errors:
        found = _TOO_SLOW.search(text)
        if found is not None:
            return int(1000 / (1000 / float(found[1]) + float(found[2])))
    return None
