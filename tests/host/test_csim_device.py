"""The C simulation's registers behave as those that Vitis HLS makes."""

from __future__ import annotations

import numpy as np
import pytest

from acsgen.engines.csim import CSimDevice, StrayAccess
from acsgen.isa.generated import SPEC_HASH, Register, Status

from .conftest import Prepared

pytestmark = pytest.mark.xdist_group("driver")

START, DONE, IDLE, READY, INTERRUPT = 1, 2, 4, 8, 1 << 9


@pytest.fixture
def device(prepared: Prepared) -> CSimDevice:
    return CSimDevice(prepared.libraries["csim"])


def test_outputs_are_zero_until_a_run_ended(device: CSimDevice) -> None:
    assert device.read(Register.SPEC_HASH) == device.read(Register.STATUS) == 0
    device.write(Register.CONTROL, START)
    assert device.read(Register.CONTROL) == START, "busy: not idle"
    assert device.read(Register.SPEC_HASH) == 0
    device.advance(1)
    assert device.read(Register.CONTROL) == DONE | IDLE | READY
    assert device.read(Register.CONTROL) == IDLE, "done and ready clear on read"
    assert device.read(Register.SPEC_HASH) == SPEC_HASH
    assert device.read(Register.STATUS) == Status.NO_END, "the program had no words"
    assert [device.read(Register.STATUS + 4) for _ in range(2)] == [1, 0], "valid clears on read"


def test_interrupts(device: CSimDevice) -> None:
    def run() -> None:
        device.write(Register.CONTROL, START)
        device.advance(10)

    run()
    assert not device.interrupt
    assert device.read(Register.ISR) == 0, "ISR collects the bits that IER enables"
    device.write(Register.IER, 1)
    run()
    assert device.read(Register.ISR) == 1
    assert not device.interrupt, "not enabled globally"
    device.write(Register.GIE, 1)
    assert device.interrupt
    assert device.read(Register.CONTROL) & INTERRUPT
    assert device.advance(10) == 0, "time stops at the interrupt"
    device.write(Register.ISR, 1)
    assert not device.interrupt
    device.write(Register.ISR, 1)
    assert device.interrupt, "ISR toggles"


def test_inputs_are_read_back_and_outputs_are_not_written(device: CSimDevice) -> None:
    device.write(Register.PARAMS, 0x1234)
    device.write(Register.PARAMS + 4, 8)
    device.write(Register.STATUS, 77)
    device.write(0x3C, 5)  # The spare word behind a pointer.
    read = [device.read(offset) for offset in (Register.PARAMS, Register.PARAMS + 4, 0x3C)]
    assert read == [0x1234, 8, 0]
    assert device.read(Register.STATUS) == 0
    device.reset()
    assert device.read(Register.PARAMS) == 0


def test_memory_that_is_not_there(device: CSimDevice) -> None:
    device.map(0x1000, np.zeros(16, np.uint64), writable=False)
    for register, size, address, words in [
        (Register.PROGRAM, Register.PROGRAM_WORDS, 0x1000, 17),
        (Register.PROGRAM, Register.PROGRAM_WORDS, 0xFF8, 8),
        (Register.PROGRAM, Register.PROGRAM_WORDS, 0x1004, 8),
        (Register.RESULT, Register.RESULT_WORDS, 0x1000, 13),
    ]:
        device.reset()
        device.write(register, address)
        device.write(size, words)
        device.write(Register.CONTROL, START)
        with pytest.raises(StrayAccess, match=register.name.lower()):
            device.advance(1)
