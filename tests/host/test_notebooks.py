"""The notebooks, executed from beginning to end; their outputs are looked at."""

from __future__ import annotations

import base64
import importlib.util
import json
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from acsgen.support.assets import asset, asset_root

from .conftest import THROUGH_PYNQ, Prepared

if THROUGH_PYNQ or importlib.util.find_spec("nbclient") is None:
    pytest.skip("nbclient is not installed", allow_module_level=True)

import nbformat
from acsgen_host import BackendError
from acsgen_host.notebook import start
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

pytestmark = pytest.mark.xdist_group("notebooks")

NAMES = (
    "1_first_inference",
    "2_skip_knob",
    "3_power_and_energy",
    "4_budget",
    "5_where_it_skips",
)


def kernel(folder: Path, python: str) -> str:
    """Write the description of a kernel that has nothing of this environment."""
    place = folder / "kernels" / "board"
    place.mkdir(parents=True, exist_ok=True)
    command = [python, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    description = {"argv": command, "display_name": "board", "language": "python"}
    (place / "kernel.json").write_text(json.dumps(description))
    return str(folder)


def execute(
    build: Path, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, python: str
) -> tuple[str, list[bytes]]:
    """Run a notebook where it lies; return what it printed, and its pictures."""
    for variable in [v for v in os.environ if v.startswith(("PYTHON", "ACSGEN_BUILD"))]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("JUPYTER_PATH", kernel(tmp_path, python))
    notebook = nbformat.read(build / "host" / "notebooks" / f"{name}.ipynb", as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = []
    resources = {"metadata": {"path": str(build / "host" / "notebooks")}}
    NotebookClient(notebook, timeout=300, kernel_name="board", resources=resources).execute()
    return outputs(notebook)


def outputs(notebook: Any) -> tuple[str, list[bytes]]:
    found = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert not [output for output in found if output.output_type == "error"]
    text = "".join(o.text for o in found if o.output_type == "stream" and o.name == "stdout")
    images = [o.data["image/png"] for o in found if "image/png" in o.get("data", {})]
    return text, [base64.b64decode(image) for image in images]


def check(name: str, text: str, pictures: list[bytes], prepared: Prepared) -> None:
    """Require what a notebook must print and draw about the network of these tests."""
    assert "driver-test on csim simulation: 4 images of 3x14x13, 4 gates" in text
    assert "SIMULATION:" in text
    assert all(picture.startswith(b"\x89PNG") for picture in pictures)
    macs = {case: prepared.golden[f"{case}/macs"].mean() for case in ("open", "trained", "closed")}
    if name.startswith("1"):
        assert f"class {prepared.golden['trained/logits'][0].argmax()} " in text
        assert "agreement with the network as trained: 100.0% of 4 images" in text
        assert re.search(r"\d ms, simulated cycles at \d+ MHz, assumed\n", text)
        assert "8 runs" in text
        assert ", 0 mismatches\nPASS\n" in text
        assert len(pictures) == 1
    elif name.startswith("2"):
        for strictness, case in (("0.00", "open"), ("0.50", "trained"), ("1.00", "closed")):
            assert f"strictness {strictness}: " in text
            assert f"{macs[case]:12,.0f} MACs" in text
        saved = 1 - macs["trained"] / macs["open"]
        assert f"as trained: {saved:.1%} of the MACs" in text
        for strictness in ("0.20", "0.50", "0.80"):
            assert f"strictness {strictness}: classes [" in text
        assert len(pictures) == 1
    elif name.startswith("3"):
        assert "S Y N T H E T I C   P O W E R" in text
        assert f"{100 * (1 - macs['trained'] / macs['open']):11.1f}" in text
        assert "SYNTHETIC Energy Savings, above idle (%)" in text
        assert "model fitted to 5 synthetic points" in text
        assert "measured points" not in text
        assert len(pictures) == 1
    elif name.startswith("4"):
        assert "this network has no early exits" in text
        assert "MACs an image are less than any strictness takes" in text
        assert len(pictures) == 1
    else:
        assert "MACs skipped: " in text
        assert len(pictures) == 3
        for gate in prepared.bundle.gates:
            share = 1 - prepared.golden[f"trained/masks/{gate}"].mean()
            assert f"{gate}: {share:.1%} skipped" in text


@pytest.mark.parametrize("name", NAMES)
def test_it_runs(
    build: Path,
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    prepared: Prepared,
) -> None:
    check(name, *execute(build, name, tmp_path, monkeypatch, sys.executable), prepared)


@pytest.mark.parametrize("name", NAMES)
def test_it_runs_with_the_python_of_a_board(
    build: Path,
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    prepared: Prepared,
    board_python: Path,
) -> None:
    text, pictures = execute(build, name, tmp_path, monkeypatch, str(board_python))
    check(name, text, pictures, prepared)
    if name.startswith("2"):
        # The older image stands for one without ipywidgets.
        assert ("no ipywidgets here" in text) == ("board-3.8" in str(board_python))


@pytest.mark.unit
@pytest.mark.parametrize("name", NAMES)
def test_what_is_stored_is_of_a_run_and_says_so(name: str) -> None:
    notebook = nbformat.read(asset("host", "notebooks", f"{name}.ipynb"), as_version=4)
    nbformat.validate(notebook)
    text, pictures = outputs(notebook)
    # The notebook on budgets has a network with gates and early exits.
    model = "ddi-resnet14" if name == "4_budget" else "resnet8-acs"
    assert f"{model}-digits32 on csim simulation: 40 images" in text
    assert ("answered by branches.0.fc" in text) == (name == "4_budget")
    assert "times are simulated cycles at 100 MHz, assumed; nothing was measured." in text
    # Where a notebook prints a time, its clock is known to the reader.
    assert (name[0] in "12") == (" ms" in text)
    assert pictures
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))


@pytest.mark.unit
def test_the_cells_are_those_of_the_sources() -> None:
    """A notebook is written by scripts/make_notebooks.py, and by nobody else."""
    script = asset_root() / "scripts" / "make_notebooks.py"
    if not script.exists():
        pytest.skip("not a checkout")
    spec = importlib.util.spec_from_file_location("make_notebooks", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sources = sorted(module.CELLS.glob("*.py"))
    assert [path.stem for path in sources] == list(NAMES)
    for path in sources:
        notebook = nbformat.read(module.TARGET / f"{path.stem}.ipynb", as_version=4)
        wanted = [cell.source for cell in module.read(path).cells]
        assert [cell.source for cell in notebook.cells] == wanted, "run scripts/make_notebooks.py"


def test_a_pc_with_a_bitstream_simulates_and_a_board_does_not(
    build: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    copy = shutil.copytree(build, tmp_path / "copy")
    for suffix in ("bit", "hwh"):
        (copy / f"acs.{suffix}").write_bytes(b"")
    monkeypatch.setenv("ACSGEN_BUILD", str(copy))
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    start(1).accelerator.close()
    out = capsys.readouterr().out
    assert out.startswith("no board: pynq: cannot be imported")
    assert "SIMULATION" in out
    monkeypatch.setattr("platform.machine", lambda: "armv7l")
    with pytest.raises(BackendError, match="cannot be imported"):
        start(1)


def test_outside_of_a_build_it_says_so(
    build: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(build / "host", elsewhere / "host")
    with pytest.raises(CellExecutionError, match="notebook: is not in a build"):
        execute(elsewhere, NAMES[0], tmp_path, monkeypatch, sys.executable)
