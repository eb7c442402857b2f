"""The scripts for Vivado: whatever names there are, they stay scripts; the page fits a screen."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from acsgen.emit.vivado import bitstream_name, memory_links, render_vivado
from acsgen.program.board import board_names, load_board

NASTY = 'a "net"; [exit 3] $x {\nexit 4\\'


def test_a_name_like_a_script_runs_nothing(tmp_path: Path) -> None:
    board = load_board("zedboard").model_copy(update={"title": NASTY})
    render_vivado(tmp_path, model=NASTY, board=board, engines=("rtl",))
    assert bitstream_name(NASTY, board) == "a_net_exit_3_x_exit_4_-zedboard"
    if shutil.which("tclsh") is None:
        pytest.skip("tclsh is not installed")
    script = 'source settings.tcl; puts "$name $part $masters"'
    done = subprocess.run(
        ["tclsh"], input=script, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == ("a_net_exit_3_x_exit_4_-zedboard xc7z020clg484-1 gmem0 gmem1 gmem2\n")
    for path in tmp_path.glob("*.tcl"):
        assert not re.search(r"^exit", path.read_text(), re.M)


@pytest.mark.unit
@pytest.mark.parametrize("name", board_names())
def test_the_page_fits_a_screen_and_every_port_is_served(tmp_path: Path, name: str) -> None:
    board = load_board(name)
    render_vivado(tmp_path, model="net", board=board, engines=("hls", "rtl"))
    assert len((tmp_path / "README.md").read_text().splitlines()) <= 50
    served = [master for link in memory_links(board) for master in link.masters]
    assert sorted(served) == ["gmem0", "gmem1", "gmem2"]


@pytest.mark.parametrize(("engine", "other"), [("hls", "rtl"), ("rtl", "hls")])
def test_an_engine_that_was_not_rendered(tmp_path: Path, engine: str, other: str) -> None:
    render_vivado(tmp_path, model="net", board=load_board("kv260"), engines=(engine,))
    done = subprocess.run(
        ["make", "-C", str(tmp_path), f"ENGINE={other}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert f"this build has no engine {other}" in done.stderr


@pytest.mark.parametrize(("content", "digits"), [(b"0", 8), (b"47", 9), (b"72", 14)])
def test_make_and_acsgen_agree_on_the_hash(tmp_path: Path, content: bytes, digits: int) -> None:
    """Eight digits without a letter get more, up to the first letter."""
    from acsgen_host.locate import hashed_stem

    render_vivado(tmp_path, model="net", board=load_board("kv260"), engines=("rtl",))
    results = tmp_path / "results-rtl"
    results.mkdir()
    (results / "design.bit").write_bytes(content)
    (results / "design.hwh").touch()
    stem = hashed_stem("net-kv260", results / "design.bit", results / "design.hwh")
    makefile = tmp_path / "Makefile"
    makefile.write_text(makefile.read_text().replace("all: bitstream", "all:"))
    subprocess.run(["make", "-C", str(tmp_path)], capture_output=True, check=True)
    assert (results / f"{stem}.bit").is_file()
    assert len(stem.rsplit("-", 1)[1]) == digits
