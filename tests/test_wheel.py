"""The wheel is complete: installed elsewhere, it builds without the repository."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
FOLDERS = ("hw", "templates", "host", "sim", "models", "benchmarks")


def run(command: list[object], cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command away from the repository and its environment; fail with all it printed."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL"))}
    result = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
    return result


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, as ``pip wheel .`` makes it."""
    folder = tmp_path_factory.mktemp("wheel")
    # The build backend is among the test requirements: nothing is fetched.
    options = ["--no-deps", "--no-build-isolation", "--quiet", "--wheel-dir", folder]
    run([sys.executable, "-m", "pip", "wheel", *options, REPOSITORY], folder)
    (path,) = folder.glob("acsgen-*.whl")
    return path


@pytest.fixture(scope="module")
def clean_python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a new environment that has the wheel, and our requirements but not us.

    The requirements are lent by the environment of the tests through its site-packages folder, so
    that torch is not installed twice. Its own editable acsgen stays out: a folder that is named in
    a .pth file has its packages seen, but not its .pth files.
    """
    folder = tmp_path_factory.mktemp("clean") / "venv"
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "lent.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--quiet"]
    run([*pip, "--force-reinstall", wheel], folder)
    return python


def test_the_wheel_has_every_tracked_file_of_the_shipped_folders(wheel: Path) -> None:
    listing = subprocess.run(
        ["git", "ls-files", "-z", "acsgen", *FOLDERS],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    if listing.returncode:
        pytest.skip("not a git checkout")
    tracked = {name for name in listing.stdout.split("\0") if name}
    tracked = {name for name in tracked if (REPOSITORY / name).exists()}
    expected = {n if n.startswith("acsgen/") else f"acsgen/_assets/{n}" for n in tracked}
    expected |= {n.removeprefix("host/") for n in tracked if n.startswith("host/acsgen_host/")}
    assert len(expected) > 30
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert expected <= names
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"acsgen", "acsgen_host"}
    assert not [name for name in names if "__pycache__" in name]


def test_the_installed_package_is_the_wheels(clean_python: Path, tmp_path: Path) -> None:
    code = "import acsgen.support.assets as a; print(a.__file__, a.asset('hw', 'boards'))"
    for place in run([clean_python, "-c", code], tmp_path).stdout.split():
        assert str(clean_python.parent.parent) in place


def test_boards_are_listed_away_from_the_repository(clean_python: Path, tmp_path: Path) -> None:
    assert "xc7z020clg484-1" in run([clean_python.parent / "acsgen", "boards"], tmp_path).stdout


def test_a_build_from_another_directory(clean_python: Path, tmp_path: Path) -> None:
    code = "from acsgen.support.assets import asset; print(asset('models'))"
    where = run([clean_python, "-c", code], tmp_path).stdout.strip()
    model = Path(where) / "resnet8-acs-digits32.pt"
    command = [clean_python.parent / "acsgen", "build", model, "--board", "zedboard"]
    run([*command, "--images", 1, "--out", "here"], tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["here"]
    report = json.loads((tmp_path / "here" / "report.json").read_text())
    proof = report["bit_exact"]["csim"]
    assert (proof["images"], proof["mismatches"]) == (1, 0)
