"""The part of pynq's back end alone: overlays, bitstreams, interrupt controllers."""

from __future__ import annotations

import asyncio
import os
import shutil
import struct
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import acsgen_host
import pynq
import pytest
from acsgen_host import (
    Accelerator,
    BackendError,
    BundleError,
    EngineBusy,
    EngineTaken,
    EngineTimeout,
    isa,
    programmable_logic,
    pynq_backend,
)
from acsgen_host.__main__ import main
from acsgen_host.handoff import expected_registers
from acsgen_host.locate import hashed_stem
from acsgen_host.programmable_logic import lock_path
from acsgen_host.pynq_backend import VLNV, AcsEngineIP, PynqBackend
from acsgen_host.simulation.board import SimulatedBoard
from pynq.pl_server import global_state

from .conftest import DEVICES, Bench, Prepared
from .fake_pynq import ENGINE_BASE, WINDOW, BoardDevice, FakeDevice, write_overlay


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
        with pytest.raises(BackendError, match=r"acs\.hwh: has no xilinx\.com:hls:acs_engine"):
            PynqBackend.load(other)
        with pytest.raises(BackendError, match=r"overlay: has no xilinx\.com:hls:acs_engine"):
            PynqBackend(pynq.Overlay(str(other)))
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


def engine_at(base: int, folder: Path, **options: Any) -> Path:
    return write_overlay(folder, VLNV, False, base=base, **options)


#: An address at which the simulated board has nothing.
ELSEWHERE = ENGINE_BASE + 16 * WINDOW


def test_the_hwh_beside_the_bit_is_read_anew(
    prepared: Prepared, board: SimulatedBoard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pynq 3 keeps what it parsed of an .hwh, and goes by the content of the .bit alone."""
    state = tmp_path / "state"
    state.mkdir()
    with BoardDevice(board, state, monkeypatch).active():
        pynq.Overlay(str(engine_at(ELSEWHERE, tmp_path)))
        right = engine_at(ENGINE_BASE, tmp_path)
        stale = pynq.Overlay(str(right))
        assert stale.ip_dict["acs_engine_0"]["phys_addr"] == ELSEWHERE, "else nothing is tested"
        backend = PynqBackend.load(right)
        assert backend.engine[-1] == ENGINE_BASE
        with Accelerator(backend, prepared.bundle) as accelerator:
            prepared.check("trained", accelerator.run_many(prepared.images))


def test_metadata_that_is_not_of_the_hwh_is_refused(
    board: SimulatedBoard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a version of pynq keeps it somewhere else."""
    state = tmp_path / "state"
    state.mkdir()
    device = BoardDevice(board, state, monkeypatch)
    with device.active():
        pynq.Overlay(str(engine_at(ELSEWHERE, tmp_path)))
        right = engine_at(ENGINE_BASE, tmp_path)
        monkeypatch.setattr(pynq_backend, "_forget_metadata", lambda: None)
        downloads = device.downloads
        with pytest.raises(BackendError, match=r"at 0x43c00000, pynq has its engines at 0x43d0000"):
            PynqBackend.load(right)
        assert device.downloads == downloads


def test_an_hwh_of_another_design_is_refused(board: SimulatedBoard, tmp_path: Path) -> None:
    registers = expected_registers()
    reserved = {"program_1": "program_r_1", "program_2": "program_r_2", "trace": "strange"}
    named = {reserved.get(name, name): at for name, at in registers.items()}
    device = FakeDevice(board, False)
    with device.active():
        for right in (registers, named, {}, {"CTRL": 0}):
            PynqBackend.load(engine_at(ENGINE_BASE, tmp_path, registers=right))
        moved = {**registers, "params_1": 0x20, "params_2": 0x24}
        fewer = {name: at for name, at in registers.items() if name != "fault_index"}
        downloads = device.downloads
        for wrong, text in (
            (moved, "has params_1 at 0x20, the driver needs it at 0x1c"),
            (fewer, "has no register at 0x98, the driver needs fault_index there"),
        ):
            with pytest.raises(BackendError) as caught:
                PynqBackend.load(engine_at(ENGINE_BASE, tmp_path, registers=wrong))
            assert caught.value.problems[0].what == text
        bit = engine_at(ENGINE_BASE, tmp_path)
        hwh = bit.with_suffix(".hwh")
        text = hwh.read_text(encoding="utf-8")
        last = f"{ENGINE_BASE + WINDOW - 1:#x}"
        for changed, what in (
            (text.replace(last, f"{ENGINE_BASE + 0x3F:#x}"), "has a window of 64 bytes"),
            (text.replace('INSTANCE="acs_engine_0" MASTER', 'INSTANCE="x" MASTER'), "no address"),
            (text.replace("acs_engine:1.0", "acs_engine:2.0"), "has no xilinx.com:hls:acs_engine"),
            (text[:500], "is not a hardware handoff"),
            ("", "is not a hardware handoff"),
        ):
            hwh.write_text(changed, encoding="utf-8")
            with pytest.raises(BackendError, match=what):
                PynqBackend.load(bit)
        assert device.downloads == downloads


@pytest.mark.parametrize("same", [True, False], ids=["the same design", "another one"])
def test_a_design_that_this_process_loads_later(
    prepared: Prepared, board: SimulatedBoard, tmp_path: Path, same: bool
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with FakeDevice(board, True).active():
        backend = PynqBackend.load(write_overlay(tmp_path, VLNV, True))
        with Accelerator(backend, prepared.bundle) as accelerator:
            prepared.check("trained", [accelerator.run(prepared.images[0])], [0])
            bit = write_overlay(other, VLNV, True, content=b"" if same else b"other")
            overlay = pynq.Overlay(str(bit), download=False)
            prepared.check("trained", [accelerator.run(prepared.images[1])], [1])
            overlay.download()
            if not same:
                for use in (lambda: accelerator.run(prepared.images[0]), accelerator.registers):
                    with pytest.raises(EngineTaken, match=r"this process loaded .*other/acs\.bit"):
                        use()
                with pytest.raises(EngineTaken):
                    Accelerator(PynqBackend(backend._overlay), prepared.bundle)
                PynqBackend.load(tmp_path / "acs.bit")
            prepared.check("trained", accelerator.run_many(prepared.images))
    assert not board._ddr


@pytest.mark.parametrize("same", [True, False], ids=["the same design", "another one"])
def test_a_design_that_another_process_loads(
    prepared: Prepared,
    board: SimulatedBoard,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    same: bool,
) -> None:
    """The other process has a device of its own, and pynq's state file in common."""
    state, other = tmp_path / "state", tmp_path / "other"
    state.mkdir()
    other.mkdir()
    ours = BoardDevice(board, state, monkeypatch)
    theirs = BoardDevice(board, state, monkeypatch)
    with ours.active():
        backend = PynqBackend.load(write_overlay(tmp_path, VLNV, False))
        with Accelerator(backend, prepared.bundle) as accelerator:
            prepared.check("trained", [accelerator.run(prepared.images[0])], [0])
            bit = write_overlay(other, VLNV, False, content=b"" if same else b"other")
            pynq.Overlay(str(bit), device=theirs)
            if not same:
                for _ in range(2):
                    with pytest.raises(EngineTaken, match=r"another process loaded .*other/acs"):
                        accelerator.run(prepared.images[0])
                PynqBackend.load(tmp_path / "acs.bit")
            prepared.check("trained", accelerator.run_many(prepared.images))
            (state / "global_pl_state_.json").write_text("{", encoding="utf-8")
            prepared.check("trained", [accelerator.run(prepared.images[2])], [2])
            global_state.clear_global_state()
            prepared.check("trained", [accelerator.run(prepared.images[3])], [3])


def test_another_process_that_holds_the_engine(
    prepared: Prepared, board: SimulatedBoard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run waits for it, and then says that it has the engine."""
    device = FakeDevice(board, False)
    hold = (
        "import sys; from acsgen_host.programmable_logic import locked\n"
        "with locked(sys.argv[1]): print('held', flush=True); sys.stdin.read()"
    )
    with device.active():
        bit = write_overlay(tmp_path, VLNV, False)
        with Accelerator(PynqBackend.load(bit), prepared.bundle) as accelerator:
            command = [sys.executable, "-c", hold, device.tag]
            environment = {**os.environ, "PYTHONPATH": str(Path(acsgen_host.__file__).parents[1])}
            other = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
            )
            assert other.stdin is not None
            assert other.stdout is not None
            assert other.stdout.readline() == b"held\n"
            monkeypatch.setattr(programmable_logic.locked.__wrapped__, "__defaults__", (0.1,))
            for use in (lambda: accelerator.run(prepared.images[0]), lambda: PynqBackend.load(bit)):
                with pytest.raises(EngineBusy, match=f"process {other.pid} has held it for 0.1 s"):
                    use()
            monkeypatch.undo()
            threading.Timer(0.2, other.stdin.close).start()
            prepared.check("trained", [accelerator.run(prepared.images[1])], [1])
            assert other.wait() == 0
            other.stdout.close()
    lock_path(device.tag).unlink()


def hashed_build(prepared: Prepared, folder: Path, interrupt: bool = False) -> Path:
    """Copy the bundle into a folder, and put a bitstream there as acsgen bitstream names it."""
    build = shutil.copytree(prepared.bundle.path, folder / "build")
    bit = write_overlay(build, VLNV, interrupt)
    stem = hashed_stem("driver-test-zedboard", bit, bit.with_suffix(".hwh"))
    bit.with_suffix(".hwh").rename(build / f"{stem}.hwh")
    return bit.rename(build / f"{stem}.bit")


def test_the_path_of_the_bitstream_is_enough(
    prepared: Prepared, board: SimulatedBoard, tmp_path: Path
) -> None:
    bit = hashed_build(prepared, tmp_path)
    device = FakeDevice(board, False)
    with device.active():
        for source in (bit, str(bit), bit.parent):
            with Accelerator(source) as accelerator:
                assert accelerator.simulation is None
                prepared.check("trained", list(accelerator.infer(prepared.images)))
                assert accelerator.selftest(1).mismatches == 0
        assert main([str(bit), "--selftest", "--images", "1"]) == 0
        downloads = device.downloads
        # The .hwh of another Vivado run under the name of this one.
        hwh = bit.with_suffix(".hwh")
        hwh.write_text(hwh.read_text(encoding="utf-8").replace('"acs"', '"another"'))
        with pytest.raises(BackendError, match="one of them is stale"):
            Accelerator(bit)
        weights = bit.parent / "program" / "params.bin"
        weights.write_bytes(weights.read_bytes()[:-8])
        with pytest.raises(BundleError, match=r"params\.bin: has"):
            Accelerator(bit)
        assert device.downloads == downloads, "nothing is loaded before all is checked"


def test_without_a_device_the_simulation_is_named(
    prepared: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a PC that has pynq; on a board without its environment it looks the same."""
    bit = hashed_build(prepared, tmp_path)
    monkeypatch.setattr(type(pynq.Device), "active_device", property(no_device))
    with pytest.raises(BackendError, match="No Devices Found") as caught:
        Accelerator(bit)
    assert "with XILINX_XRT=/usr set" in str(caught.value)
    assert f'simulate it: Accelerator.simulate("{bit.parent}")' in str(caught.value)


def no_device(cls: Any) -> Any:
    raise RuntimeError("No Devices Found")


def test_a_lost_interrupt_delays_a_run_and_no_more(
    prepared: Prepared, board: SimulatedBoard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a program took it, or the line is not connected."""
    device = FakeDevice(board, True)
    assert device._uio is not None
    monkeypatch.setattr(device._uio, "add_event", lambda event, number: None)
    monkeypatch.setattr(pynq_backend, "INTERRUPT_SECONDS", 0.05)
    with device.active():
        backend = PynqBackend.load(write_overlay(tmp_path, VLNV, True))
        with Accelerator(backend, prepared.bundle, interrupts=True) as accelerator:
            prepared.check("trained", list(accelerator.infer(prepared.images)))


@pytest.mark.parametrize(
    "fault",
    [struct.error("unpack requires a buffer of 4 bytes"), KeyError("clk_wiz"), TypeError("None")],
    ids=lambda fault: type(fault).__name__,
)
def test_what_goes_wrong_inside_pynq_is_said(
    prepared: Prepared,
    board: SimulatedBoard,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: Exception,
) -> None:
    """A .hwh that pynq cannot digest gives exceptions of any kind, from deep inside."""

    def fail(*_: Any, **__: Any) -> None:
        raise fault

    with FakeDevice(board, False).active():
        bit = write_overlay(tmp_path, VLNV, False)
        with monkeypatch.context() as patched:
            patched.setattr(pynq.Overlay, "download", fail)
            with pytest.raises(BackendError, match=f"cannot load it: {type(fault).__name__}"):
                PynqBackend.load(bit)
        accelerator = Accelerator(PynqBackend.load(bit), prepared.bundle)
        board.running = False
        with pytest.raises(EngineTimeout):
            accelerator.run(prepared.images[0], 0.05)
        with monkeypatch.context() as patched:
            patched.setattr(pynq.Overlay, "download", fail)
            with pytest.raises(BackendError, match="cannot load it again"):
                accelerator.run(prepared.images[0])
        board.running = True
        prepared.check("trained", [accelerator.run(prepared.images[1])], [1])
        accelerator.close()
