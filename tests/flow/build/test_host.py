"""The driver on a shipped network's build, as it goes to a board."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from acsgen_host import Accelerator, Bundle, thresholds
from acsgen_host.selftest import self_test
from acsgen_host.simulation.board import SimulatedBackend, SimulatedBoard

from acsgen.engines.csim import CSimDevice
from acsgen.flow.build import BuildResult
from acsgen.support.assets import asset

pytestmark = pytest.mark.xdist_group("shipped")


def test_the_self_test_of_a_shipped_network(resnet8_build: BuildResult) -> None:
    out = resnet8_build.out
    bundle = Bundle.load(out)
    backend = SimulatedBackend(SimulatedBoard(CSimDevice(out / "csim" / "libacs.so")))
    with Accelerator(backend, bundle) as accelerator:
        report = self_test(accelerator, 10)
    assert (report.runs, report.mismatches, report.first) == (20, 0, None)


def test_half_strictness_is_what_quantization_chose(resnet8_build: BuildResult) -> None:
    bundle = Bundle.load(resnet8_build.out)
    assert bundle.gates
    for gate in bundle.gates.values():
        trained = thresholds.unpack(gate, bundle.params)
        assert np.array_equal(thresholds.from_strictness(gate, 0.5), trained)


def files(folder: Path) -> dict[Path, bytes]:
    """The content of the modules in a folder."""
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.py")}


def test_the_driver_lies_in_the_build(resnet8_build: BuildResult) -> None:
    """A copy of the directory on a board has all of it, and starts where it lies."""
    host = resnet8_build.out / "host"
    mine, copied = asset("host", "acsgen_host"), host / "acsgen_host"
    assert files(copied) == files(mine)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    finished = subprocess.run(
        [sys.executable, "-B", "-m", "acsgen_host", "..", "--selftest"],
        cwd=host,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    # There is no bitstream here, which it finds out after all else was in order.
    assert finished.returncode == 2
    remedy = "name one with --bitstream, or add --simulate csim"
    assert finished.stderr == f"error: ..: has no bitstreams ({remedy})\n"
