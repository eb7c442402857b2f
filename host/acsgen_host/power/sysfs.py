"""Sensors for which Linux has a driver: hwmon and the industrial I/O subsystem (iio).

hwmon counts microwatts, milliamperes and millivolts (Documentation/hwmon/sysfs-interface).  iio
gives raw values with scale and offset, in milliwatts, milliamperes and millivolts
(Documentation/ABI/testing/sysfs-bus-iio).
"""

from __future__ import annotations

import re
from pathlib import Path

from ..errors import PowerError, Problem
from .trace import SourceInfo

HWMON = Path("/sys/class/hwmon")
IIO = Path("/sys/bus/iio/devices")


class Hwmon:
    """A sensor of hwmon: ``powerN_input``, or ``currN_input`` times ``inN_input``."""

    def __init__(
        self,
        name: str,
        channel: int = 1,
        voltage_channel: int | None = None,
        scope: str = "",
        root: Path = HWMON,
    ) -> None:
        """Take the sensor of this name, or of this folder.

        Args:
            name: as the file ``name`` has it (``ina226_u76``), or the folder (``hwmon2``).
            channel: number of the power or the current.
            voltage_channel: number of the voltage; that of the bus of an INA2xx is 1, of which 0 is
                the shunt's.
            scope: what it measures; its label if empty.
            root: where the folders are.
        """
        self._folder = _find(root, "hwmon*", name)
        power = self._folder / f"power{channel}_input"
        current = self._folder / f"curr{channel}_input"
        volts = self._folder / f"in{1 if voltage_channel is None else voltage_channel}_input"
        if power.is_file():
            self._factors = [(power, 1e-6)]
        elif current.is_file() and volts.is_file():
            self._factors = [(current, 1e-3), (volts, 1e-3)]
        else:
            known = ", ".join(sorted(p.name for p in self._folder.glob("*_input"))) or "nothing"
            what = f"has no {power.name}, and not both {current.name} and {volts.name}"
            raise PowerError(Problem(str(self._folder), f"{what}; it has {known}", "see channel="))
        label = _text(self._folder / f"power{channel}_label")
        shunt = _text(self._folder / "shunt_resistor")
        self.info = SourceInfo(
            f"hwmon {_text(self._folder / 'name') or self._folder.name}",
            scope or label or "the sensor's rail",
            float(shunt) * 1e-6 if shunt.isdigit() else None,
        )

    def read(self) -> float:
        """Return the power in watts."""
        watts = 1.0
        for path, factor in self._factors:
            watts *= factor * _number(path)
        return watts

    def close(self) -> None:
        """Do nothing."""


class Iio:
    """A sensor of iio, as the driver ina2xx-adc makes it: power, or current times voltage."""

    def __init__(self, name: str, scope: str = "", root: Path = IIO) -> None:
        """Take the sensor of this name (``ina226``), or of this folder (``iio:device0``)."""
        self._folder = _find(root, "iio:device*", name)
        power = self._channels("power")
        current, volts = self._channels("current"), self._channels("voltage")
        if power:
            # Milliwatts.
            self._factors = [(power[-1], 1e-3)]
        elif current and volts:
            # The last voltage is the bus: the INA2xx has its shunt before it.
            self._factors = [(current[-1], 1e-3), (volts[-1], 1e-3)]
        else:
            known = ", ".join(sorted(p.name for p in self._folder.glob("in_*"))) or "nothing"
            what = f"has no power, and not both current and voltage; it has {known}"
            raise PowerError(Problem(str(self._folder), what, "take another sensor"))
        # The file has ohms.
        shunt = _text(self._folder / "in_shunt_resistor")
        self.info = SourceInfo(
            f"iio {_text(self._folder / 'name') or self._folder.name}",
            scope or "the sensor's rail",
            float(shunt) if re.fullmatch(r"[0-9.]+", shunt) else None,
        )

    def read(self) -> float:
        """Return the power in watts."""
        watts = 1.0
        for stem, factor in self._factors:
            raw = _number(self._folder / f"{stem}_raw")
            offset = _optional(self._folder / f"{stem}_offset", 0.0)
            watts *= factor * (raw + offset) * _optional(self._folder / f"{stem}_scale", 1.0)
        return watts

    def close(self) -> None:
        """Do nothing."""

    def _channels(self, kind: str) -> list[str]:
        names = (p.name[: -len("_raw")] for p in self._folder.glob(f"in_{kind}*_raw"))
        return sorted(names, key=lambda name: int(re.sub(r"\D", "", name) or 0))


def _find(root: Path, pattern: str, name: str) -> Path:
    folders = sorted(root.glob(pattern))
    named = [f for f in folders if name in (f.name, str(f), _text(f / "name"))]
    if len(named) == 1:
        return named[0]
    known = ", ".join(f"{f.name} ({_text(f / 'name') or 'no name'})" for f in folders) or "nothing"
    what = f"has {len(named) or 'no'} sensors named {name}; it has {known}"
    remedy = "name a folder" if named else "load the sensor's driver, or name another one"
    raise PowerError(Problem(str(root), what, remedy))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


def _number(path: Path) -> float:
    try:
        return float(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as error:
        raise PowerError(
            Problem(str(path), f"cannot be read: {error}", "look at the sensor and its driver")
        ) from error


def _optional(path: Path, default: float) -> float:
    return _number(path) if path.is_file() else default
