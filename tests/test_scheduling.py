"""A test that kills its process is named in the summary, and all other tests still run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

#: Three tests die: two alone, one in the middle of a group.
DEADLY = """
import os
import pytest

@pytest.mark.parametrize("number", range(12))
def test_alone(number):
    if number in (2, 3):
        os.abort()

@pytest.mark.xdist_group("together")
@pytest.mark.parametrize("number", range(5))
def test_grouped(number):
    if number == 1:
        os.abort()
"""


def test_a_crash_costs_one_test_and_is_named(tmp_path: Path) -> None:
    pytest.importorskip("xdist")
    (tmp_path / "test_deadly.py").write_text(DEADLY)
    (tmp_path / "pytest.ini").write_text(f"[pytest]\npythonpath = {ROOT}\n")
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, "-n", "2", "--dist", "loadgroup"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "INTERNALERROR" not in done.stdout
    failed = {line.split()[1] for line in done.stdout.splitlines() if line.startswith("FAILED ")}
    assert failed == {
        "test_deadly.py::test_alone[2]",
        "test_deadly.py::test_alone[3]",
        "test_deadly.py::test_grouped[1]",
    }
    assert "3 failed, 14 passed" in done.stdout
