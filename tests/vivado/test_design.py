"""The block design of every board and engine, run under tclsh, is what the board asks for."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml
from acsgen_host.handoff import check_handoff

from acsgen.program.board import board_names
from acsgen.support.assets import asset

from .conftest import VIVADO, Project
from .golden import expected, recorded

Projects = Callable[..., Project]


def board_file(name: str) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(asset("hw", "boards", f"{name}.yaml").read_text())
    return content


def compare(record: dict[str, Any], board: dict[str, Any]) -> None:
    """Fail with every part of the design that is not as the board asks for."""
    wanted, found = expected(board), recorded(record)
    assert record["part"] == board["part"]
    for part in fields(wanted):
        if part.name == "properties":
            # Properties that nobody asks for are the IPs' own.
            for cell, properties in wanted.properties.items():
                has = found.properties[cell]
                assert {name: has.get(name) for name in properties} == properties, cell
        else:
            assert getattr(found, part.name) == getattr(wanted, part.name), part.name


@pytest.mark.parametrize("engine", ["hls", "rtl"])
@pytest.mark.parametrize("name", board_names())
def test_the_design_is_the_boards(project: Projects, name: str, engine: str) -> None:
    made = project(name)
    made.make_ip(engine)
    compare(made.design(engine), board_file(name))
    results = made.path / "vivado" / f"results-{engine}"
    assert sorted(path.name for path in results.iterdir()) == [
        "design.bit",
        "design.hwh",
        "summary.txt",
        "timing_summary.rpt",
        "utilization.rpt",
        "utilization_hierarchical.rpt",
    ]
    (handed,) = check_handoff(results / "design.hwh")
    assert handed.name == "acs_engine_0"


@pytest.mark.parametrize("ports", [["HP0"], ["HP2", "HP0"], ["HP3", "HP2", "HP1", "HP0"]])
@pytest.mark.parametrize("name", ["pynq-z2", "ultra96v2"])
def test_the_engines_ports_share_those_of_the_board(
    project: Projects, name: str, ports: list[str]
) -> None:
    made = project(name, processing_system={"memory_ports": ports}, memory={"port_bits": 32})
    made.make_ip("rtl")
    board = board_file(name)
    board["processing_system"]["memory_ports"] = ports
    board["memory"]["port_bits"] = 32
    compare(made.design("rtl"), board)


def test_another_clock(project: Projects) -> None:
    made = project("zedboard")
    made.make_ip("rtl")
    board = board_file("zedboard") | {"clock_mhz": 125}
    compare(made.design("rtl", ACS_CLOCK_MHZ="125"), board)
    summary = (made.path / "vivado" / "results-rtl" / "summary.txt").read_text()
    assert "clock_mhz_asked 125\n" in summary
    assert re.search(r"^clock_mhz_board 125\.0$", summary, re.M)


def test_a_clock_that_the_divisors_do_not_make(project: Projects) -> None:
    """IO PLL 1000 MHz: 500 and 333 MHz are there, nothing in between."""
    made = project("zedboard")
    made.make_ip("rtl")
    run = [*VIVADO, "bitstream.tcl"]
    done = made.attempt(run, "vivado", ACS_ENGINE="rtl", ACS_CLOCK_MHZ="450")
    assert done.returncode == 1
    assert "near 1000 MHz divided by a whole number" in done.stdout
    assert not made.record.exists()


def test_a_clock_a_little_slower_than_asked_is_told(project: Projects) -> None:
    made = project("kv260")
    made.make_ip("rtl")
    asked = {"ACS_ENGINE": "rtl", "ACS_CLOCK_MHZ": "200"}
    said = made.run([*VIVADO, "bitstream.tcl"], "vivado", **asked)
    assert "WARNING: [acsgen] the engine is built for 187.4" in said


@pytest.mark.parametrize(
    ("pll", "status", "said"),
    [
        # Vivado takes 1000 MHz here; a boot image with a faster PLL would run the engine too fast.
        (1600, 1, "which makes 160.0 MHz there, too fast for this design"),
        (800, 0, "so that the engine runs at 80.0 MHz there"),
    ],
)
def test_the_plls_of_design_and_board_are_compared(
    project: Projects, pll: int, status: int, said: str
) -> None:
    made = project("zedboard", processing_system={"io_pll_mhz": pll})
    made.make_ip("rtl")
    done = made.attempt([*VIVADO, "bitstream.tcl"], "vivado", ACS_ENGINE="rtl")
    assert done.returncode == status, done.stdout
    assert said in " ".join(done.stdout.split())


def test_memory_that_is_not_reached_is_an_error(project: Projects) -> None:
    made = project("zedboard", processing_system={"memory_mib": 1024})
    made.make_ip("rtl")
    done = made.attempt([*VIVADO, "bitstream.tcl"], "vivado", ACS_ENGINE="rtl")
    assert done.returncode == 1
    assert "m_axi_gmem1 reaches 536870912 bytes" in done.stdout
    assert done.stdout.count("reaches 536870912") >= 3


@pytest.mark.parametrize(
    ("text", "number"),
    [("64K", 65536), ("512M", 2**29), ("2G", 2**31), ("0x10000", 65536), ("4096", 4096)],
)
def test_ranges_are_understood_in_all_forms(project: Projects, text: str, number: int) -> None:
    script = project("zedboard").path / "vivado" / "block_design.tcl"
    found = re.search(r"^proc acs::bytes_of .*?^}$", script.read_text(), re.M | re.S)
    assert found is not None
    lines = f"namespace eval acs {{}}\n{found[0]}\nputs [acs::bytes_of {text}]\n"
    (script.parent / "one.tcl").write_text(lines)
    done = subprocess.run(
        ["tclsh", script.parent / "one.tcl"], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) == number


def test_the_newest_and_the_oldest_handoff_folder(project: Projects) -> None:
    """Versions before 2020.2 have it among the sources; the script looks in both."""
    text = (project("zedboard").path / "vivado" / "bitstream.tcl").read_text()
    assert "foreach side {gen srcs}" in text


def test_no_version_of_an_ip_is_named(project: Projects) -> None:
    for name in ("zedboard", "kv260"):
        folder = project(name).path / "vivado"
        for path in (*folder.glob("*.tcl"),):
            named = re.findall(r"xilinx\.com:ip:\w+(:[0-9.]+)?", path.read_text())
            assert not any(named), path
            assert "board_part" not in path.read_text()


def test_an_ip_that_was_not_made_is_an_error(project: Projects) -> None:
    made = project("zedboard")
    done = made.attempt([*VIVADO, "bitstream.tcl"], "vivado", ACS_ENGINE="hls")
    assert done.returncode == 1
    assert "0 folders with the engine's IP" in done.stdout
    assert "make -C vivado ENGINE=hls" in " ".join(done.stdout.split())


def test_an_earlier_result_stays_where_a_later_run_fails(project: Projects) -> None:
    made = project("zedboard")
    made.make_ip("rtl")
    made.design("rtl")
    results = made.path / "vivado" / "results-rtl"
    before = {path.name: path.read_bytes() for path in results.iterdir()}
    done = made.attempt([*VIVADO, "bitstream.tcl"], "vivado", ACS_ENGINE="rtl", FAKE_FAULT="timing")
    assert done.returncode == 1
    assert "timing is not met" in done.stdout
    assert {path.name: path.read_bytes() for path in results.iterdir()} == before


def test_scripts_run_where_the_path_has_spaces(tmp_path: Path, project: Projects) -> None:
    made = project("zedboard")
    moved = tmp_path / "a folder {with} $signs"
    made.path.rename(moved)
    made.path = moved
    made.make_ip("rtl")
    compare(made.design("rtl"), board_file("zedboard"))
