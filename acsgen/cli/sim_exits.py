"""``acsgen sim --exit-entropy``, ``--budget``, ``--budget-cycles``: what ends runs at early exits.

The golden results of a build have the sums that its exits compare with thresholds, and the results
of all layers, so that every setting of the exits has its golden results.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from acsgen.support.errors import Problem, UserError

if TYPE_CHECKING:
    from acsgen_host import CycleBounds

    from acsgen.engines.base import Engine
    from acsgen.ir.results import GoldenResult
    from acsgen.program.program import Program
    from acsgen.program.words import Words
    from acsgen.verify import Verification
    from acsgen.verify.vectors import Vectors


@dataclass(frozen=True)
class ExitSettings:
    """The settings of a program's exits; None leaves one as built.

    Attributes:
        program: the program.
        entropy: nats below which all exits by entropy are taken.
        macs: the most multiply-accumulates of a run.
        cycles: the most cycles of a run, on an engine with a clock.

    Raises:
        UserError: the program has no exits for these settings, or not even its first answer is sure
            to be within the MACs.
    """

    program: Program
    entropy: float | None = None
    macs: int | None = None
    cycles: int | None = None

    def __post_init__(self) -> None:
        program, problems = self.program, []
        if self.entropy is not None and not any(exit.decision for exit in program.exits):
            problems.append(("--exit-entropy", "has no exits by entropy", "leave it out"))
        for option, value in (("--budget", self.macs), ("--budget-cycles", self.cycles)):
            if value is not None and not program.exits:
                problems.append((option, "has no exits", "leave it out"))
        if self.macs is not None and program.exits and self.macs < program.least_budget:
            what = f"may take {program.least_budget:,} MACs to its first answer"
            problems.append(("--budget", what, "give as many or more"))
        if problems:
            raise UserError(
                [
                    Problem(option, f"{program.model} {what}", todo)
                    for option, what, todo in problems
                ]
            )

    @property
    def params(self) -> Words:
        """The parameter buffer with the thresholds of the entropy."""
        return self.program.with_thresholds(self._thresholds())

    def golden(self, built: GoldenResult) -> GoldenResult:
        """The results of runs that the entropy and the budget in MACs end, from the build's."""
        from acsgen.compiler.exits import with_entropies, within_budget

        if self.entropy is not None:
            built = with_entropies(self.program, built, self._thresholds())
        return within_budget(self.program, built, self.macs)

    def words(self, bounds: CycleBounds | None = None) -> Words:
        """The program buffer with the limits of the budgets; ``bounds`` where one is in cycles."""
        from acsgen.verify.cycle_budget import cycle_limits

        limits = {}
        if bounds is not None and self.cycles is not None:
            limits = cycle_limits(bounds, self.cycles)
        return self.program.with_limits(self.program.macs_limits(self.macs), limits)

    def bounds(self, engine: Engine) -> CycleBounds | None:
        """What ways between exits take on an engine, measured; None without a budget in cycles.

        Raises:
            UserError: not even the first answer is sure to be within the cycles.
        """
        from acsgen.verify.cycle_budget import engine_bounds

        if self.cycles is None:
            return None
        found = engine_bounds(self.program, engine)
        if self.cycles < found.first:
            what = f"{self.program.model} may take {found.first:,} cycles to its first answer"
            raise UserError(Problem("--budget-cycles", what, "give as many or more"))
        return found

    def verify(
        self,
        engine: Engine,
        vectors: Vectors,
        bounds: CycleBounds | None,
        check: Callable[..., Verification],
    ) -> Verification:
        """Run images with these settings and compare with the golden model.

        Args:
            engine: where to run them.
            vectors: images and golden results as built.
            bounds: of :meth:`bounds`.
            check: :func:`acsgen.verify.check.check_vectors`, but for ``words`` and ``params``.
        """
        from acsgen.verify.cycle_budget import verify_budget
        from acsgen.verify.vectors import Vectors

        set_so = Vectors(vectors.images, self.golden(vectors.golden))
        words, params = self.words(bounds), self.params
        if self.cycles is None or bounds is None:
            return check(vectors=set_so, words=words, params=params)

        def compare(some: Vectors, forced: Words) -> Any:
            return check(vectors=some, words=forced, params=params)

        return verify_budget(self.program, engine, set_so, self.cycles, words, params, compare)

    def _thresholds(self) -> dict[str, Any]:
        """The integer thresholds of the entropy, by the name of the decision."""
        from acsgen_host.exits import entropy_threshold

        if self.entropy is None:
            return {}
        by_entropy = [exit for exit in self.program.exits if exit.decision]
        return {e.decision: entropy_threshold(self.entropy, e.acc_scale) for e in by_entropy}
