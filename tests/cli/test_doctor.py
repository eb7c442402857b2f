"""``acsgen doctor``: what is there, what is too old, what is missing; and where Vivado is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from acsgen.cli import app
from acsgen.flow import doctor
from acsgen.flow.doctor import Finding, diagnose
from acsgen.support.xilinx import find_xilinx, settings_of, version_in

pytestmark = pytest.mark.unit


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def found(name: str) -> Finding:
    (finding,) = [finding for finding in diagnose() if finding.name == name]
    return finding


def test_this_machine_builds_and_the_figures_are_json() -> None:
    said = CliRunner().invoke(app, ["doctor", "--json", "-"])
    assert said.exit_code == 0, said.output
    findings = {item["name"]: item for item in json.loads(said.stdout)}
    for name in ("g++", "torch", "verilator", "vivado", "pynq", "acsgen[synth]"):
        assert findings[name]["enables"], name
        assert findings[name]["works"] or findings[name]["remedy"], name
    assert findings["g++"]["version"]


def test_extras_are_written_as_pip_takes_them() -> None:
    assert "acsgen[synth]" in CliRunner().invoke(app, ["doctor"]).stdout


def test_a_machine_without_a_compiler_cannot_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    said = CliRunner().invoke(app, ["doctor"])
    assert said.exit_code == 1
    assert "does not work without: g++" in said.stderr
    assert "apt-get install g++" in " ".join(said.stdout.split())


def test_a_variable_that_names_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert "CXX names no-such-compiler" in found("g++").remedy


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("echo Verilator 4.038", "too old"),
        ("exit 3", "exit status 3"),
        ("exec sleep 60", "does not answer"),
    ],
)
def test_a_tool_that_is_no_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, words: str
) -> None:
    monkeypatch.setenv("VERILATOR", str(script(tmp_path / "verilator", text)))
    if "sleep" in text:
        # Not for the others: on a machine with much to do even these take so long.
        monkeypatch.setattr(doctor, "TIMEOUT", 0.5)
    finding = found("verilator")
    assert not finding.works
    assert words in finding.remedy
    assert "apt-get install verilator" in finding.remedy


def test_a_package_that_is_missing_or_too_old() -> None:
    assert not doctor._package("no-such-package", (), True, "").works
    old = doctor._package("pytest", (999, 1), True, "")
    assert (old.works, old.remedy) == (False, "pip install 'pytest>=999.1'")


def test_it_answers_without_torch() -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "sys.argv = ['acsgen', 'doctor']\n"
        "from acsgen.cli import main\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("layout", ["Vivado/{}/bin/vivado", "{}/Vivado/bin/vivado"])
def test_the_newest_vivado_of_a_folder_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("XILINX_VIVADO", raising=False)
    for version in ("2019.2", "2024.1.2", "2024.2", "2023.2"):
        script(tmp_path / layout.format(version), "exit 0")
    monkeypatch.setenv("XILINX_ROOT", str(tmp_path))
    tool = find_xilinx("vivado")
    assert tool is not None
    assert tool.path == tmp_path / layout.format("2024.2")
    assert (tool.version, tool.on_path) == ("2024.2", False)
    settings = tool.path.parent.parent / "settings64.sh"
    assert settings_of(tool) is None
    settings.write_text("")
    assert settings_of(tool) == settings
    assert str(settings) in found("vivado").remedy


def test_a_command_on_the_path_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script(tmp_path / "Vivado/2024.2/bin/vivado", "exit 0")
    on_path = script(tmp_path / "Vivado/2022.1/bin/vivado", "exit 0")
    monkeypatch.setenv("PATH", os.pathsep.join([str(on_path.parent), os.environ["PATH"]]))
    tool = find_xilinx("vivado", [tmp_path])
    assert tool is not None
    assert (tool.path, tool.version, tool.on_path) == (on_path, "2022.1", True)


def test_a_file_that_cannot_be_run_is_no_tool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for variable in ("XILINX_VIVADO", "XILINX_VITIS", "XILINX_HLS"):
        monkeypatch.delenv(variable, raising=False)
    (tmp_path / "Vitis/2024.2/bin").mkdir(parents=True)
    (tmp_path / "Vitis/2024.2/bin/v++").write_text("")
    assert find_xilinx("v++", [tmp_path]) is None


def test_versions_in_paths() -> None:
    assert version_in(Path("/opt/Xilinx/2025.1/Vivado/bin/vivado")) == "2025.1"
    assert version_in(Path("/usr/bin/vivado-of-mine")) == ""
