"""Engines for the driver.

The same tests run in two environments: in that of acsgen, over the simulated back ends, and in that
of pynq, over pynq's (:mod:`test_pynq` starts them there).  The first prepares
their files, and the second finds them through an environment variable.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from acsgen_host import Accelerator, Bundle
from acsgen_host.simulation.board import Device, SimulatedBackend, SimulatedBoard
from acsgen_host.thresholds import Setting
from numpy.typing import NDArray

from acsgen.engines.csim import CSimDevice
from acsgen.engines.rtl import RtlDevice

PREPARED = "ACSGEN_HOST_PREPARED"

DEVICES: dict[str, Callable[[Path], Device]] = {"csim": CSimDevice, "rtl": RtlDevice}

#: Environments as on images of boards, with their versions of numpy.
BOARDS = {"board-3.8": "1.20.", "board-3.10": "1.21."}

#: Modules that run in both environments.
IN_BOTH = ("test_batches.py", "test_driver.py", "test_sharing.py")

#: In pynq's environment the engines are behind pynq.
THROUGH_PYNQ = PREPARED in os.environ


def pytest_configure(config: pytest.Config) -> None:
    if THROUGH_PYNQ:
        config.addinivalue_line("markers", "xdist_group(name): xdist is not in this environment")


@dataclass(frozen=True)
class Prepared:
    """The files of :mod:`prepare`."""

    folder: Path
    bundle: Bundle
    libraries: dict[str, Path]
    golden: dict[str, NDArray[Any]]

    @property
    def images(self) -> NDArray[np.uint8]:
        return self.golden["images"]

    def thresholds(self, case: str) -> dict[str, Setting]:
        """The integer thresholds of a case, by gate."""
        head = f"{case}/thresholds/"
        return {k[len(head) :]: v for k, v in self.golden.items() if k.startswith(head)}

    def check(self, case: str, results: list[Any], order: list[int] | None = None) -> None:
        """Require that results are the golden ones of a case."""
        order = list(range(len(self.images))) if order is None else order
        assert len(results) == len(order)
        for index, result in zip(order, results, strict=True):
            masks = [f"{case}/masks/{gate}" for gate in self.bundle.gates]
            for gate, key in zip(self.bundle.gates, masks, strict=True):
                assert np.array_equal(result.masks[gate], self.golden[key][index]), (index, gate)
            for output in self.bundle.outputs:
                expected = self.golden[f"{case}/outputs/{output}"][index]
                assert np.array_equal(result.outputs[output], expected), (index, output)
            assert result.answer == list(self.bundle.outputs)[-1]
            logits = self.golden[f"{case}/logits"][index]
            assert result.logits.dtype == np.int32
            assert np.array_equal(result.logits, logits), index
            assert result.prediction == logits.argmax()
            assert result.counters["macs_executed"] == self.golden[f"{case}/macs"][index], index
            assert result.counters["instructions"] == len(self.bundle.layers)


@pytest.fixture(scope="session")
def prepared(request: pytest.FixtureRequest) -> Prepared:
    """Bundle, engines and golden answers."""
    if THROUGH_PYNQ:
        folder = Path(os.environ[PREPARED])
    else:
        folder = request.getfixturevalue("prepared_folder")
    with np.load(folder / "golden.npz") as stored:
        golden = dict(stored)
    libraries = json.loads((folder / "libraries.json").read_text())
    paths = {name: Path(path) for name, path in libraries.items()}
    return Prepared(folder, Bundle.load(folder / "bundle"), paths, golden)


@pytest.fixture(scope="session")
def prepared_folder(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The folder for both environments; makes the engines where they are not cached."""
    from tests.host.engines import libraries
    from tests.host.prepare import prepare

    folder = tmp_path_factory.mktemp("driver")
    prepare(folder, libraries(request.config.cache.mkdir("acsgen-engines")))
    return folder


@pytest.fixture(scope="module")
def build(prepared: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build with its C simulation, its driver and its notebooks, as it goes to a board."""
    from acsgen.support.assets import asset

    made = tmp_path_factory.mktemp("notebooks") / "build"
    shutil.copytree(prepared.bundle.path, made)
    (made / "csim").mkdir()
    shutil.copyfile(prepared.libraries["csim"], made / "csim" / "libacs.so")
    shutil.copytree(asset("host"), made / "host", ignore=shutil.ignore_patterns("__pycache__"))
    return made


@pytest.fixture(scope="module", params=BOARDS)
def board_python(request: pytest.FixtureRequest) -> Path:
    """A Python as on the image of a board, which has nothing of acsgen."""
    from .beside import python_of

    python = python_of(request.param)
    code = (
        "import sys, numpy\n"
        "assert (3, 8) <= sys.version_info[:2] <= (3, 10), sys.version\n"
        f"assert numpy.__version__.startswith({BOARDS[request.param]!r}), numpy.__version__\n"
        "for name in ('acsgen', 'acsgen_host', 'torch', 'pynq'):\n"
        "    try: __import__(name)\n"
        "    except ImportError: continue\n"
        "    raise AssertionError(name + ' is there')\n"
    )
    finished = subprocess.run(
        [python, "-I", "-c", code], capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr
    return python


@dataclass(frozen=True)
class Bench:
    """One way to an engine, and a board to put it on as often as a test likes.

    ``backend`` makes a new board, or takes the one given; ``made`` has the boards.
    """

    name: str
    backend: Callable[..., Any]
    prepared: Prepared
    made: list[SimulatedBoard]

    @property
    def board(self) -> SimulatedBoard:
        """The board that was made last."""
        return self.made[-1]

    def accelerator(self, bundle: Bundle | None = None, **options: Any) -> Accelerator:
        """The network on a new board."""
        return Accelerator(self.backend(), bundle or self.prepared.bundle, **options)


@pytest.fixture(params=sorted(DEVICES))
def bench(request: pytest.FixtureRequest, prepared: Prepared, tmp_path: Path) -> Iterator[Bench]:
    """Each way to an engine in turn."""
    name = request.param
    if name not in prepared.libraries:
        pytest.skip("verilator is not installed")
    boards: list[SimulatedBoard] = []
    with contextlib.ExitStack() as stack:

        def board() -> SimulatedBoard:
            device = DEVICES[name](prepared.libraries[name])
            stack.callback(device.close)  # type: ignore[attr-defined]
            boards.append(SimulatedBoard(device))
            return boards[-1]

        if THROUGH_PYNQ:
            from .overlay import pynq_backend

            def backend(on: SimulatedBoard | None = None, *, interrupt: bool = True) -> Any:
                return pynq_backend(stack, on or board(), tmp_path, interrupt)

        else:

            def backend(on: SimulatedBoard | None = None, *, interrupt: bool = True) -> Any:
                return SimulatedBackend(on or board(), interrupt=interrupt)

        yield Bench(f"{'pynq-' * THROUGH_PYNQ}{name}", backend, prepared, boards)


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """In pynq's environment only the tests that work in both, and those of pynq itself."""
    if collection_path.suffix != ".py" or not collection_path.name.startswith("test_"):
        return None
    needs_pynq = collection_path.name == "test_overlay.py"
    in_both = collection_path.name in IN_BOTH
    if THROUGH_PYNQ:
        return None if needs_pynq or in_both else True
    return True if needs_pynq and not importlib.util.find_spec("pynq") else None
