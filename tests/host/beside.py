"""The environments beside ``.venv`` that some tests of the driver run in."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from acsgen.support.assets import asset_root

#: Exit statuses of scripts/setup_environment.sh.
UNREACHABLE, NO_PYTHON = 3, 4


def python_of(name: str) -> Path:
    """Return the Python of ``.venv-NAME``, which is made if need be.

    `make test` makes them all beforehand.  The test is skipped where there is no Python to make
    it of, or no package index.
    """
    root = asset_root()
    made = subprocess.run(
        [root / "scripts" / "setup_environment.sh", name],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode == UNREACHABLE:
        pytest.skip(f".venv-{name} is not made, and pip reaches no package index")
    if made.returncode == NO_PYTHON:
        pytest.skip(made.stderr.strip())
    assert made.returncode == 0, made.stdout + made.stderr
    return root / f".venv-{name}" / "bin" / "python"
