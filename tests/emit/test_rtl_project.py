"""The RTL of a build: lint-clean, with the ports that Vitis HLS gives the C++, and packaged."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from acsgen.emit.rtl import render_rtl
from acsgen.isa.generated import Register
from acsgen.program.board import load_board
from acsgen.program.engine_config import EngineConfig
from tests.differential.engines import CONFIGURATIONS
from tests.engines.csim.rendering import render_engine

#: Ports, by Vitis HLS, of an m_axi bundle with 64-bit addresses and data: bits by signal, with the
#: direction seen from the engine.
M_AXI = {
    "AWVALID": ("output", 1), "AWREADY": ("input", 1), "AWADDR": ("output", 64),
    "AWID": ("output", 1), "AWLEN": ("output", 8), "AWSIZE": ("output", 3),
    "AWBURST": ("output", 2), "AWLOCK": ("output", 2), "AWCACHE": ("output", 4),
    "AWPROT": ("output", 3), "AWQOS": ("output", 4), "AWREGION": ("output", 4),
    "AWUSER": ("output", 1), "WVALID": ("output", 1), "WREADY": ("input", 1),
    "WDATA": ("output", 64), "WSTRB": ("output", 8), "WLAST": ("output", 1), "WID": ("output", 1),
    "WUSER": ("output", 1), "ARVALID": ("output", 1), "ARREADY": ("input", 1),
    "ARADDR": ("output", 64), "ARID": ("output", 1), "ARLEN": ("output", 8),
    "ARSIZE": ("output", 3), "ARBURST": ("output", 2), "ARLOCK": ("output", 2),
    "ARCACHE": ("output", 4), "ARPROT": ("output", 3), "ARQOS": ("output", 4),
    "ARREGION": ("output", 4), "ARUSER": ("output", 1), "RVALID": ("input", 1),
    "RREADY": ("output", 1), "RDATA": ("input", 64), "RLAST": ("input", 1), "RID": ("input", 1),
    "RUSER": ("input", 1), "RRESP": ("input", 2), "BVALID": ("input", 1), "BREADY": ("output", 1),
    "BRESP": ("input", 2), "BID": ("input", 1), "BUSER": ("input", 1),
}  # fmt: skip

#: Ports of an s_axilite bundle; the address is as wide as its last register needs.
S_AXILITE = {
    "AWVALID": ("input", 1), "AWREADY": ("output", 1), "WVALID": ("input", 1),
    "WREADY": ("output", 1), "WDATA": ("input", 32), "WSTRB": ("input", 4),
    "ARVALID": ("input", 1), "ARREADY": ("output", 1), "RVALID": ("output", 1),
    "RREADY": ("input", 1), "RDATA": ("output", 32), "RRESP": ("output", 2),
    "BVALID": ("output", 1), "BREADY": ("input", 1), "BRESP": ("output", 2),
}  # fmt: skip


@pytest.fixture
def rtl(tmp_path: Path) -> Path:
    board = load_board("zedboard")
    folder = tmp_path / "rtl"
    render_rtl(folder, model="test", board=board, engine=EngineConfig.for_board(board))
    return folder


def hls_ports(source: str) -> dict[str, tuple[str, int]]:
    """Ports that Vitis HLS makes of the INTERFACE directives of the C++ engine."""
    directives = re.findall(r"#pragma HLS INTERFACE (.*)", source)
    options = [dict(re.findall(r"(\w+)=(\S+)", line)) for line in directives]
    ports = {"ap_clk": ("input", 1), "ap_rst_n": ("input", 1), "interrupt": ("output", 1)}
    for bundle in {o["bundle"] for o in options if o["mode"] == "m_axi"}:
        ports |= {f"m_axi_{bundle}_{signal}": port for signal, port in M_AXI.items()}
    for bundle in {o.get("bundle", "control") for o in options if o["mode"] == "s_axilite"}:
        ports |= {f"s_axi_{bundle}_{signal}": port for signal, port in S_AXILITE.items()}
        last = max(Register) + 4
        for signal in ("AWADDR", "ARADDR"):
            ports[f"s_axi_{bundle}_{signal}"] = ("input", last.bit_length())
    return ports


def test_the_ports_are_those_of_the_hls_engine(rtl: Path, tmp_path: Path) -> None:
    hls = render_engine(tmp_path / "hls", EngineConfig.for_board(load_board("zedboard")))
    text = (rtl / "acs_engine_top.v").read_text()
    declared = re.findall(r"^  (input|output) +wire +(?:\[(\d+):0\])? *(\w+),?$", text, re.M)
    found = {name: (way, int(high or 0) + 1) for way, high, name in declared}
    assert found == hls_ports((hls / "acs_engine.cpp").read_text())


def test_two_pixels_share_a_multiplier_of_the_part(rtl: Path) -> None:
    assert ".MultiplierBits(25)" in (rtl / "acs_engine_top.v").read_text()


@pytest.mark.rtl
@pytest.mark.parametrize("lane_groups", sorted(CONFIGURATIONS))
def test_the_file_list_is_lint_clean(tmp_path: Path, lane_groups: int) -> None:
    if shutil.which("verilator") is None:
        pytest.skip("verilator is not installed")
    render_rtl(
        tmp_path, model="test", board=load_board("zedboard"), engine=CONFIGURATIONS[lane_groups]
    )
    done = subprocess.run(
        ["verilator", "--lint-only", "-Wall", "-f", "files.f"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


#: Vivado's commands in place of Vivado: each call is written down, with the result it would give.
VIVADO = r"""
proc log {args} { puts $args }
foreach name {create_project add_files set_property update_compile_order close_project
              current_fileset get_parts
              ipx::package_project ipx::associate_bus_interfaces ipx::add_bus_parameter
              ipx::get_bus_parameters
              ipx::get_memory_maps ipx::get_address_blocks ipx::add_register
              ipx::create_xgui_files ipx::update_checksums ipx::check_integrity ipx::save_core
              ipx::current_core ipx::infer_bus_interface get_property} {
  namespace eval [namespace qualifiers ::$name] {}
  proc ::$name {args} [string map [list @ $name] {
    log @ {*}$args
    switch -glob @ {
      add_files              { return [lindex $args end] }
      ipx::add_*             { return [lindex $args 0] }
      ipx::get_bus_parameters { return {} }
      get_property           { return zynq }
      current_fileset        { return sources_1 }
      default                { return [list one] }
    }
  }]
}
proc ipx::get_bus_interfaces {name args} { if {$name in $::ports} { return $name } }
"""


def packaged(rtl: Path, ports: str) -> subprocess.CompletedProcess[str]:
    """Run the packaging script under tclsh; ``ports`` are the interfaces that Vivado infers."""
    if shutil.which("tclsh") is None:
        pytest.skip("tclsh is not installed")
    script = f"set ports {{{ports}}}\n{VIVADO}\nsource package_ip.tcl\n"
    return subprocess.run(
        ["tclsh"], input=script, cwd=rtl, capture_output=True, text=True, check=False
    )


INTERFACES = "s_axi_control m_axi_gmem0 m_axi_gmem1 m_axi_gmem2 ap_rst_n"


def test_the_packaging_script_runs_under_tcl(rtl: Path) -> None:
    """Syntax, variables and file names are right; Vivado itself is not at hand here."""
    done = packaged(rtl, INTERFACES)
    assert done.returncode == 0
    assert "error" not in done.stderr
    calls = done.stdout.splitlines()
    assert calls[-1].startswith("packaged acs_engine into ")
    added = {Path(line.split()[-1]).name for line in calls if line.startswith("add_files")}
    assert added == {path.name for path in rtl.iterdir() if path.suffix in (".sv", ".v")}
    for path in [line.split()[-1] for line in calls if line.startswith("add_files")]:
        assert Path(path).is_file()
    assert "set_property top acs_engine_top sources_1" in calls
    assert "set_property name acs_engine one" in calls
    (made,) = [line for line in calls if line.startswith("ipx::package_project")]
    assert "-vendor xilinx.com -library hls" in made
    assert [line.split()[1:3] for line in calls if "infer_bus_interface" in line] == [
        ["interrupt", "xilinx.com:signal:interrupt_rtl:1.0"]
    ]


def test_the_packaged_registers_are_those_of_the_specification(rtl: Path) -> None:
    calls = packaged(rtl, INTERFACES).stdout.splitlines()
    pattern = re.compile(r"set_property address_offset (0x[0-9a-f]+) (\w+)")
    found = {m[2].upper(): int(m[1], 16) for line in calls if (m := pattern.match(line))}
    for register in Register:
        renamed = {"CONTROL": "CTRL", "GIE": "GIER", "IER": "IP_IER", "ISR": "IP_ISR"}
        name = renamed.get(register.name, register.name)
        if name in ("PROGRAM", "PARAMS", "IMAGE", "RESULT"):
            assert (found[f"{name}_1"], found[f"{name}_2"]) == (register, register + 4)
        else:
            assert found[name] == register


def test_an_interface_that_vivado_does_not_infer_stops_the_packaging(rtl: Path) -> None:
    done = packaged(rtl, INTERFACES.replace("m_axi_gmem1 ", ""))
    assert "did not infer the interface m_axi_gmem1" in done.stderr
    assert "save_core" not in done.stdout
