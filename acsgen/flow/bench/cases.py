"""The cases: every shipped gated network dense, with its own masks, and with drawn masks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from acsgen.support.errors import Problem, UserError

#: Shipped models by the short name that cases have.
NETWORKS = {"resnet8": "resnet8-acs-digits32", "resnet38": "resnet38-acs-digits32"}

#: Images of a case with the network's own masks; those of drawn masks do not depend on the image.
NATURAL_IMAGES = {"resnet8": 8, "resnet38": 2}

#: Cases that others are compared with: without gates, and with gates that skip nothing.
REFERENCES = ("dense", "open")

#: Shares of the dense network's MACs that drawn masks save, in percent.
SAVED_PERCENT = (40, 50, 60, 70, 80)


@dataclass(frozen=True)
class Case:
    """One measurement.

    Attributes:
        network: key of :data:`NETWORKS`.
        masks: ``dense`` for the network without its gates, ``open`` for gates that keep every
            channel, ``own`` for their decisions on real images, ``drawn`` for random masks. With
            ``own`` masks runs may end at exits by entropy, with others they do not.
        saved_percent: of drawn masks, the share of the dense network's MACs that they save.
    """

    network: str
    masks: str
    saved_percent: int | None = None

    @property
    def name(self) -> str:
        """The case's name in ``--only`` and in the baseline, for example ``resnet8/saved-40``."""
        masks = self.masks if self.saved_percent is None else f"saved-{self.saved_percent}"
        return f"{self.network}/{masks}"


CASES = tuple(
    case
    for network in NETWORKS
    for case in (
        Case(network, "dense"),
        Case(network, "open"),
        Case(network, "own"),
        *(Case(network, "drawn", percent) for percent in SAVED_PERCENT),
    )
)


def chosen_cases(only: Sequence[str] = ()) -> tuple[Case, ...]:
    """Return the cases that ``only`` names; all of them if it is empty.

    Each entry is a network (``resnet8``), a case (``resnet8/dense``) or a pattern (``*/dense``).

    Raises:
        UserError: entries that name nothing.
    """
    unknown = [word for word in only if not any(_named(case, word) for case in CASES)]
    if unknown:
        raise UserError(
            [
                Problem(
                    f"--only {word}",
                    "names no benchmark",
                    f"they are {', '.join(case.name for case in CASES)}",
                )
                for word in unknown
            ]
        )
    return tuple(case for case in CASES if not only or any(_named(case, word) for word in only))


def _named(case: Case, word: str) -> bool:
    return word == case.network or fnmatchcase(case.name, word)
