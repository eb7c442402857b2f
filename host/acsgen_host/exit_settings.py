"""The knobs of early exits: entropies, and a hard budget.

They take effect at the next run; only the words that say so are written.
"""

from __future__ import annotations

import threading
from typing import Any, Mapping

import numpy as np

from . import exits, thresholds
from .arguments import number
from .backend import Buffer
from .bundle import Bundle
from .errors import InputError, Problem


class ExitSettings:
    """The part of :class:`~acsgen_host.accelerator.Accelerator` that sets early exits."""

    bundle: Bundle
    _lock: threading.RLock
    _hard_budget: int | None

    def _buffer(self, name: str) -> Buffer:
        raise NotImplementedError

    def _require_usable(self) -> None:
        raise NotImplementedError

    @property
    def exit_entropy(self) -> dict[str, float]:
        """The entropies in nats below which runs end, by the output that is then the answer.

        Exits that a budget alone takes are not there. Assigning is :meth:`set_exit_entropy`.
        """
        self._require_usable()
        found: dict[str, float] = {}
        with self._lock:
            stored = self._exit_words()
            for output, exit in self.bundle.exits.items():
                if exit.acc_scale:
                    integer = stored[exit.threshold_address]
                    found[output] = exits.entropy_of(integer, exit.acc_scale)
        return found

    @exit_entropy.setter
    def exit_entropy(self, settings: float | Mapping[str, Any] | None) -> None:
        self.set_exit_entropy(settings)

    def set_exit_entropy(self, settings: float | Mapping[str, Any] | None) -> None:
        """End runs where the entropy of an answer is below so many nats: 0 never, infinity always.

        Args:
            settings: one entropy for all exits, or entropies by the output that answers there;
                exits that are not named keep theirs. None sets all as built.

        Raises:
            InputError: with every setting that is wrong; nothing changes then.
        """
        self._require_usable()
        known = {name: exit for name, exit in self.bundle.exits.items() if exit.acc_scale}
        if settings is None:
            settings = {name: exit.threshold for name, exit in known.items()}
        if not isinstance(settings, Mapping):
            if not known:
                raise InputError(_unknown("exit_entropy", known))
            settings = dict.fromkeys(known, settings)
        problems, words = [], {}
        for name, value in settings.items():
            if name not in known:
                problems.append(_unknown(str(name), known))
                continue
            try:
                words[name] = exits.entropy_threshold(number(value), known[name].acc_scale)
            except ValueError:
                what = f"an entropy is a number of nats from 0 on, not {value!r}"
                problems.append(Problem(str(name), what, "0.5 is usual"))
        if problems:
            raise InputError(problems)
        with self._lock:
            at = {known[name].threshold_address: found for name, found in words.items()}
            self._write_exit_words({address: int(found[0]) for address, found in at.items()})

    def _exit_words(self) -> dict[int, int]:
        """The integer thresholds of exits by entropy, by their word of the parameters."""
        words = self._buffer("params").words
        places = [exit.threshold_address for exit in self.bundle.exits.values() if exit.acc_scale]
        return {at: thresholds.unpack_one(words, at) for at in places}

    def _write_exit_words(self, values: Mapping[int, int]) -> None:
        params = self._buffer("params")
        for at, value in values.items():
            params.words[at : at + 1] = thresholds.pack(np.full(1, value, np.int32))
            params.flush(at, 1)

    @property
    def hard_budget(self) -> int | None:
        """The most MACs that a run executes; None without a budget.

        At every exit the engine compares its own counter with what the budget leaves for the way to
        the next one, at its most; a run that might not get there ends with the answer that it has.
        Assigning is :meth:`set_hard_budget`.
        """
        return self._hard_budget

    @hard_budget.setter
    def hard_budget(self, macs: int | None) -> None:
        self.set_hard_budget(macs)

    @property
    def least_budget(self) -> int:
        """The least hard budget: the most MACs that a run takes to its first answer."""
        return next((exit.macs_before for exit in self.bundle.exits.values()), 0)

    def set_hard_budget(self, macs: int | None) -> None:
        """Let no run execute more than ``macs`` multiply-accumulates; None takes the budget away.

        Raises:
            InputError: the network has no exits; the budget is no whole number, or less than
                :attr:`least_budget`.
        """
        self._require_usable()
        known = self.bundle.exits
        if macs is not None:
            whole = isinstance(macs, (int, np.integer)) and not isinstance(macs, bool)
            if not known:
                what, todo = "this network has no early exits", "use mean_budget for its gates"
                raise InputError(Problem("hard_budget", what, todo))
            if not whole or macs < self.least_budget:
                raise InputError(
                    Problem(
                        "hard_budget",
                        f"is {macs!r}, and the first answer may take {self.least_budget:,} MACs",
                        "give that number or more, a whole number",
                    )
                )
            macs = int(macs)
        with self._lock:
            ways = [exit.macs_after for exit in known.values()]
            limits = (
                {} if macs is None else {k: exits.limit(macs, way) for k, way in enumerate(ways)}
            )
            self._write_limits("macs_limit", limits)
            self._hard_budget = macs

    def _write_limits(self, name: str, limits: Mapping[int, int]) -> None:
        """Write one kind of limit into every exit, by its number; those not named have none."""
        program = self._buffer("program")
        for place, exit in enumerate(self.bundle.exits.values()):
            limit = limits.get(place, exits.NO_LIMIT)
            at = exits.write_limit(program.words, exit.instruction, name, limit)
            program.flush(at, 1)


def _unknown(name: str, known: Mapping[str, Any]) -> Problem:
    listed = "the answers with one are " + ", ".join(known) if known else "this network has none"
    return Problem(name, "is no answer with an exit by entropy", listed)
