"""The driver's tests, through the real pynq package, in an environment of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from acsgen.support.assets import asset_root

from .beside import python_of
from .conftest import IN_BOTH, PREPARED, Prepared

pytestmark = pytest.mark.xdist_group("driver")


@pytest.fixture(scope="module")
def pynq_python() -> Path:
    """The Python that has pynq."""
    if given := os.environ.get("ACSGEN_PYNQ_PYTHON"):
        return Path(given)
    return python_of("pynq")


def test_the_driver_through_pynq(
    pynq_python: Path, prepared: Prepared, prepared_folder: Path, tmp_path: Path
) -> None:
    """Every test of both environments passes there, on every engine; so do the overlay's."""
    folder, root = Path(__file__).parent, asset_root()
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "PYTHON"))}
    environment[PREPARED] = str(prepared_folder)
    report = tmp_path / "report.xml"
    options = ["-q", "-p", "no:cacheprovider", f"--junitxml={report}"]
    finished = subprocess.run(
        [pynq_python, "-m", "pytest", *options, folder],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    print(finished.stdout)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    passed = {
        (case.get("classname"), case.get("name"))
        for case in ElementTree.parse(report).iter("testcase")
        if not len(case)
    }
    both = tuple(Path(module).stem for module in IN_BOTH)
    through = {name for module, name in passed if str(module).endswith(both)}
    assert len(passed) > len(through)
    # The very tests that are collected here, for every engine that there is.
    listing = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "--collect-only",
            "-q",
            *(folder / name for name in IN_BOTH),
        ],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    here = {line.split("::", 1)[1] for line in listing.stdout.splitlines() if "::" in line}
    here = {name.split("@")[0] for name in here}
    expected = {
        name for name in here if any(engine in name.split("[")[1] for engine in prepared.libraries)
    }
    assert through == expected
