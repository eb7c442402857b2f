"""External meters: SCPI over the network, USB (usbtmc) or serial, and meters that send lines.

SCPI instruments answer a query (``MEAS:POW?`` unless another is given) with a number.  Others write
a line for every sample, with units (``12.01 V 0.412 A``) or as fields whose meaning is given.
"""

from __future__ import annotations

import os
import re
import select
import socket
import termios
import time
from typing import Sequence

from ..errors import InputError, PowerError, Problem
from .trace import SourceInfo

SCPI_PORT = 5025

#: Seconds to wait for an answer.
ANSWER_SECONDS = 2.0

NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"

#: Volts, amperes and watts of one unit.
UNITS = {
    "V": ("volts", 1.0),
    "mV": ("volts", 1e-3),
    "A": ("amps", 1.0),
    "mA": ("amps", 1e-3),
    "uA": ("amps", 1e-6),
    "W": ("watts", 1.0),
    "mW": ("watts", 1e-3),
}

FIELDS = ("volts", "amps", "watts", "skip")


class Line:
    """A connection that carries lines of text: a TCP socket, a serial line, or a device file."""

    def __init__(self, place: str, baud: int = 115200) -> None:
        """Open ``HOST:PORT``, or the path of a device file.

        Raises :class:`PowerError` where that fails.
        """
        self.place = place
        self._rest = b""
        self._socket: socket.socket | None = None
        try:
            if place.startswith("/"):
                # A serial line must not become the terminal of this process.
                self._file = os.open(place, os.O_RDWR | os.O_NOCTTY)
                if os.isatty(self._file):
                    _raw(self._file, baud)
            else:
                host, _, port = place.partition(":")
                address = (host, int(port or SCPI_PORT))
                self._socket = socket.create_connection(address, ANSWER_SECONDS)
                self._file = self._socket.fileno()
        except (OSError, ValueError, termios.error) as error:
            reason = getattr(error, "strerror", None) or str(error)
            remedy = "look at the address or the device file, and at its permissions"
            raise PowerError(Problem(place, f"cannot be opened: {reason}", remedy)) from error
        # Of usbtmc each read is a transfer of its own, and select does not know of it.
        self._selects = "usbtmc" not in place

    def write(self, text: str) -> None:
        """Send a line."""
        try:
            os.write(self._file, text.encode("ascii") + b"\n")
        except OSError as error:
            raise self._gone(error.strerror or str(error)) from error

    def read(self, seconds: float = ANSWER_SECONDS) -> str:
        """Return the next line, without its end.

        Raises :class:`PowerError` if none comes in time.
        """
        until = time.monotonic() + seconds
        while b"\n" not in self._rest:
            left = until - time.monotonic()
            if self._selects and (left <= 0 or not select.select([self._file], [], [], left)[0]):
                raise self._gone(f"sent no line for {seconds:g} s")
            try:
                found = os.read(self._file, 4096)
            except OSError as error:
                raise self._gone(error.strerror or str(error)) from error
            if not found:
                raise self._gone("closed the connection")
            self._rest += found
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode("ascii", "replace").strip()

    def newest(self) -> str:
        """Return the last whole line that is there, or the next one if none is."""
        while self._selects and select.select([self._file], [], [], 0)[0]:
            try:
                found = os.read(self._file, 4096)
            except OSError as error:
                raise self._gone(error.strerror or str(error)) from error
            if not found:
                break
            self._rest += found
        whole, end, rest = self._rest.rpartition(b"\n")
        if end:
            self._rest = whole.rpartition(b"\n")[2] + b"\n" + rest
        return self.read()

    def close(self) -> None:
        """Close the connection."""
        if self._socket is not None:
            self._socket.close()
        else:
            os.close(self._file)

    def _gone(self, what: str) -> PowerError:
        return PowerError(Problem(self.place, what, "look at the cable, and at baud= and query="))


class Scpi:
    """An instrument that answers queries."""

    def __init__(
        self, place: str, query: str = "MEAS:POW?", scope: str = "", baud: int = 115200
    ) -> None:
        """Connect.

        Args:
            place: ``HOST`` or ``HOST:PORT``, ``/dev/usbtmc0``, or a serial line.
            query: the question for watts; two separated by ``;`` for volts and amperes.
            scope: what it measures.
            baud: of a serial line.
        """
        self._queries = [part.strip() for part in query.split(";") if part.strip()]
        if len(self._queries) not in (1, 2):
            what = f"is {query!r}"
            raise InputError(Problem("query", what, "give one for watts, or volts; amperes"))
        self._line = Line(place, baud)
        name = self._ask("*IDN?")
        self.info = SourceInfo(f"SCPI {place}: {name}", scope or "what the instrument measures")

    def read(self) -> float:
        """Return the power in watts."""
        watts = 1.0
        for query in self._queries:
            answer = self._ask(query)
            found = re.match(NUMBER, answer)
            if found is None:
                what = f"answers {answer!r} to {query}"
                raise PowerError(Problem(self._line.place, what, "see query="))
            watts *= float(found.group())
        return watts

    def close(self) -> None:
        """Close the connection."""
        self._line.close()

    def _ask(self, query: str) -> str:
        self._line.write(query)
        return self._line.read()


class SerialMeter:
    """A meter that writes a line for every sample."""

    def __init__(
        self, place: str, fields: Sequence[str] = (), baud: int = 115200, scope: str = ""
    ) -> None:
        """Open the line.

        Args:
            place: the serial line, or ``HOST:PORT``.
            fields: the meaning of the numbers of a line: volts, amps, watts or skip; empty where
                the numbers have units.
            baud: of a serial line.
            scope: what it measures.
        """
        wrong = [field for field in fields if field not in FIELDS]
        if wrong:
            known = ", ".join(FIELDS)
            raise InputError(Problem("fields", f"{wrong[0]!r} is unknown", f"they are {known}"))
        self._fields = tuple(fields)
        self._line = Line(place, baud)
        self.info = SourceInfo(f"serial meter {place}", scope or "what the meter measures")

    def read(self) -> float:
        """Return the power in watts, from the newest line."""
        line = self._line.newest()
        watts = watts_of(line, self._fields)
        if watts is None:
            what = f"sends {line!r}, which is no power, and not both volts and amperes"
            raise PowerError(Problem(self._line.place, what, "see fields= and baud="))
        return watts

    def close(self) -> None:
        """Close the line."""
        self._line.close()


def watts_of(line: str, fields: Sequence[str] = ()) -> float | None:
    """Return the watts that a line tells, or None if it tells none."""
    found = {}
    if fields:
        numbers = re.findall(NUMBER, line)
        if len(numbers) < len(fields):
            return None
        found = {name: float(text) for name, text in zip(fields, numbers) if name != "skip"}
    else:
        for number, unit in re.findall(rf"({NUMBER})\s*(mV|mA|uA|mW|V|A|W)\b", line):
            name, factor = UNITS[unit]
            found[name] = factor * float(number)
    if "watts" in found:
        return found["watts"]
    if "volts" in found and "amps" in found:
        return found["volts"] * found["amps"]
    return None


def _raw(file: int, baud: int) -> None:
    """Let a serial line pass bytes as they come, 8 bits without parity."""
    speed = getattr(termios, f"B{baud}", None)
    if speed is None:
        raise ValueError(f"{baud} baud is no speed of a serial line")
    settings = termios.tcgetattr(file)
    control = termios.CS8 | termios.CREAD | termios.CLOCAL
    characters = settings[6]
    characters[termios.VMIN], characters[termios.VTIME] = 1, 0
    # What the meter sends must not come back to it as an echo.
    settings[:6] = [0, 0, control, 0, speed, speed]
    termios.tcsetattr(file, termios.TCSANOW, settings)
