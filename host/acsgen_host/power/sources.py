"""Power sources by the words that a command takes: ``KIND:PLACE,option=value,...``."""

from __future__ import annotations

from typing import Any, Callable, NamedTuple

from ..arguments import shown
from ..errors import InputError, Problem
from .i2c import Ina
from .meters import Scpi, SerialMeter
from .rails import PynqRail
from .source import Source
from .sysfs import Hwmon, Iio

#: The shunt of the ZedBoard at J21.
ZEDBOARD_OHM = 0.01
ZEDBOARD_SCOPE = "the whole ZedBoard: its 12 V input at J21"

HELP = """\
rails:12V                     a rail of pynq.get_rails() (ZCU104, Ultra96)
hwmon:NAME,channel=1          a sensor of /sys/class/hwmon (KV260)
iio:NAME                      a sensor of /sys/bus/iio
ina226:bus=1,shunt=0.01       an INA226 on /dev/i2c-1, USB adapters too; also address=0x41
ina219:bus=1,shunt=0.1        an INA219
zedboard:bus=1                an INA226 at J21 of the ZedBoard, 10 mOhm; chip=ina219 for that one
scpi:HOST                     an instrument (query=MEAS:POW?); also /dev/usbtmc0, /dev/ttyUSB0
serial:/dev/ttyUSB0,baud=9600 a meter that sends lines with units, or fields=volts+amps
csv:FILE                      the file of a meter with a clock of its own (columns=time+volts+amps)
synthetic                     made up, for trying this without a sensor
Each takes scope=TEXT, the part of the board that is measured."""


class Spec(NamedTuple):
    """A power source as it was asked for: its kind, its place, and its options."""

    kind: str
    place: str
    options: dict[str, str]


def parse(text: Any) -> Spec:
    """Return a source as it was asked for.

    Raises :class:`InputError` for a kind or an option that is unknown.
    """
    if not isinstance(text, str):
        what = f"must be a text such as zedboard:bus=1, not {shown(text)}"
        raise InputError(Problem("power source", what, HELP))
    kind, _, rest = text.partition(":")
    parts = rest.split(",") if rest else []
    place = parts.pop(0) if parts and "=" not in parts[0] else ""
    options = {}
    for part in parts:
        name, equals, value = part.partition("=")
        if not equals or not value:
            raise InputError(Problem(text, f"{part!r} is no option", "write name=value"))
        if name in options:
            raise InputError(Problem(text, f"has {name}= twice", "give it once"))
        options[name] = value
    if kind not in _KNOWN:
        known = ", ".join(_KNOWN)
        raise InputError(Problem(text, f"{kind!r} is no power source", f"they are {known}"))
    unknown = [name for name in options if name not in (*_KNOWN[kind], "scope")]
    if unknown:
        known = ", ".join((*_KNOWN[kind], "scope"))
        what = f"{kind} has no option {unknown[0]}"
        raise InputError(Problem(text, what, f"its options are {known}"))
    if kind in _WITH_PLACE and not place:
        raise InputError(Problem(text, "has no place", f"see the form of {kind}:\n{HELP}"))
    return Spec(kind, place, options)


def open_source(spec: Spec) -> Source:
    """Return the sensor of a kind that shares the driver's clock.

    Raises:
        InputError: an option is wrong, or the kind has no sensor that is read while images run.
        PowerError: there is no such sensor.
    """
    if spec.kind not in _MAKERS:
        remedy = "python -m acsgen_host measure-power takes it"
        what = "is no sensor that is read while images run"
        raise InputError(Problem(f"power source {spec.kind}", what, remedy))
    return _MAKERS[spec.kind](spec)


#: Options by kind.
_KNOWN: dict[str, tuple[str, ...]] = {
    "rails": (),
    "hwmon": ("channel", "voltage"),
    "iio": (),
    "ina219": ("bus", "address", "shunt"),
    "ina226": ("bus", "address", "shunt"),
    "zedboard": ("bus", "address", "shunt", "chip"),
    "scpi": ("query", "baud"),
    "serial": ("fields", "baud"),
    "csv": ("columns",),
    "synthetic": (),
}
_WITH_PLACE = ("rails", "hwmon", "iio", "scpi", "serial", "csv")


def _whole(spec: Spec, name: str, default: int | None = None) -> int:
    text = spec.options.get(name)
    if text is None and default is not None:
        return default
    try:
        return int(text or "", 0)
    except ValueError:
        raise _wrong(spec, name, text, "a whole number") from None


def _positive(spec: Spec, name: str, default: float | None = None) -> float:
    text = spec.options.get(name)
    if text is None and default is not None:
        return default
    try:
        value = float(text or "")
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise _wrong(spec, name, text, "a number above 0")
    return value


def _wrong(spec: Spec, name: str, text: str | None, wanted: str) -> InputError:
    what = f"has no {name}=" if text is None else f"{name}={text} is not {wanted}"
    return InputError(Problem(spec.kind, what, f"pass {name}={wanted.split()[0]} ...:\n{HELP}"))


def _scope(spec: Spec, default: str = "") -> str:
    return spec.options.get("scope", default)


def _ina(spec: Spec, chip: str, shunt: float | None, scope: str) -> Source:
    if chip not in ("ina219", "ina226"):
        raise _wrong(spec, "chip", chip, "ina219 or ina226")
    bus, ohm = _whole(spec, "bus"), _positive(spec, "shunt", shunt)
    return Ina(chip, bus, ohm, _whole(spec, "address", 0x40), _scope(spec, scope))


def _zedboard(spec: Spec) -> Source:
    return _ina(spec, spec.options.get("chip", "ina226"), ZEDBOARD_OHM, ZEDBOARD_SCOPE)


def _hwmon(spec: Spec) -> Source:
    voltage = _whole(spec, "voltage", -1)
    given = None if voltage < 0 else voltage
    return Hwmon(spec.place, _whole(spec, "channel", 1), given, _scope(spec))


def _scpi(spec: Spec) -> Source:
    query = spec.options.get("query", "MEAS:POW?")
    return Scpi(spec.place, query, _scope(spec), _whole(spec, "baud", 115200))


def _serial(spec: Spec) -> Source:
    fields = [name for name in spec.options.get("fields", "").split("+") if name]
    return SerialMeter(spec.place, fields, _whole(spec, "baud", 115200), _scope(spec))


_MAKERS: dict[str, Callable[[Spec], Source]] = {
    "rails": lambda spec: PynqRail(spec.place, _scope(spec)),
    "hwmon": _hwmon,
    "iio": lambda spec: Iio(spec.place, _scope(spec)),
    "ina219": lambda spec: _ina(spec, "ina219", None, ""),
    "ina226": lambda spec: _ina(spec, "ina226", None, ""),
    "zedboard": _zedboard,
    "scpi": _scpi,
    "serial": _serial,
}
