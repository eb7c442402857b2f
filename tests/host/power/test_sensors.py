"""Sensors on fake sysfs trees, a fake I2C bus, pseudo-terminals and sockets."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from acsgen_host import InputError, PowerError
from acsgen_host.power import (
    Hwmon,
    Iio,
    Ina,
    PynqRail,
    Recorder,
    Scpi,
    SerialMeter,
    SourceInfo,
    open_source,
    parse,
)
from acsgen_host.power import i2c as i2c_module
from acsgen_host.power.meters import watts_of


def tree(root: Path, folder: str, **files: object) -> Path:
    place = root / folder
    place.mkdir(parents=True)
    for name, content in files.items():
        (place / name).write_text(f"{content}\n")
    return place


def test_hwmon(tmp_path: Path) -> None:
    tree(tmp_path, "hwmon0", name="cpu_thermal", temp1_input=41000)
    som = tree(tmp_path, "hwmon1", name="ina260_u14", power1_input=4_250_000, power1_label="SOM")
    tree(tmp_path, "hwmon2", name="ina226_u76", curr1_input=500, in1_input=12_000, in0_input=5,
         shunt_resistor=10_000)  # fmt: skip
    sensor = Hwmon("ina260_u14", root=tmp_path)
    assert sensor.read() == pytest.approx(4.25)
    assert (sensor.info.source, sensor.info.scope) == ("hwmon ina260_u14", "SOM")
    (som / "power1_input").write_text("5000000\n")
    assert sensor.read() == pytest.approx(5.0)
    (som / "power1_input").unlink()
    with pytest.raises(PowerError, match="power1_input: cannot be read"):
        sensor.read()
    product = Hwmon("hwmon2", scope="12 V", root=tmp_path)
    assert product.read() == pytest.approx(6.0)
    assert product.info == SourceInfo("hwmon ina226_u76", "12 V", 0.01)
    with pytest.raises(PowerError, match=r"it has temp1_input \(see channel=\)"):
        Hwmon("cpu_thermal", root=tmp_path)
    with pytest.raises(PowerError, match=r"no sensors named x; it has hwmon0 \(cpu_thermal\)"):
        Hwmon("x", root=tmp_path)
    tree(tmp_path, "hwmon3", name="ina226_u76")
    with pytest.raises(PowerError, match="has 2 sensors named ina226_u76"):
        Hwmon("ina226_u76", root=tmp_path)


def test_iio(tmp_path: Path) -> None:
    """The channels of the driver ina2xx-adc, in milliwatts, milliamperes, millivolts."""
    both = tree(tmp_path, "iio:device0", name="ina226", in_voltage0_raw=2000,
                in_voltage0_scale=0.0025, in_voltage1_raw=9600, in_voltage1_scale=1.25,
                in_current3_raw=500, in_current3_scale=1.0, in_shunt_resistor=0.01)  # fmt: skip
    sensor = Iio("ina226", root=tmp_path)
    assert sensor.read() == pytest.approx(6.0)
    assert sensor.info.shunt_ohm == 0.01
    (both / "in_power2_raw").write_text("240")
    (both / "in_power2_scale").write_text("25")
    (both / "in_power2_offset").write_text("2")
    assert Iio("iio:device0", root=tmp_path).read() == pytest.approx(6.05)
    tree(tmp_path, "iio:device1", name="xadc", in_voltage0_raw=1)
    with pytest.raises(PowerError, match="no power, and not both current and voltage"):
        Iio("xadc", root=tmp_path)


class FakeIna:
    """The registers of an INA219 or INA226, at the other end of a socket in the place of /dev."""

    def __init__(self, folder: Path, registers: dict[int, int], monkeypatch: Any) -> None:
        self.registers = registers
        self.fails = False
        ours, self._theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._ours = ours
        (folder / "i2c-7").write_bytes(b"")
        opened, device = os.open, str(folder / "i2c-7")
        self.chosen: list[int] = []

        def fake_open(path: Any, *arguments: Any, **options: Any) -> int:
            if str(path) == device:
                return os.dup(ours.fileno())
            return opened(path, *arguments, **options)

        def fake_ioctl(file: int, request: int, argument: Any) -> int:
            assert request == 0x0703, "the number of I2C_SLAVE in <linux/i2c-dev.h>"
            self.chosen.append(argument)
            return 0

        monkeypatch.setattr(i2c_module.os, "open", fake_open)
        monkeypatch.setattr(i2c_module.fcntl, "ioctl", fake_ioctl)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            sent = self._theirs.recv(16)
            if not sent:
                return
            if len(sent) == 3:
                self.registers[sent[0]] = sent[1] << 8 | sent[2]
            elif self.fails:
                self._theirs.send(b"\x00")
            else:
                self._theirs.send(self.registers[sent[0]].to_bytes(2, "big"))

    def close(self) -> None:
        self._ours.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def ina(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., FakeIna]]:
    made: list[FakeIna] = []

    def make(**registers: int) -> FakeIna:
        content = {int(name[1:], 16): value for name, value in registers.items()}
        made.append(FakeIna(tmp_path, content, monkeypatch))
        return made[-1]

    yield make
    for fake in made:
        fake.close()


def test_ina226(ina: Callable[..., FakeIna], tmp_path: Path) -> None:
    """12 V and 0.5 A through 10 milliohms: 5 mV."""
    fake = ina(r0=0x4127, r1=2000, r2=9600, rfe=0x5449, rff=0x2260)
    sensor = Ina("ina226", 7, 0.01, address=0x41, scope="J21", folder=tmp_path)
    assert fake.chosen == [0x41]
    assert (sensor.volts(), sensor.amperes()) == pytest.approx((12.0, 0.5))
    assert sensor.read() == pytest.approx(6.0)
    assert fake.registers[0] == 0x4127, "both voltages, continuously, 1.1 ms, no averaging"
    # A step of the shunt's register is 2.5 uV: 250 uA, 3 mW.
    assert sensor.info.step_watts == pytest.approx(3e-3)
    assert (sensor.info.scope, sensor.info.shunt_ohm) == ("J21", 0.01)
    fake.registers[1] = 0x10000 - 2000
    assert sensor.amperes() == pytest.approx(-0.5)
    fake.registers[1] = 0x7FFF
    with pytest.raises(PowerError, match=r"saturates at 81\.92 mV over the shunt"):
        sensor.read()
    fake.fails = True
    with pytest.raises(PowerError, match="answers 1 bytes of 2"):
        sensor.read()
    sensor.close()


def test_ina219(ina: Callable[..., FakeIna], tmp_path: Path) -> None:
    fake = ina(r0=0x399F, r1=500, r2=(3000 << 3) | 2)
    sensor = Ina("ina219", 7, 0.01, folder=tmp_path)
    assert sensor.read() == pytest.approx(12.0 * 0.5)
    assert fake.registers[0] == 0x219F, "32 V, 40 mV, 12 bits, both continuously"
    sensor.close()


def test_an_ina_that_is_not_there(
    ina: Callable[..., FakeIna], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(PowerError, match="the buses are none"):
        Ina("ina226", 3, 0.01, folder=tmp_path)
    ina(rfe=0x5449, rff=0x2270)
    with pytest.raises(PowerError, match="answers 0x2270 as its identity, not 0x2260"):
        Ina("ina226", 7, 0.01, folder=tmp_path)

    def busy(file: int, request: int, argument: Any) -> int:
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))

    monkeypatch.setattr(fcntl, "ioctl", busy)
    with pytest.raises(PowerError, match="a driver of the kernel has this sensor"):
        Ina("ina226", 7, 0.01, folder=tmp_path)


@contextmanager
def pseudo_terminal() -> Iterator[tuple[int, str]]:
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    try:
        yield ours, os.ttyname(theirs)
    finally:
        os.close(ours)
        os.close(theirs)


def test_a_meter_that_sends_lines() -> None:
    with pseudo_terminal() as (ours, place):
        meter = SerialMeter(place, baud=9600, scope="USB")
        os.write(ours, b"12.00 V 0.250 A\r\n12.00 V 0.500 A\r\n12.00 V 0.7")
        assert meter.read() == pytest.approx(6.0), "the newest whole line"
        os.write(ours, b"50 A\n")
        assert meter.read() == pytest.approx(9.0), "and the rest of the next one"
        os.write(ours, b"no signal\n")
        with pytest.raises(PowerError, match="sends 'no signal'"):
            meter.read()
        meter.close()
        fields = SerialMeter(place, ["skip", "volts", "amps"])
        os.write(ours, b"17,12.0,0.5\n")
        assert fields.read() == pytest.approx(6.0)
        fields.close()
        with pytest.raises(PowerError, match="12345 baud is no speed"):
            SerialMeter(place, baud=12345)
    with pytest.raises(PowerError, match="cannot be opened"):
        SerialMeter("/dev/does-not-exist")
    with pytest.raises(InputError, match="'ohms' is unknown"):
        SerialMeter("/dev/null", ["ohms"])


@pytest.mark.parametrize(
    ("line", "watts"),
    [
        ("5.1V 200mA", 1.02),
        ("P=3.5 W", 3.5),
        ("5000 mV, 1.5 A, 7.4 W", 7.4),
        ("850 mW", 0.85),
        ("5 V", None),
        ("", None),
        ("-1.2e1 V 0.5 A", -6.0),
    ],
)
def test_lines_with_units(line: str, watts: float | None) -> None:
    found = watts_of(line)
    assert found == (None if watts is None else pytest.approx(watts))


class Instrument:
    """Answers SCPI queries on a socket."""

    def __init__(self, answers: dict[str, str]) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.place = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.answers = answers
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection, connection.makefile("rw") as lines:
            for line in lines:
                if line.strip() == "HANG UP":
                    return
                lines.write(self.answers.get(line.strip(), "ERROR") + "\n")
                lines.flush()


def test_scpi_over_the_network_and_a_serial_line() -> None:
    answers = {"*IDN?": "ACME,1", "MEAS:POW?": "6.25E+00", "V?": "12", "I?": "5e-1 A"}
    source = open_source(parse(f"scpi:{Instrument(answers).place},scope=supply"))
    assert source.read() == 6.25
    assert source.info.scope == "supply"
    assert source.info.source.endswith("ACME,1")
    both = Scpi(Instrument(answers).place, "V?;I?")
    assert both.read() == 6.0
    both.close()
    with pytest.raises(PowerError, match=r"answers 'ERROR' to X\?"):
        Scpi(Instrument(answers).place, "X?").read()
    gone = Scpi(Instrument(answers).place)
    gone._line.write("HANG UP")
    with pytest.raises(PowerError, match=r"closed the connection|reset|pipe"):
        gone.read()
    with pseudo_terminal() as (ours, place):
        os.write(ours, b"ACME,2\n4.5\n")
        assert Scpi(place).read() == 4.5
    with pytest.raises(PowerError, match="cannot be opened"):
        Scpi("127.0.0.1:1")


def test_pynq_rails() -> None:
    value = SimpleNamespace
    rails = {
        "12V": value(power=value(value=8.5), voltage=None, current=None),
        "3V3": value(power=None, voltage=value(value=3.3), current=value(value=2.0)),
        "VCC": value(power=None, voltage=value(value=1.0), current=None),
    }
    assert PynqRail("12V", rails=rails).read() == 8.5
    assert PynqRail("3V3", rails=rails).read() == pytest.approx(6.6)
    with pytest.raises(PowerError, match="VCC has a voltage alone"):
        PynqRail("VCC", rails=rails)
    with pytest.raises(PowerError, match="no rail 5V; it has 12V, 3V3, VCC"):
        PynqRail("5V", rails=rails)
    with pytest.raises(PowerError, match="pynq: gives no rails"):
        PynqRail("12V")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("multimeter:x", "no power source"),
        ("hwmon", "has no place"),
        ("ina226:shunt=0.01", "has no bus="),
        ("ina226:bus=1", "has no shunt="),
        ("ina226:bus=one,shunt=0.01", "bus=one is not a whole number"),
        ("ina226:bus=1,shunt=0", "shunt=0 is not a number above 0"),
        ("zedboard:bus=1,chip=ina3221", "is not ina219 or ina226"),
        ("rails:12V,channel=2", "rails has no option channel"),
        ("scpi:host,query", "'query' is no option"),
        ("scpi:host,query=;", "query: is"),
    ],
)
def test_sources_that_are_misspelt(text: str, what: str) -> None:
    with pytest.raises(InputError, match=what):
        open_source(parse(text))


class Failing:
    """A sensor that answers the first reads, and then sometimes or never."""

    info = SourceInfo("failing", "nothing")

    def __init__(self, fails: Callable[[int], bool]) -> None:
        self._fails = fails
        self.reads = 0

    def read(self) -> float:
        self.reads += 1
        if self._fails(self.reads):
            raise PowerError([])
        return float(self.reads)

    def close(self) -> None:
        pass


def test_a_sample_that_is_lost_and_a_sensor_that_is_gone() -> None:
    source = Failing(lambda n: n % 3 == 0)
    with Recorder(source, 1000.0) as recorder:
        while source.reads < 40:
            pass
    trace = recorder.trace()
    assert recorder.lost > 5
    assert (trace.watts % 3 != 0).all()
    assert (trace.time[1:] > trace.time[:-1]).all()
    gone = Failing(lambda n: n > 5)
    with Recorder(gone, 1000.0) as recorder:
        while gone.reads < 25:
            pass
    with pytest.raises(PowerError, match="failed 20 times in a row"):
        recorder.trace()
    with pytest.raises(PowerError), Recorder(Failing(lambda n: True)):
        pytest.fail("the first read says it")
