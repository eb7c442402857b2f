"""Vivado and Vitis HLS for the tests: they run scripts under tclsh, against the model of the tools.

The commands are small shell scripts in a folder that a test puts on the PATH.  The environment
variable ``FAKE_FAULT`` makes them fail in a certain way; see ``vivado.tcl`` and ``vitis_hls.tcl``.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

HERE = Path(__file__).parent

#: Runs a script as the tools do: an error ends it with its message, and status 1.
_RUNNER = """
source {{{model}}}
set fault [expr {{[info exists ::env(FAKE_FAULT)] ? $::env(FAKE_FAULT) : ""}}]
if {{[catch {{ source [lindex $argv 0] }} message]}} {{
  puts $message
  puts "    while executing"
  puts "INFO: \\[Common 17-206\\] Exiting {name}"
  exit 1
}}
if {{$fault eq "quiet_error"}} {{ puts "ERROR: \\[Common 17-1\\] something is wrong" }}
"""

_COMMAND = """#!/bin/sh
# {name} for the tests.
for script; do :; done
case "$*" in
{cases}
    *) echo "unknown arguments: $*" >&2; exit 64 ;;
esac
echo "****** {name} v2022.2 (64-bit)"
if [ "$FAKE_FAULT" = silent_{name} ]; then exit 3; fi
if [ "$FAKE_FAULT" = killed_{name} ]; then kill -9 $$; fi
if [ "$FAKE_FAULT" = lying_{name} ]; then exit 0; fi
if [ "$FAKE_FAULT" = deaf_{name} ]; then trap '' TERM; sleep 600 & wait; fi
exec tclsh {runner} "$script"
"""


def need_tclsh() -> None:
    """Skip the test where there is no Tcl."""
    if shutil.which("tclsh") is None:
        pytest.skip("tclsh is not installed")


def _write(folder: Path, name: str, model: str, cases: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    runner = folder / f"{name}.tcl"
    runner.write_text(_RUNNER.format(model=HERE / model, name=name))
    path = folder / name
    path.write_text(_COMMAND.format(name=name, cases=cases, runner=runner))
    path.chmod(0o755)
    return path


def write_vivado(folder: Path) -> Path:
    """Write the command ``vivado``."""
    cases = '    "-mode batch "*"-source $script") ;;'
    return _write(folder, "vivado", "vivado.tcl", cases)


def write_vitis_hls(folder: Path) -> Path:
    """Write ``vitis_hls``, the command before 2023.2."""
    return _write(folder, "vitis_hls", "vitis_hls.tcl", '    "-f $script") ;;')


def write_vitis_run(folder: Path) -> Path:
    """Write ``vitis-run``, the command of 2023.2 and later."""
    cases = '    "--mode hls --tcl $script") ;;'
    return _write(folder, "vitis-run", "vitis_hls.tcl", cases)
