"""Compares a report of synthesis with the claims of the build."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from acsgen.emit.claims import Claims, LoopClaim
from acsgen.report.csynth import SynthesisReport


@dataclass(frozen=True)
class Comparison:
    """One figure, claimed and found.

    Attributes:
        subject: the loop or resource, and the name of the figure.
        claimed: the claim; "" if there is none, as of a loop that the tool made.
        found: the figure of the report; "" if the report does not have it.
        holds: whether the report bears the claim out: its figure is no worse.
    """

    subject: str
    claimed: str
    found: str
    holds: bool

    @property
    def verdict(self) -> str:
        """Return one word on the claim, "" if it is met to the letter."""
        if not self.claimed:
            return "not counted"
        return "" if not self.differs else "better" if self.holds else "WORSE"

    @property
    def differs(self) -> bool:
        """Whether the two are not the same."""
        return self.claimed != self.found


def compare(claims: Claims, report: SynthesisReport) -> list[Comparison]:
    """Return every claim with the figure of the report, then loops without a claim.

    A claim about a loop holds if all loops of the label, in all modules, are no slower and no
    deeper; one about a resource, if no more is taken.
    """
    return [
        *_design(claims, report),
        *_loops(claims, report),
        *_resources(claims, report),
        *_unclaimed(claims, report),
    ]


def _design(claims: Claims, report: SynthesisReport) -> Iterator[Comparison]:
    yield Comparison("top function", claims.top, report.top, claims.top == report.top)
    # The tool writes a hyphen before the package, board files mostly do not.
    same = _plain(claims.part) == _plain(report.part)
    yield Comparison("part", claims.part, claims.part if same else report.part, same)
    # A report has two decimals of a period.
    as_asked = abs(claims.clock_ns - report.clock_ns) < 0.006
    asked = f"{claims.clock_ns:g} ns"
    yield Comparison("clock", asked, asked if as_asked else f"{report.clock_ns:g} ns", as_asked)
    budget = report.clock_ns - report.uncertainty_ns
    fits = report.estimated_ns <= budget + 1e-9
    yield Comparison(
        "longest path",
        f"at most {budget:.2f} ns",
        f"at most {budget:.2f} ns" if fits else f"{report.estimated_ns:.2f} ns",
        fits,
    )


def _plain(part: str) -> str:
    return part.lower().replace("-", "")


def _loops(claims: Claims, report: SynthesisReport) -> Iterator[Comparison]:
    for label, claim in claims.loops.items():
        found = [loop for loop in report.loops if loop.name == label]
        if not found:
            yield Comparison(f"loop {label}", _claimed(claim), "", False)
        for loop in found:
            where = f"loop {label}" if len(found) == 1 else f"loop {label} in {loop.module}"
            if claim.depth == 0:
                pipelined = "not pipelined" if loop.interval is None else "pipelined"
                yield Comparison(where, "not pipelined", pipelined, True)
                continue
            yield _figure(f"{where}: interval", claim.interval, loop.interval)
            if loop.interval is not None:
                yield _figure(f"{where}: depth", claim.depth, loop.depth)


def _claimed(claim: LoopClaim) -> str:
    if claim.depth == 0:
        return "not pipelined"
    return f"interval {claim.interval}, depth {claim.depth}"


def _figure(subject: str, claimed: int, found: int | None) -> Comparison:
    return Comparison(
        subject,
        str(claimed),
        "not pipelined" if found is None else str(found),
        found is not None and found <= claimed,
    )


def _resources(claims: Claims, report: SynthesisReport) -> Iterator[Comparison]:
    taken: dict[str, float] = dict(report.resources)
    if "bram18" in taken:
        taken["bram36"] = taken.pop("bram18") / 2
    for name, claimed in claims.resources.items():
        found = taken.get(name)
        yield Comparison(
            name.upper(),
            f"{claimed:g}",
            "" if found is None else f"{found:g}",
            found is not None and found <= claimed,
        )


def _unclaimed(claims: Claims, report: SynthesisReport) -> Iterator[Comparison]:
    """Loops of the report that nothing was claimed of: they take cycles that were not counted."""
    for loop in report.loops:
        if loop.name not in claims.loops:
            figures = f"interval {loop.interval}, depth {loop.depth}"
            found = figures if loop.interval is not None else "not pipelined"
            yield Comparison(f"loop {loop.name} in {loop.module}", "", found, True)
