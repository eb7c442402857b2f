"""The model of Vivado refuses what Vivado would refuse: each test spoils a script that is right."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import VIVADO, Project

Projects = Callable[..., Project]


def spoil(path: Path, pattern: str, new: str) -> None:
    """Replace a part of a script; fail if it is not there."""
    text, count = re.subn(pattern, lambda _: new, path.read_text(), count=1, flags=re.M)
    assert count == 1, pattern
    path.write_text(text)


#: A part of block_design.tcl, what takes its place, and the words of the refusal.
SPOILED = [
    # Commands and options.
    (r"^save_bd_design", "save_the_design", 'invalid command name "save_the_design"'),
    (r"create_bd_design \$design", "create_bd_design -name $design", "wrong # args"),
    # IPs.
    (r"ip:axi_intc ", "ip:axi_intc:4.1 ", "IP definition not found for VLNV"),
    (r"ip:axi_intc ", "ip:axi_interrupt ", "IP definition not found for VLNV"),
    (r"ip:processing_system7 ", "ip:zynq_ultra_ps_e ", "is not for this part"),
    (r"-vlnv \$engine_ip acs", "-vlnv xilinx.com:hls:other:1.0 acs", "IP definition not found"),
    # Properties and their values.
    ("PCW_USE_S_AXI_HP0", "PCW_USE_HP0", "Cannot set the parameter PCW_USE_HP0"),
    ("PCW_CRYSTAL_PERIPHERAL_FREQMHZ", "PCW_CRYSTAL_MHZ", "Cannot set the parameter"),
    ("MT41J128M16 HA-15E", "MT41J128M16", "is out of the range for parameter"),
    (r"\{32 Bit\}", "{32}", "is out of the range for parameter"),
    ("CONFIG.C_IRQ_IS_LEVEL", "C_IRQ_IS_LEVEL", "cells have no property 'C_IRQ_IS_LEVEL'"),
    ("PCW_ACT_FPGA0_PERIPHERAL_FREQMHZ", "PCW_FCLK0_ACT_FREQ", "has no property"),
    # Pins and interfaces.
    ("reset_0/ext_reset_in", "reset_0/ext_reset", "No pin matched"),
    ("acs_engine_0/ap_rst_n", "acs_engine_0/ap_rst", "No pin matched"),
    (r"ps/\$ps_irq", "ps/IRQ", "No pin matched"),
    (r"CONFIG.C_IRQ_CONNECTION \{1\} ", "", "No pin matched 'get_bd_pins axi_intc_0/irq'"),
    ("acs_engine_0/s_axi_control", "acs_engine_0/s_axi_ctrl", "No intf_pin matched"),
    ("acs_engine_0/m_axi_gmem2", "acs_engine_0/m_axi_gmem3", "No intf_pin matched"),
    (r"control_axi/M01_AXI", "control_axi/M02_AXI", "No intf_pin matched"),
    ("ps/S_AXI_HP1]", "ps/S_AXI_HP3]", "No intf_pin matched"),
    # Connections.
    ("acs_engine_0/m_axi_gmem1", "acs_engine_0/m_axi_gmem0", "is connected twice"),
    ("ps/S_AXI_HP1]", "ps/S_AXI_HP0]", "is connected twice"),
    ("reset_0/peripheral_aresetn", "reset_0/peripheral_reset", "Type mismatch"),
    (r"\[get_bd_pins acs_engine_0/ap_clk\]", "[get_bd_pins reset_0/mb_reset]", "2 drivers"),
    (
        r"\[get_bd_pins acs_engine_0/ap_clk\]",
        "[get_bd_pins acs_engine_0/ap_rst_n]",
        "Type mismatch",
    ),
    ("control_axi/S00_AXI", "control_axi/M00_AXI", "are both Master"),
    ("get_bd_intf_ports DDR", "get_bd_intf_ports FIXED_IO", "interfaces of two kinds"),
    # What stays open is found by the validation.
    (r"S_AXI_HP2_ACLK\}", "}", "ps/S_AXI_HP2_ACLK (clk) is not connected"),
    (r" \[get_bd_pins acs_engine_0/ap_clk\]", "", "acs_engine_0/ap_clk (clk) is not connected"),
    (r"^connect_bd_net .*acs_engine_0/ap_rst_n\]$", "", "acs_engine_0/ap_rst_n (rst)"),
    (r"^connect_bd_net .*axi_intc_0/irq\].*$", "", "ps/IRQ_F2P (intr) is not connected"),
    (r"^connect_bd_net .*reset_0/ext_reset_in\]$", "", "reset_0/ext_reset_in (rst)"),
    (r"^connect_bd_intf_net .*ps/DDR\].*$", "", "the interface ps/DDR is not connected"),
    (r"^connect_bd_intf_net .*m_axi_gmem1\].*$", "", "m_axi_gmem1"),
    (
        r"add_interconnect control_axi 1 2",
        "add_interconnect control_axi 1 3",
        "control_axi/M02_AXI",
    ),
]


@pytest.mark.parametrize(("pattern", "new", "refusal"), SPOILED)
def test_a_spoiled_design_is_refused(
    project: Projects, pattern: str, new: str, refusal: str
) -> None:
    made = project("zedboard")
    made.make_ip("rtl")
    spoil(made.path / "vivado" / "block_design.tcl", pattern, new)
    done = made.attempt([*VIVADO, "bitstream.tcl"], "vivado", ACS_ENGINE="rtl")
    assert done.returncode == 1, done.stdout
    assert refusal in done.stdout
    assert not (made.path / "vivado" / "results-rtl").exists()


@pytest.mark.parametrize(
    ("pattern", "new", "refusal"),
    [
        ("saxihp1_fpd_aclk", "saxi_hp1_fpd_aclk", "No pin matched"),
        ("maxihpm0_fpd_aclk ", "", "maxihpm0_fpd_aclk (clk) is not connected"),
        (
            r"CONFIG.PSU__USE__M_AXI_GP1 \{0\}",
            "CONFIG.PSU__USE__M_AXI_GP1 {1}",
            "maxihpm1_fpd_aclk",
        ),
        (
            r"PSU__USE__IRQ0 \{1\}",
            "PSU__USE__IRQ0 {0}",
            "No pin matched 'get_bd_pins ps/pl_ps_irq0'",
        ),
        ("PSU__SAXIGP3__DATA_WIDTH", "PSU__SAXIHP1__DATA_WIDTH", "Cannot set the parameter"),
        (r"^connect_bd_net .*/aresetn\]$", "", "aresetn"),
        (r"^  connect_bd_net .*/aclk\]$", "", "aclk (clk) is not connected"),
    ],
)
def test_a_spoiled_design_of_ultrascale_is_refused(
    project: Projects, pattern: str, new: str, refusal: str
) -> None:
    made = project("kv260")
    made.make_ip("rtl")
    script = made.path / "vivado" / "block_design.tcl"
    spoil(script, pattern.replace("^connect", "^ *connect"), new)
    done = made.attempt([*VIVADO, "bitstream.tcl"], "vivado", ACS_ENGINE="rtl")
    assert done.returncode == 1, done.stdout
    assert refusal in done.stdout


def test_ends_of_a_link_on_different_clocks_are_refused(project: Projects) -> None:
    made = project("zedboard")
    made.make_ip("rtl")
    script = made.path / "vivado" / "block_design.tcl"
    spoil(
        script,
        r"CONFIG.PCW_EN_CLK0_PORT \{1\}",
        "CONFIG.PCW_EN_CLK0_PORT {1} CONFIG.PCW_EN_CLK1_PORT {1}",
    )
    spoil(script, r"S_AXI_HP2_ACLK\}", "}")
    spoil(
        script,
        r"^# ---- Registers",
        "connect_bd_net [get_bd_pins ps/FCLK_CLK1] [get_bd_pins ps/S_AXI_HP2_ACLK]",
    )
    done = made.attempt([*VIVADO, "bitstream.tcl"], "vivado", ACS_ENGINE="rtl")
    assert done.returncode == 1
    assert "ps/S_AXI_HP2 are on different clocks" in done.stdout


#: A part of bitstream.tcl, likewise.
SPOILED_RUNS = [
    ("launch_runs synth_1 -jobs", "launch_runs synth_1 -j", "Unknown option '-j'"),
    (r"^acs::finish synth_1", "", "synth_1 is not complete"),
    (r"^open_run impl_1", "", "no open design"),
    ("STATS.WNS", "STATS.WNSS", "run has no property 'STATS.WNSS'"),
    (r"^validate|^set_property top .*$", "", "no top module"),
    ("-to_step write_bitstream", "-to-step write_bitstream", "Unknown option '-to-step'"),
    (r"set_property ip_repo_paths .*", "", "finds no IP"),
    (
        r"create_project \$design \$project -part \$part",
        "create_project $design $project -part xc7",
        "Specified part",
    ),
    (r"get_files \$design.bd", "get_files other.bd", "No files matched 'other.bd'"),
]


@pytest.mark.parametrize(("pattern", "new", "refusal"), SPOILED_RUNS)
def test_a_spoiled_run_is_refused(project: Projects, pattern: str, new: str, refusal: str) -> None:
    made = project("zedboard")
    made.make_ip("rtl")
    spoil(made.path / "vivado" / "bitstream.tcl", pattern, new)
    done = made.attempt([*VIVADO, "bitstream.tcl"], "vivado", ACS_ENGINE="rtl")
    assert done.returncode == 1, done.stdout
    assert refusal in done.stdout


@pytest.mark.parametrize(
    ("pattern", "new", "refusal"),
    [
        (r"m_axi_gmem1_WDATA", "m_axi_gmem1_WDAT", "did not infer the interface m_axi_gmem1"),
        (r"\bap_clk,", "clk,", "no clock ap_clk"),
    ],
)
def test_an_ip_without_its_ports_is_refused(
    project: Projects, pattern: str, new: str, refusal: str
) -> None:
    made = project("zedboard")
    spoil(made.path / "rtl" / "acs_engine_top.v", pattern, new)
    done = made.attempt([*VIVADO, "package_ip.tcl"], "rtl")
    assert done.returncode == 1, done.stdout
    assert refusal in done.stdout
