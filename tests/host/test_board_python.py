"""The folder for a board under Python and numpy as on its image, where nothing of acsgen is."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("notebooks")


@pytest.fixture
def host(build: Path, tmp_path: Path) -> Path:
    """The driver's folder in a copy of the build."""
    return Path(shutil.copytree(build, tmp_path / "copied")) / "host"


def run(host: Path, *words: object) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "ACSGEN"))}
    return subprocess.run(
        [str(word) for word in words],
        cwd=host,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_module_is_imported(host: Path, board_python: Path) -> None:
    """All but those of pynq, which is not there, and which say so."""
    code = (
        "import pkgutil, importlib, acsgen_host\n"
        "for module in pkgutil.walk_packages(acsgen_host.__path__, 'acsgen_host.'):\n"
        "    try: importlib.import_module(module.name)\n"
        "    except ImportError as error: print(module.name, error.name)\n"
        "    else: print(module.name)\n"
    )
    done = run(host, board_python, "-W", "error", "-c", code)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.split("\n")[:-1]
    assert [line for line in lines if " " in line] == ["acsgen_host.pynq_backend pynq"]
    assert len(lines) > 40


def test_the_self_test(host: Path, board_python: Path) -> None:
    words = ("-m", "acsgen_host", "..", "--simulate", "csim", "--selftest")
    done = run(host, board_python, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("PASS\n")
    parameters = host.parent / "program" / "params.bin"
    parameters.write_bytes(parameters.read_bytes()[:-8])
    done = run(host, board_python, *words)
    assert done.returncode == 2
    assert "params.bin" in done.stderr
    assert "Traceback" not in done.stderr


def test_no_board_is_told(host: Path, board_python: Path) -> None:
    (host.parent / "net.bit").write_bytes(b"")
    (host.parent / "net.hwh").write_bytes(b"")
    code = "from acsgen_host import Accelerator; Accelerator('../net.bit')"
    done = run(host, board_python, "-c", code)
    assert done.returncode == 1
    assert "pynq: cannot be imported" in done.stderr
    assert "Accelerator.simulate(" in done.stderr


def test_power_of_the_synthetic_source(host: Path, board_python: Path) -> None:
    words = ["measure-power", "..", "--simulate", "csim", "--source", "synthetic"]
    words += ["--strictness", "0", "0.5", "--out", "power.json", "--plot", "power.png"]
    done = run(host, board_python, "-m", "acsgen_host", *words)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SYNTHETIC" in done.stdout.upper().replace(" ", "")
    report = json.loads((host / "power.json").read_text())
    assert len(report["points"]) == 2
    assert (host / "power.png").read_bytes().startswith(b"\x89PNG")
