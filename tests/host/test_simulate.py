"""``Accelerator.simulate``: the object of a board over a simulated engine."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from acsgen_host import Accelerator, BackendError, BundleError, InputError
from acsgen_host.__main__ import main
from acsgen_host.simulation.start import memory_of

from acsgen.engines.csim import CSimEngine

from .conftest import Prepared

pytestmark = pytest.mark.xdist_group("driver")


@pytest.fixture
def folder(prepared: Prepared, tmp_path: Path) -> Path:
    """A build directory with its C simulation."""
    made = shutil.copytree(prepared.bundle.path, tmp_path / "build")
    (made / "csim").mkdir()
    shutil.copyfile(prepared.libraries["csim"], made / "csim" / "libacs.so")
    return made


def test_it_is_the_same_object(folder: Path, prepared: Prepared) -> None:
    with Accelerator.simulate(folder) as accelerator:
        assert isinstance(accelerator, Accelerator)
        assert accelerator.simulation == "csim simulation"
        prepared.check("trained", list(accelerator.infer(prepared.images)))
        accelerator.strictness = 1.0
        prepared.check("closed", list(accelerator.infer(prepared.images)))
        assert accelerator.selftest().mismatches == 0


def test_seconds_are_cycles_at_the_boards_clock(folder: Path, prepared: Prepared) -> None:
    """Not the time that this machine takes."""
    manifest = json.loads((folder / "manifest.json").read_text())
    board = manifest["board"]
    clock, memory = board["clock_mhz"], board["memory"]
    engine = CSimEngine(
        folder / "csim" / "libacs.so",
        *memory_of(clock, memory["latency_cycles"], memory["ddr_peak_mbps"]),
    )
    bundle = prepared.bundle
    from acsgen_host.words import pack_image

    with Accelerator.simulate(folder) as accelerator:
        for image in prepared.images:
            loops = engine.run(
                bundle.program, bundle.params, pack_image(image), bundle.result_words
            ).loops
            assert loops is not None
            result: Any = accelerator.infer(image)
            assert result.seconds == loops.total / (clock * 1e6)


@pytest.mark.rtl
def test_on_the_systemverilog(folder: Path, prepared: Prepared) -> None:
    """Without sources it says so; with them it counts cycles itself."""
    with pytest.raises(BackendError, match="was built without rtl"):
        Accelerator.simulate(folder, "rtl")
    from acsgen.emit.rtl_sources import rtl_sources

    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["engines"] = ["rtl"]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "rtl").mkdir()
    for source in rtl_sources(None):
        shutil.copy(source, folder / "rtl")
    with Accelerator.simulate(folder, engine="rtl") as accelerator:
        assert accelerator.simulation == "rtl simulation"
        result: Any = accelerator.infer(prepared.images[:2])
        prepared.check("trained", list(result), [0, 1])
        cycles = result.counters["cycles"]
        assert (cycles > 0).all()
        assert np.array_equal(result.seconds, cycles / (1e6 * manifest["board"]["clock_mhz"]))


def test_what_cannot_be_simulated_is_said(folder: Path) -> None:
    with pytest.raises(InputError, match="simulate csim or rtl"):
        Accelerator.simulate(folder, "hls")
    library = folder / "csim" / "libacs.so"
    library.write_bytes(b"\x7fELF of another machine")
    with pytest.raises(BackendError, match="compiled for the machine that built it"):
        Accelerator.simulate(folder)
    library.unlink()
    with pytest.raises(BackendError, match="this build has no C simulation"):
        Accelerator.simulate(folder)
    with pytest.raises(BundleError, match=r"manifest\.json: cannot be read"):
        Accelerator.simulate(folder / "nothing")


def test_two_simulations_of_one_build_in_threads(folder: Path, prepared: Prepared) -> None:
    """They are two accelerators on two boards, though the library is in this process once."""
    from concurrent.futures import ThreadPoolExecutor

    order = list(range(len(prepared.images))) * 6

    def work(strictness: float) -> Any:
        with Accelerator.simulate(folder) as accelerator:
            accelerator.strictness = strictness
            return accelerator.infer(prepared.images[order])

    with ThreadPoolExecutor(2) as pool:
        opened, closed = pool.map(work, (0.0, 1.0))
    prepared.check("open", list(opened), order)
    prepared.check("closed", list(closed), order)


def test_the_command_simulates(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(folder), "--selftest", "--simulate", "csim"]) == 0
    out = capsys.readouterr().out
    assert "csim simulation, no board" in out
    assert out.endswith("PASS\n")
    assert main([str(folder), "--selftest"]) == 2
    assert "or add --simulate csim" in capsys.readouterr().err


def test_it_needs_numpy_alone(folder: Path) -> None:
    """No acsgen, no torch, no pynq: as on a PC that only got a copy of the build."""
    host = Path(sys.modules["acsgen_host"].__file__ or "").parents[1]
    code = (
        "import sys; sys.path.insert(0, sys.argv[2])\n"
        "for name in ('acsgen', 'torch', 'pynq', 'scipy', 'matplotlib'): sys.modules[name] = None\n"
        "from acsgen_host import Accelerator\n"
        "with Accelerator.simulate(sys.argv[1]) as a: print(a.selftest().mismatches)\n"
        "try: Accelerator.simulate(sys.argv[1], 'rtl')\n"
        "except Exception as e: print(e)\n"
    )
    command = [sys.executable, "-I", "-c", code, str(folder), str(host)]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    first, second = finished.stdout.splitlines()
    assert first == "0"
    assert second.startswith("rtl simulation: needs acsgen and Verilator on this machine")


def test_a_timeout_that_passes_before_the_engine_had_its_turn(
    folder: Path, prepared: Prepared
) -> None:
    """On a machine with much to do the driver itself may stand still for longer than a timeout."""
    with Accelerator.simulate(folder) as accelerator:
        results = [accelerator.run(image, timeout=1e-9) for image in prepared.images]
        prepared.check("trained", results)
