"""The engine driven by hand: registers, memory at physical addresses, clock, reset, waves."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from acsgen.engines.base import EngineViolation
from acsgen.engines.rtl import Memory, RtlDevice, cached_model
from acsgen.engines.rtl.device import DECERR, SLVERR
from acsgen.isa.generated import (
    HEADER_WORDS,
    SPEC_HASH,
    Instruction,
    Opcode,
    Register,
    ResultHeader,
    Status,
)
from acsgen.program.board import load_board
from acsgen.support.errors import UserError
from tests.differential.engines import SMALL

pytestmark = pytest.mark.rtl

PROGRAM, RESULT = 0x1000_0000, 0x2000_0FF8  # the result across a 4 KiB boundary


@pytest.fixture
def device() -> Iterator[RtlDevice]:
    """A fresh engine."""
    if shutil.which("verilator") is None:
        pytest.skip("verilator is not installed")
    with RtlDevice(cached_model(SMALL)) as device:
        yield device


def prepare(device: RtlDevice) -> np.ndarray:
    """Map a program that ends at once; returns the result buffer."""
    result = np.zeros(HEADER_WORDS, np.uint64)
    device.map(PROGRAM, np.array(Instruction(Opcode.END).encode(), np.uint64), writable=False)
    device.map(RESULT, result)
    device.write(Register.PROGRAM, PROGRAM)
    device.write(Register.RESULT, RESULT)
    device.write(Register.PROGRAM_WORDS, 8)
    device.write(Register.RESULT_WORDS, len(result))
    return result


def start(device: RtlDevice) -> None:
    device.write(Register.GIE, 1)
    device.write(Register.IER, 1)
    device.write(Register.CONTROL, 1)


def test_a_run_by_hand(device: RtlDevice) -> None:
    result = prepare(device)
    assert device.read(Register.SPEC_HASH) == SPEC_HASH
    assert device.read(Register.CONFIGURATION) == 1 << 31 | SMALL.feature_kib << 8 | 1
    assert device.read(Register.STATUS) == 0
    start(device)
    assert device.read(Register.CONTROL) & 0b110 == 0  # neither done nor idle
    device.advance(10_000)
    counters = device.counters
    assert counters.interrupt
    assert counters.interrupted_at < counters.edges < 10_000
    assert counters.read_beats == 8
    assert counters.write_beats == HEADER_WORDS
    assert counters.stray_beats == 0
    assert device.read(Register.STATUS) == Status.OK
    assert result[ResultHeader.SPEC_HASH] == SPEC_HASH
    assert result[ResultHeader.STATUS] == Status.OK
    assert device.read(Register.CONTROL) & 0b111 == 0b110
    assert device.read(Register.CONTROL) & 0b111 == 0b100  # done clears on read
    device.write(Register.ISR, device.read(Register.ISR))
    assert not device.interrupt
    assert device.advance(17) == 17


def test_unmapped_memory_is_a_bus_error(device: RtlDevice) -> None:
    prepare(device)
    device.unmap(PROGRAM)
    start(device)
    device.advance(10_000)
    assert device.read(Register.STATUS) == Status.BUS_ERROR
    assert device.counters.stray_beats == 8


def test_read_only_memory_is_a_bus_error_and_stays(device: RtlDevice) -> None:
    result = prepare(device)
    device.map(RESULT, result, writable=False)
    start(device)
    device.advance(10_000)
    assert device.read(Register.STATUS) == Status.BUS_ERROR
    assert device.counters.stray_beats == HEADER_WORDS
    assert not result.any()


@pytest.mark.parametrize("response", [SLVERR, DECERR])
@pytest.mark.parametrize("where", ["fail_read", "fail_write"])
def test_error_answers(device: RtlDevice, where: str, response: int) -> None:
    prepare(device)
    for memory, status in (
        (Memory(**{where: 1}, response=response), Status.BUS_ERROR),
        (Memory(), Status.OK),
    ):
        device.memory = memory
        start(device)
        device.advance(10_000)
        device.write(Register.ISR, 1)
        assert device.read(Register.STATUS) == status


def test_reset_in_mid_run(device: RtlDevice) -> None:
    prepare(device)
    device.memory = Memory(latency=200)
    start(device)
    device.advance(100)
    device.reset()
    assert device.read(Register.CONTROL) == 0b100
    result = prepare(device)
    start(device)
    device.advance(10_000)
    assert device.read(Register.STATUS) == Status.OK
    assert result[ResultHeader.INSTRUCTIONS] == 1


def test_what_cannot_be_mapped(device: RtlDevice) -> None:
    words = np.zeros(16, np.uint64)
    device.map(0x1000, words)
    for address, data in (
        (0x1001, words),
        (-8, words),
        (0x1040, words[:4]),  # overlaps
        (0x2000, words[::2]),
        (0x2000, words.view(np.uint8)[:9]),
        (0x2000, words.view(np.uint8)[1:9]),
    ):
        with pytest.raises(ValueError, match=r"."):
            device.map(address, data)
    words.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        device.map(0x2000, words)


def test_waves_take_a_model_with_waves(device: RtlDevice, tmp_path: Path) -> None:
    with pytest.raises(EngineViolation, match="without waves"):
        RtlDevice(cached_model(SMALL), waves=tmp_path / "none.fst")
    file = tmp_path / "run.fst"
    with RtlDevice(cached_model(SMALL, waves=True), waves=file) as traced:
        for one in (device, traced):
            prepare(one)
            start(one)
            one.advance(10_000)
        assert traced.counters == device.counters
    assert file.stat().st_size > 1000
    with pytest.raises(EngineViolation, match="cannot be written"):
        RtlDevice(cached_model(SMALL, waves=True), waves=tmp_path / "no" / "folder.fst")


@pytest.mark.unit
def test_memory_of_a_board() -> None:
    board = load_board("zedboard")
    assert Memory.for_board(board) == Memory(latency=32, bandwidth=256)
    slow = board.memory.model_copy(update={"ddr_peak_mbps": 800})
    assert Memory.for_board(board.model_copy(update={"memory": slow})).bandwidth == 192


@pytest.mark.unit
def test_memory_says_all_that_is_wrong() -> None:
    with pytest.raises(UserError) as caught:
        Memory(latency=-1, bandwidth=0, response=1)
    assert len(caught.value.problems) == 3
