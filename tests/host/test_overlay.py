"""The part of pynq's back end alone: overlays, bitstreams, interrupt controllers."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pynq
import pytest
from acsgen_host import Accelerator, BackendError, EngineTimeout, isa
from acsgen_host.__main__ import main
from acsgen_host.pynq_backend import VLNV, AcsEngineIP, PynqBackend

from acsgen.engines.simulated_board import SimulatedBoard

from .conftest import DEVICES, Bench, Prepared
from .fake_pynq import FakeDevice, write_overlay


@pytest.fixture
def board(prepared: Prepared) -> SimulatedBoard:
    return SimulatedBoard(DEVICES["csim"](prepared.libraries["csim"]))


def test_the_driver_binds_to_the_ip(board: SimulatedBoard, tmp_path: Path) -> None:
    with FakeDevice(board, True).active():
        overlay = pynq.Overlay(str(write_overlay(tmp_path, VLNV, True)))
        assert isinstance(overlay.acs_engine_0, AcsEngineIP)
        assert PynqBackend(overlay).has_interrupt
        assert PynqBackend(overlay, "acs_engine_0").has_interrupt


def test_files_that_are_missing_are_named(board: SimulatedBoard, tmp_path: Path) -> None:
    with FakeDevice(board, True).active():
        with pytest.raises(BackendError) as caught:
            PynqBackend.load(tmp_path / "acs.bit")
        assert [Path(p.where).name for p in caught.value.problems] == ["acs.bit", "acs.hwh"]
        bit = write_overlay(tmp_path, VLNV, True)
        bit.with_suffix(".hwh").unlink()
        with pytest.raises(BackendError, match=r"acs\.hwh: is not there"):
            PynqBackend.load(bit)


def test_an_overlay_without_the_engine_or_with_two(board: SimulatedBoard, tmp_path: Path) -> None:
    with FakeDevice(board, True).active():
        other = write_overlay(tmp_path, "xilinx.com:hls:other:1.0", False)
        with pytest.raises(BackendError, match=r"has no xilinx\.com:hls:acs_engine"):
            PynqBackend.load(other)
        two = write_overlay(tmp_path, VLNV, False, engines=2)
        with pytest.raises(BackendError, match="more than one engine: acs_engine_0, acs_engine_1"):
            PynqBackend.load(two)
        assert PynqBackend.load(two, "acs_engine_0")._ip_name == "acs_engine_0"
        with pytest.raises(BackendError, match="no IP nothing; it has acs_engine_0"):
            PynqBackend.load(two, "nothing")


def test_no_uio_device_means_polling(
    prepared: Prepared, board: SimulatedBoard, tmp_path: Path
) -> None:
    """The design has an interrupt controller, but Linux was not told of it."""
    with FakeDevice(board, False).active():
        with pytest.warns(UserWarning, match="Interrupt interrupt not created"):
            backend = PynqBackend.load(write_overlay(tmp_path, VLNV, True))
        assert not backend.has_interrupt
        with Accelerator(backend, prepared.bundle) as accelerator:
            prepared.check("trained", [accelerator.run(prepared.images[0])], [0])


def test_in_a_running_event_loop_the_driver_polls(bench: Bench) -> None:
    """As in a notebook: no other loop can run inside of it."""

    async def notebook() -> None:
        with bench.accelerator(interrupts=True) as accelerator:
            bench.prepared.check("trained", [accelerator.run(bench.prepared.images[1])], [1])

    asyncio.run(notebook())
    asyncio.set_event_loop(asyncio.new_event_loop())


def test_a_hung_engine_is_loaded_again(
    prepared: Prepared, board: SimulatedBoard, tmp_path: Path
) -> None:
    device = FakeDevice(board, True)
    with device.active():
        backend = PynqBackend.load(write_overlay(tmp_path, VLNV, True))
        assert device.downloads == 1
        with Accelerator(backend, prepared.bundle) as accelerator:
            board.running = False
            for _ in range(2):
                with pytest.raises(EngineTimeout):
                    accelerator.run(prepared.images[0], timeout=0.05)
            assert device.downloads == 2
            board.running = True
            prepared.check("trained", accelerator.run_many(prepared.images))
            assert device.downloads == 2


def test_only_what_changed_is_flushed(
    prepared: Prepared, board: SimulatedBoard, tmp_path: Path
) -> None:
    device = FakeDevice(board, True)
    with device.active():
        backend = PynqBackend.load(write_overlay(tmp_path, VLNV, True))
        with Accelerator(backend, prepared.bundle) as accelerator:
            gate = list(prepared.bundle.gates.values())[2]
            device.flushes.clear()
            accelerator.set_thresholds({gate.name: 0.7})
            assert device.flushes == [
                (isa.WORD_BYTES * gate.threshold_address, isa.WORD_BYTES * gate.threshold_words)
            ]


def test_the_command_loads_the_bitstream_of_the_bundle(
    prepared: Prepared,
    board: SimulatedBoard,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bit = write_overlay(tmp_path, VLNV, True)
    bundle = str(prepared.bundle.path)
    with FakeDevice(board, True).active():
        assert main([bundle, "--selftest"]) == 2
        assert "has no bitstreams" in capsys.readouterr().err
        assert main([bundle, "--selftest", "--bitstream", str(bit)]) == 0
        assert capsys.readouterr().out.endswith("PASS\n")
