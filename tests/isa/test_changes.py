"""Two engines, one specification: after any change of it, all that is rendered follows."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from .changes import CHANGES, changed_checkout, in_checkout

#: Programs, each damaged four times too; a fifth as many graphs; a network or two of modules.
PROGRAMS = 20

ALL = ("opcodes", "statuses", "narrower", "wider", "fewer words", "header", "arguments")


def compare_engines(checkout: Path, programs: int) -> None:
    """Golden model, machine, C simulation and RTL of one lane group, as the fuzzer does it."""
    options = ["--lanes", "1", "--count", str(programs), "--seed", "1", "--cache", "engines"]
    said = in_checkout(checkout, "tests.fuzz", *options)
    assert f"sources of {checkout}" in said
    for kind, least in (("programs", programs), ("graphs", 1), ("networks", 1)):
        done = re.search(rf"{kind}: .*?(\d+) programs", said)
        assert done is not None, said
        assert int(done[1]) >= least, said


@pytest.mark.rtl
def test_engines_agree_after_all_changes_together(tmp_path: Path) -> None:
    if shutil.which("verilator") is None:
        pytest.skip("verilator is not installed")
    checkout = changed_checkout(tmp_path, *(CHANGES[name] for name in ALL))
    compare_engines(checkout, PROGRAMS)


@pytest.mark.rtl
@pytest.mark.slow
@pytest.mark.parametrize("change", CHANGES)
def test_everything_passes_after_a_change(change: str, tmp_path: Path) -> None:
    """The engines agree, and tests of the code that reads and writes instructions pass."""
    checkout = changed_checkout(tmp_path, CHANGES[change])
    compare_engines(checkout, 3 * PROGRAMS)
    folders = [
        f"tests/{name}" for name in ("isa", "program", "compiler", "engines", "host", "emit")
    ]
    left_out = ["--ignore=tests/host/test_pynq.py", "--ignore=tests/isa/test_changes.py"]
    in_checkout(checkout, "pytest", "-q", *left_out, *folders)
