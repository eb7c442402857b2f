"""The rails of boards whose regulators tell their power over PMBus, through pynq."""

from __future__ import annotations

from typing import Any

from ..errors import PowerError, Problem
from .trace import SourceInfo


class PynqRail:
    """A rail of ``pynq.get_rails()``, such as 12V of the ZCU104 or the Ultra96."""

    def __init__(self, name: str, scope: str = "", rails: Any = None) -> None:
        """Take a rail by its name; ``rails`` are those of pynq if None."""
        if rails is None:
            try:
                import pynq

                rails = pynq.get_rails()
            except (ImportError, OSError, RuntimeError, ValueError) as error:
                remedy = "run this on a board with pynq and libsensors, or take another source"
                raise PowerError(Problem("pynq", f"gives no rails: {error}", remedy)) from error
        if name not in rails:
            known = ", ".join(sorted(rails)) or "none"
            raise PowerError(Problem("pynq", f"has no rail {name}; it has {known}", "name one"))
        rail = rails[name]
        self._power = getattr(rail, "power", None)
        self._both = getattr(rail, "voltage", None), getattr(rail, "current", None)
        if self._power is None and None in self._both:
            has = "a voltage alone" if self._both[0] is not None else "no sensor"
            what = f"the rail {name} has {has}"
            remedy = "the image lacks the driver of its current sensor; take an external meter"
            raise PowerError(Problem("pynq", what, remedy))
        self.info = SourceInfo(f"pynq rail {name}", scope or f"the rail {name} of the board")

    def read(self) -> float:
        """Return the power in watts."""
        try:
            if self._power is not None:
                return float(self._power.value)
            volts, amperes = self._both
            return float(volts.value) * float(amperes.value)  # type: ignore[union-attr]
        except (OSError, RuntimeError, TypeError, ValueError) as error:
            raise PowerError(
                Problem(self.info.source, f"cannot be read: {error}", "look at the board's image")
            ) from error

    def close(self) -> None:
        """Do nothing."""
