"""INA219 and INA226 on an I2C bus of Linux, USB adapters included: both come as /dev/i2c-N.

The sensor measures the voltage over a shunt and that of the bus; current and power are computed
here, so that its own calibration register is not used.  Registers and steps are those of the data
sheets (TI SBOS448G for the INA219, SBOS547B for the INA226).
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from typing import NamedTuple

from ..errors import PowerError, Problem
from .trace import SourceInfo

#: The ioctl of <linux/i2c-dev.h> that chooses the address of the next reads and writes.
I2C_SLAVE = 0x0703

CONFIGURATION, SHUNT, BUS = 0x00, 0x01, 0x02

#: Seconds that a sensor takes for its first pair of voltages.
FIRST_CONVERSION = 0.05


class Chip(NamedTuple):
    """A kind of sensor.

    Attributes:
        configuration: written at the start: both voltages, continuously, without averaging.
        shunt_step: volts of one unit of the shunt's register.
        shunt_limit: volts over the shunt at which it saturates.
        bus_step: volts of one unit of the bus register.
        bus_shift: bits below that unit.
        ids: contents of registers that tell the chip.
    """

    configuration: int
    shunt_step: float
    shunt_limit: float
    bus_step: float
    bus_shift: int
    ids: tuple[tuple[int, int], ...]


CHIPS = {
    # 32 V, 40 mV either way, 12 bits (532 us each).
    "ina219": Chip(0x219F, 10e-6, 40e-3, 4e-3, 3, ()),
    # 1.1 ms each, one sample.
    "ina226": Chip(0x4127, 2.5e-6, 81.92e-3, 1.25e-3, 0, ((0xFE, 0x5449), (0xFF, 0x2260))),
}


class Ina:
    """An INA219 or INA226."""

    def __init__(
        self,
        chip: str,
        bus: int,
        shunt_ohm: float,
        address: int = 0x40,
        scope: str = "",
        folder: Path = Path("/dev"),
    ) -> None:
        """Configure the sensor.

        Args:
            chip: ``ina219`` or ``ina226``.
            bus: number of the bus; ``i2cdetect -l`` lists them.
            shunt_ohm: the resistor between its inputs.
            address: 7 bits, as its pins A0 and A1 set it.
            scope: what flows through the shunt.
            folder: of the device files.

        Raises :class:`PowerError` where there is no such bus or sensor.
        """
        self._chip = CHIPS[chip]
        self._shunt_ohm = shunt_ohm
        self._where = f"{chip} at {address:#04x} of {folder / f'i2c-{bus}'}"
        self.info = SourceInfo(self._where, scope or "what flows through the shunt", shunt_ohm)
        try:
            self._file = os.open(str(folder / f"i2c-{bus}"), os.O_RDWR)
        except OSError as error:
            known = ", ".join(sorted(p.name for p in folder.glob("i2c-*"))) or "none"
            remedy = f"the buses are {known}; load i2c-dev, and be root or of the group i2c"
            raise PowerError(
                Problem(self._where, f"cannot be opened: {error.strerror}", remedy)
            ) from error
        try:
            self._start(address)
            step = self._chip.shunt_step / shunt_ohm * self.volts()
            self.info = self.info._replace(step_watts=step)
        except BaseException:
            self.close()
            raise

    def _start(self, address: int) -> None:
        try:
            fcntl.ioctl(self._file, I2C_SLAVE, address)
        except OSError as error:
            remedy = "a driver of the kernel has this sensor: take hwmon or iio"
            raise PowerError(
                Problem(self._where, f"cannot be had: {error.strerror}", remedy)
            ) from error
        for register, wanted in self._chip.ids:
            found = self._register(register)
            if found != wanted:
                what = f"answers {found:#06x} as its identity, not {wanted:#06x}"
                raise PowerError(Problem(self._where, what, "it is another chip, or address"))
        high, low = divmod(self._chip.configuration, 256)
        self._transfer(bytes([CONFIGURATION, high, low]), 0)
        time.sleep(FIRST_CONVERSION)

    def read(self) -> float:
        """Return the power in watts."""
        return self.volts() * self.amperes()

    def volts(self) -> float:
        """Return the voltage of the bus."""
        return (self._register(BUS) >> self._chip.bus_shift) * self._chip.bus_step

    def amperes(self) -> float:
        """Return the current through the shunt.

        Raises :class:`PowerError` where the voltage over it is more than the sensor takes.
        """
        raw = self._register(SHUNT)
        over = (raw - 0x10000 if raw & 0x8000 else raw) * self._chip.shunt_step
        if abs(over) >= self._chip.shunt_limit - self._chip.shunt_step:
            what = f"saturates at {1e3 * self._chip.shunt_limit:g} mV over the shunt"
            raise PowerError(Problem(self._where, what, "take a smaller shunt"))
        return over / self._shunt_ohm

    def close(self) -> None:
        """Close the bus."""
        os.close(self._file)

    def _register(self, number: int) -> int:
        """Return a register: two bytes, the high one first."""
        return int.from_bytes(self._transfer(bytes([number]), 2), "big")

    def _transfer(self, sent: bytes, wanted: int) -> bytes:
        try:
            os.write(self._file, sent)
            found = os.read(self._file, wanted) if wanted else b""
        except OSError as error:
            remedy = "look at the wires SDA, SCL, GND and the supply, and at address="
            raise PowerError(
                Problem(self._where, f"does not answer: {error.strerror}", remedy)
            ) from error
        if len(found) != wanted:
            raise PowerError(Problem(self._where, f"answers {len(found)} bytes of {wanted}", ""))
        return found
