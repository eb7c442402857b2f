"""The netlists that Yosys makes of the modules with multipliers equal their sources.

The netlist runs beside the source and beside its definition in whole integers, under Verilator with
the primitives' models that come with Yosys.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from acsgen.emit.rtl_sources import PACKAGES
from acsgen.flow.synth.run import synthesis_commands
from acsgen.flow.synth.units import Unit
from acsgen.flow.synth.yosys import run_yosys
from acsgen.support.assets import asset

pytestmark = [pytest.mark.rtl, pytest.mark.xdist_group("synthesis")]

CYCLES = 20_000
_MAIN = """
#include "Vtwin.h"
#include <cstdio>
int main() {
    Vtwin twin;
    for (int cycle = 0; cycle < %d; ++cycle) {
        twin.clk_i = 0;
        twin.eval();
        twin.clk_i = 1;
        twin.eval();
    }
    std::printf("%%u %%u\\n", twin.compared_o, twin.wrong_o);
}
"""


def _defines(unit: Unit) -> list[str]:
    """Return what a twin has to know of its unit."""
    sizes = dict(unit.parameters)
    return [f"-DWIDE=1'b{sizes.get('Wide', 0)}", f"-DDSP=1'b{sizes.get('Dsp', 1)}"]


@pytest.mark.parametrize(
    "unit",
    [
        Unit("acs_requantize", ()),
        Unit("acs_requantize", (("Wide", 1),)),
        Unit("acs_requantize", (("Dsp", 0),)),
        # Minutes: g++ has every gate of 64 lanes to compile.
        pytest.param(
            Unit("acs_lane_group", (("MultiplierBits", 25), ("SumBits", 29))),
            marks=pytest.mark.slow,
        ),
    ],
    ids=["requantize", "requantize_wide", "requantize_tables", "lanes"],
)
def test_netlist_and_source_agree(unit: Unit, tmp_path: Path) -> None:
    pytest.importorskip("pyosys", reason="Yosys is not installed")
    if shutil.which("verilator") is None:
        pytest.skip("verilator is not installed")
    rtl = asset("hw", "rtl")
    netlist, primitives, main = (tmp_path / n for n in ("netlist.v", "cells.v", "main.cpp"))
    log = run_yosys(
        [
            [
                *synthesis_commands(unit),
                f"rename {unit.module} {unit.module}_netlist",
                f'write_verilog -noattr "{netlist}"',
            ]
        ],
        rtl,
    )
    assert "DSP48E1" in log
    import pyosys

    share = Path(pyosys.__file__).parent / "share" / "xilinx"
    primitives.write_text((share / "cells_sim.v").read_text(encoding="utf-8"), encoding="utf-8")
    main.write_text(_MAIN % CYCLES, encoding="utf-8")
    bench = Path(__file__).with_name(f"{unit.module.removeprefix('acs_')}_twin.sv")
    built = subprocess.run(
        [
            *("verilator", "--cc", "--exe", "--build", "-j", "1", "-O3", "-Wno-fatal", "-Wno-lint"),
            *("-Wno-style", "--bbox-unsup", "-DSYNTHESIS", *_defines(unit)),
            *("-CFLAGS", "-O0", "--prefix", "Vtwin", "--top-module", bench.stem),
            *("--Mdir", str(tmp_path / "model")),
            *(str(rtl / name) for name in (*PACKAGES, "acs_product.sv", f"{unit.module}.sv")),
            *map(str, (bench, netlist, primitives, main)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    ran = subprocess.run([tmp_path / "model" / "Vtwin"], capture_output=True, text=True, check=True)
    compared, wrong = map(int, ran.stdout.split())
    assert compared > CYCLES * 0.8
    assert wrong == 0
