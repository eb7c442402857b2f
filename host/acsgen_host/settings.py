"""The knobs of an accelerator: thresholds of its gates, strictness, masks, mean budget.

They take effect at the next run; only the words of the thresholds are written.
"""

from __future__ import annotations

from typing import Any, Mapping, Sequence

import numpy as np

from . import thresholds
from .arguments import listed, shown
from .budget import BudgetPoint, BudgetProfile
from .errors import InputError, Problem
from .exit_settings import ExitSettings
from .jsontext import without_noise
from .result import Result, check_images, check_labels

#: Strictness of the points that :meth:`Settings.measure_budget` measures.
STRICTNESS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)

#: The strictness at which the gates are as trained.
AS_TRAINED = 0.5


class Settings(ExitSettings):
    """The part of :class:`~acsgen_host.accelerator.Accelerator` that sets gates."""

    _strictness: float | None
    _mean_budget: float | None

    def _run_all(self, images: np.ndarray, timeout: float | None) -> list[Result]:
        raise NotImplementedError

    @property
    def thresholds(self) -> dict[str, np.ndarray]:
        """The thresholds in force, int32 ``(channels,)`` by gate name.

        Assigning is :meth:`set_thresholds`.
        """
        self._require_usable()
        with self._lock:
            words, gates = self._buffer("params").words, self.bundle.gates
            return {name: thresholds.unpack(gate, words) for name, gate in gates.items()}

    @thresholds.setter
    def thresholds(self, settings: float | Mapping[str, Any]) -> None:
        self.set_thresholds(settings)

    @property
    def strictness(self) -> float | None:
        """The strictness in force; None where gates are set otherwise.

        Assigning is :meth:`set_strictness`.
        """
        return self._strictness

    @strictness.setter
    def strictness(self, value: float) -> None:
        self.set_strictness(value)

    @property
    def mean_budget(self) -> float | None:
        """The mean MACs an image that :meth:`set_budget` was asked to keep; None without a budget.

        Assigning is :meth:`set_budget`; None sets the gates as trained.  It is a mean, and no limit
        for one image; :attr:`hard_budget` is that, of a network with early exits.
        """
        return self._mean_budget

    @mean_budget.setter
    def mean_budget(self, macs: float | None) -> None:
        if macs is None:
            self.reset_thresholds()
        else:
            self.set_budget(macs)

    def set_thresholds(self, settings: float | Mapping[str, Any]) -> None:
        """Set an alpha within [0, 1] for all gates, or alphas or int32 arrays by gate name.

        Gates that are not named keep their thresholds.  Nothing changes if a setting is wrong:
        raises :class:`InputError` with all of them.
        """
        self._write_thresholds(thresholds.resolve(self.bundle.gates, settings))

    def set_strictness(self, strictness: float) -> None:
        """Shift all gates alike: 0 opens them, 0.5 is as trained, 1 closes them."""
        value = thresholds.share(strictness, "strictness", "it")
        gates = self.bundle.gates.values()
        self._write_thresholds({g.name: thresholds.from_strictness(g, value) for g in gates}, value)

    def force_masks(self, masks: Mapping[str, Any]) -> None:
        """Give the named gates a fixed mask, booleans ``(channels,)`` or one for all channels."""
        gates = self.bundle.gates
        thresholds.check_names(gates, masks)
        forced = {name: thresholds.forced(gates[name], mask) for name, mask in masks.items()}
        self._write_thresholds(forced)

    def reset_thresholds(self) -> None:
        """Set all gates as trained."""
        gates, params = self.bundle.gates.items(), self.bundle.params
        trained = {name: thresholds.unpack(gate, params) for name, gate in gates}
        self._write_thresholds(trained, AS_TRAINED)

    def set_budget(self, macs: float, profile: BudgetProfile | None = None) -> BudgetPoint:
        """Choose the least strictness whose *mean* work is within ``macs`` an image; set it.

        The mean is over the images of ``profile``, by default the one kept in the bundle.  It says
        nothing of a single image.

        Raises :class:`InputError` where no strictness saves enough, or there is no profile.
        """
        chosen: Any = self.bundle.budget if profile is None else profile
        if not isinstance(chosen, (BudgetProfile, type(None))):
            what = f"the profile must be a BudgetProfile, not {shown(chosen)}"
            raise InputError(Problem("budget", what, "pass what measure_budget returned"))
        if chosen is None:
            raise InputError(
                Problem(
                    "budget",
                    "this bundle has no measured profile",
                    "make one with measure_budget on images of your own",
                )
            )
        point = chosen.choose(macs)
        self._require_usable()
        with self._lock:
            self.set_strictness(point.strictness)
            self._mean_budget = float(macs)
        return point

    def measure_budget(
        self,
        images: Any,
        labels: Any = None,
        strictness: Sequence[float] = STRICTNESS,
    ) -> BudgetProfile:
        """Measure a profile for :meth:`set_budget` by the engine's own counters.

        Args:
            images: uint8 ``[N, C, H, W]``, at least one.
            labels: their classes ``[N]``, integers from 0, if the accuracy is wanted too.
            strictness: the values to try, each within [0, 1].

        The thresholds of before are restored afterwards; other threads wait until then.
        """
        pixels = check_images(images, self.bundle)
        series = listed(strictness)
        tried = series if isinstance(series, (list, tuple)) else np.ravel(series)
        values = sorted({thresholds.share(value, "strictness", "it") for value in tried})
        if not values or not len(pixels):
            what = "there are no images" if values else "there is no strictness to try"
            raise InputError(Problem("budget", what, "pass at least one"))
        classes = None if labels is None else check_labels(labels, len(pixels), self.bundle)
        points = []
        self._require_usable()
        with self._lock:
            before = self.thresholds, self._strictness, self._mean_budget
            try:
                for value in values:
                    self.set_strictness(value)
                    points.append(_point(value, self._run_all(pixels, None), classes))
            finally:
                self._write_thresholds(*before)
        return BudgetProfile(len(pixels), "counted by the engine", tuple(points))

    def _write_thresholds(
        self,
        values: Mapping[str, np.ndarray],
        strictness: float | None = None,
        mean_budget: float | None = None,
    ) -> None:
        """Write the words of these thresholds, and no others, and flush them."""
        self._require_usable()
        with self._lock:
            params = self._buffer("params")
            for name, integers in values.items():
                gate = self.bundle.gates[name]
                start, words = gate.threshold_address, thresholds.pack_gate(gate, integers)
                params.words[start : start + len(words)] = words
                params.flush(start, len(words))
            self._strictness, self._mean_budget = strictness, mean_budget


def _point(strictness: float, results: Sequence[Result], classes: np.ndarray | None) -> BudgetPoint:
    macs = [result.counters["macs_executed"] for result in results]
    right = None
    if classes is not None:
        right = float(np.mean(classes == [result.prediction for result in results]))
    # As a file keeps it, so that what is chosen now is chosen again from the file.
    mean = without_noise(float(np.mean(macs)))
    return BudgetPoint(float(strictness), mean, max(macs), without_noise(right))
