"""What the front end's rewrite passes did to a network, for people and for ``report.json``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rewrite:
    """One rewrite pass that changed the network.

    Attributes:
        name: of the pass.
        does: what it accepts and what it makes of that, in words.
        places: the modules (or lines of source) whose operations it replaced.
    """

    name: str
    does: str
    places: tuple[str, ...]
