"""The knob of early exits that needs a clock: a hard budget in cycles."""

from __future__ import annotations

from typing import Mapping

import numpy as np

from . import exits
from .arguments import number, shown
from .cycle_bounds import MARGIN, CycleBounds, Ended, measure_bounds
from .errors import InputError, Problem
from .settings import Settings


class CycleSettings(Settings):
    """The part of :class:`~acsgen_host.accelerator.Accelerator` that keeps runs within cycles."""

    _hard_budget_cycles: int | None = None
    _cycle_bounds: CycleBounds | None = None

    @property
    def hard_budget_cycles(self) -> int | None:
        """The most cycles that a run takes, by the engine's own counter; None without a budget.

        At every exit the engine compares its counter with what the budget leaves for the way to the
        next one; a run that might not get there ends with the answer that it has.  What a way takes
        is measured, by :meth:`measure_cycles`, when the first budget is set.  It stands beside
        :attr:`hard_budget`, which is in MACs.  Assigning is :meth:`set_hard_budget_cycles`.
        """
        return self._hard_budget_cycles

    @hard_budget_cycles.setter
    def hard_budget_cycles(self, cycles: int | None) -> None:
        self.set_hard_budget_cycles(cycles)

    @property
    def least_budget_cycles(self) -> int:
        """The least hard budget in cycles: the most that a run takes to its first answer.

        Raises :class:`InputError` as :meth:`measure_cycles` does, which it calls where nothing is
        measured yet.
        """
        self._require_usable()
        with self._lock:
            bounds = self._cycle_bounds
            return (self.measure_cycles() if bounds is None else bounds).first

    def measure_cycles(self, margin: float = MARGIN) -> CycleBounds:
        """Measure the most cycles of the ways between exits, and keep them for later budgets.

        Some runs of one image, with all gates open: no mask takes longer.  Settings are those of
        before afterwards; other threads wait until then.  Measure again where the memory is shared
        with more than before: what cannot be known is how slow it will be.

        Args:
            margin: share that is added to every way, from 0 on.

        Raises:
            InputError: the network has no exits, the engine has no cycle counter (the HLS engine),
                or the margin is no such share.
        """
        self._require_usable()
        known = list(self.bundle.exits.values())
        if not known:
            raise InputError(_NO_EXITS)
        share = number(margin)
        if not 0.0 <= share < float("inf"):
            what = f"must be a share from 0 on, not {shown(margin)}"
            raise InputError(Problem("margin", what, f"{MARGIN} is usual"))
        image = np.zeros((1, *self.bundle.shape), np.uint8)

        def run(limits: Mapping[int, int]) -> Ended:
            self._write_limits("cycles_limit", limits)
            result = self._run_all(image, None)[0]
            answered = self.bundle.exits.get(result.answer)
            at = len(self.bundle.layers) - 1 if answered is None else answered.instruction
            return Ended(at, result.counters["cycles"])

        with self._lock:
            gates = self.thresholds, self._strictness, self._mean_budget
            entropies, macs = self._exit_words(), self.hard_budget
            try:
                self.force_masks(dict.fromkeys(self.bundle.gates, True))
                self._write_exit_words(dict.fromkeys(entropies, exits.NEVER))
                self.set_hard_budget(None)
                bounds = measure_bounds([exit.instruction for exit in known], run, share)
            finally:
                self._write_thresholds(*gates)
                self._write_exit_words(entropies)
                self.set_hard_budget(macs)
                self._write_cycles(self._hard_budget_cycles)
            self._cycle_bounds = bounds
        return bounds

    def set_hard_budget_cycles(self, cycles: int | None) -> None:
        """Let no run take more than ``cycles``; None takes the budget away.

        Raises:
            InputError: as :meth:`measure_cycles` does; or the budget is no whole number, or less
                than :attr:`least_budget_cycles`.
        """
        self._require_usable()
        with self._lock:
            if cycles is not None:
                whole = isinstance(cycles, (int, np.integer)) and not isinstance(cycles, bool)
                least = self.least_budget_cycles
                if not whole or cycles < least:
                    raise InputError(
                        Problem(
                            "hard_budget_cycles",
                            f"is {cycles!r}, and the first answer may take {least:,} cycles",
                            "give that number or more, a whole number",
                        )
                    )
                cycles = int(cycles)
            self._write_cycles(cycles)
            self._hard_budget_cycles = cycles

    def _write_cycles(self, budget: int | None) -> None:
        """Write the limits of a budget, by the ways as they were measured last."""
        after = () if self._cycle_bounds is None else self._cycle_bounds.after
        limits = (
            {} if budget is None else {k: exits.limit(budget, way) for k, way in enumerate(after)}
        )
        self._write_limits("cycles_limit", limits)


_NO_EXITS = Problem(
    "hard_budget_cycles", "this network has no early exits", "use mean_budget for its gates"
)
