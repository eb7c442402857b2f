"""The energy model of DDI (equation 6): accesses by level of memory, and MACs, each at its cost.

    E = sum over i of accesses_i * e_i  +  MACs * e_MAC

The counts are the engine's own counters.  The costs are unknown until they are fitted to
measurements: without them the model speaks in MAC energies, with ratios from the literature, and
everything that it says is called a model.
"""

from __future__ import annotations

import itertools
from typing import Any, Mapping, NamedTuple, Sequence

import numpy as np

from .. import isa
from ..errors import InputError, Problem

#: Pixels of one vector that the feature memory gives, one byte each; an iteration reads two.
VECTOR_BYTES = 64
VECTORS = 2

#: The terms, in the order of the costs.
TERMS = ("macs", "onchip_bytes", "ddr_bytes")

#: What each term stands for.
MEANING = {
    "macs": "multiply-accumulates, register accesses included: there is a fixed number for each",
    "onchip_bytes": "bytes of feature memory and weights: two vectors of 64 pixels and one weight "
    "for each lane group in every iteration of the array",
    "ddr_bytes": "bytes read from DDR and written to it, counted by the engine",
}

#: Eyeriss (Chen, Emer, Sze, ISCA 2016, figure 9), of 16-bit accesses in 65 nm: buffer 6, DRAM 200
#: times a MAC.  Half of that for a byte.
LITERATURE = {"macs": 1.0, "onchip_bytes": 3.0, "ddr_bytes": 100.0}

ASSUMPTIONS = (
    "a model, not a measurement: no joule in it was measured",
    "unit: the energy of one MAC",
    "ratios of a 65 nm chip with 16-bit data (Eyeriss, ISCA 2016), an FPGA with 8 bits has others",
    "no static power, no clock tree, no processors",
)


class EnergyModel(NamedTuple):
    """Costs of the terms.

    Attributes:
        costs: by term, in ``unit`` for one.
        unit: ``MAC`` for MAC energies, ``J`` once it is fitted.
        fitted_to: how many points it is fitted to; 0 for none.
        residual: root mean square of the relative errors at these points.
        assumptions: what it takes for granted, in words.
        synthetic: whether these points were made up.
    """

    costs: dict[str, float]
    unit: str = "MAC"
    fitted_to: int = 0
    residual: float = 0.0
    assumptions: tuple[str, ...] = ASSUMPTIONS
    synthetic: bool = False

    @property
    def kind(self) -> str:
        """What a figure of it may be called."""
        points = "synthetic" if self.synthetic else "measured"
        return f"model fitted to {self.fitted_to} {points} points" if self.fitted_to else "model"

    def energy(self, counts: Mapping[str, float]) -> float:
        """Return the energy of an image from its counts (see :func:`counts_of`)."""
        return float(sum(self.costs[term] * counts[term] for term in TERMS))

    def parts(self, counts: Mapping[str, float]) -> dict[str, float]:
        """Return what each term contributes."""
        return {term: float(self.costs[term] * counts[term]) for term in TERMS}

    def to_json(self) -> dict[str, Any]:
        """Return the model for a JSON file."""
        return {
            "kind": self.kind,
            "unit": self.unit,
            "costs": self.costs,
            "meaning": MEANING,
            "fitted_to": self.fitted_to,
            "residual": self.residual,
            "assumptions": list(self.assumptions),
        }


def literature_model() -> EnergyModel:
    """Return the model before anything is measured."""
    return EnergyModel(dict(LITERATURE))


def counts_of(counters: Mapping[str, float], lane_groups: int) -> dict[str, float]:
    """Return the counts of the model's terms from the engine's counters of an image."""
    iteration = VECTORS * VECTOR_BYTES + lane_groups
    words = counters["read_words"] + counters["written_words"]
    return {
        "macs": float(counters["macs_executed"]),
        "onchip_bytes": float(counters["array_iterations"] * iteration),
        "ddr_bytes": float(words * isa.WORD_BYTES),
    }


def fit(
    counts: Sequence[Mapping[str, float]], joules: Sequence[float], synthetic: bool = False
) -> EnergyModel:
    """Return the model whose costs explain measured energies best, none of them negative.

    Args:
        counts: of the points, as :func:`counts_of` gives them.
        joules: idle-subtracted energy of an image at each point, measured.
        synthetic: whether these were made up, which the model then says.

    Least squares of the relative errors.  Costs that the points cannot tell apart, because their
    counts rise and fall together, come out as one of them with the others zero.

    Raises :class:`InputError` for no points, or other numbers of counts and energies.
    """
    if not len(counts) or len(counts) != len(joules) or min(joules) <= 0:
        raise InputError(
            Problem(
                "energy model",
                f"{len(counts)} counts and {len(joules)} energies, or one that is not above 0",
                "pass measured points with a resolved energy",
            )
        )
    table = np.array([[point[term] for term in TERMS] for point in counts], np.float64)
    measured = np.asarray(joules, np.float64)
    costs = non_negative_least_squares(table / measured[:, None], np.ones(len(measured)))
    error = table @ costs / measured - 1
    assumptions: tuple[str, ...] = (
        f"fitted to {len(counts)} points, idle power subtracted",
        "holds for the board, the clock and the voltage that were measured, and between the points",
    )
    if len(counts) < len(TERMS) or np.linalg.matrix_rank(table / table.max(axis=0)) < len(TERMS):
        more = "the points do not tell the three costs apart: take their sum, not single ones"
        assumptions += (more,)
    return EnergyModel(
        dict(zip(TERMS, costs.tolist())),
        "J",
        len(counts),
        float(np.sqrt(np.mean(error**2))),
        assumptions,
        synthetic,
    )


def non_negative_least_squares(table: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return x >= 0 ``(columns,)`` that makes ``table @ x`` closest to ``wanted``.

    Every set of columns is tried, which is exact, and quick for the few that a model has.
    """
    scale = np.maximum(np.abs(table).max(axis=0), 1e-300)
    best, least = np.zeros(table.shape[1]), float(np.sum(wanted**2))
    for size in range(1, table.shape[1] + 1):
        for chosen in itertools.combinations(range(table.shape[1]), size):
            columns = list(chosen)
            found = np.linalg.lstsq(table[:, columns] / scale[columns], wanted, rcond=None)[0]
            if np.any(found < 0):
                continue
            error = float(np.sum((table[:, columns] / scale[columns] @ found - wanted) ** 2))
            if error < least * (1 - 1e-12):
                best, least = np.zeros(table.shape[1]), error
                best[columns] = found / scale[columns]
    return best
