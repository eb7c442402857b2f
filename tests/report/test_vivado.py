"""Vivado's reports, in the forms that its versions write."""

from __future__ import annotations

from pathlib import Path

import pytest

from acsgen.report.vivado import PlacedResources, read_timing, read_utilization
from acsgen.support.errors import UserError

pytestmark = pytest.mark.unit

SERIES7 = """
1. Slice Logic
+-------------------------+-------+-------+-----------+-------+
|        Site Type        |  Used | Fixed | Available | Util% |
+-------------------------+-------+-------+-----------+-------+
| Slice LUTs              | 17321 |     0 |     53200 | 32.56 |
|   LUT as Logic          | 15012 |     0 |     53200 | 28.22 |
| Slice Registers         | 20107 |     0 |    106400 | 18.90 |
|   Register as Flip Flop | 20107 |     0 |    106400 | 18.90 |
3. Memory
|     Site Type     | Used | Fixed | Available | Util% |
| Block RAM Tile    | 61.5 |     0 |       140 | 43.93 |
|   RAMB36/FIFO*    |   58 |     0 |       140 | 41.43 |
4. DSP
| Site Type | Used | Fixed | Available | Util% |
| DSPs      |  131 |     0 |       220 | 59.55 |
"""

ULTRASCALE = """
1. CLB Logic
|          Site Type         |  Used | Fixed | Prohibited | Available | Util% |
| CLB LUTs*                  | 60211 |     0 |          0 |    117120 | 51.41 |
| CLB Registers              | 71234 |     0 |          0 |    234240 | 30.41 |
3. BLOCKRAM
|     Site Type     | Used | Fixed | Prohibited | Available | Util% |
| Block RAM Tile    |  120 |     0 |          0 |       144 | 83.33 |
| URAM              |    2 |     0 |          0 |        64 |  3.13 |
4. ARITHMETIC
| Site Type | Used | Fixed | Prohibited | Available | Util% |
| DSPs      |  400 |     0 |          0 |      1248 | 32.05 |
"""

TIMING = """
| Design Timing Summary
    WNS(ns)      TNS(ns)  TNS Failing Endpoints  TNS Total Endpoints      WHS(ns)      THS(ns)  \
THS Failing Endpoints  THS Total Endpoints     WPWS(ns)     TPWS(ns)
    -------      -------  ---------------------  -------------------      -------      -------  \
---------------------  -------------------     --------     --------
      {wns}      -12.345                     31               104512        0.021        0.000  \
                    0               104512        3.750        0.000

| Clock Summary
Clock       Waveform(ns)       Period(ns)      Frequency(MHz)
-----       ------------       ----------      --------------
clk_fpga_0  {{0.000 5.000}}      10.000          100.000
other       {{0.000 2.500}}      5.000           200.000
"""


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (SERIES7, PlacedResources(dsp=131, bram36=61.5, lut=17321, ff=20107)),
        (ULTRASCALE, PlacedResources(dsp=400, bram36=120, lut=60211, ff=71234, uram=2)),
    ],
)
def test_utilization(tmp_path: Path, text: str, wanted: PlacedResources) -> None:
    path = tmp_path / "utilization.rpt"
    path.write_text(text)
    assert read_utilization(path) == wanted


@pytest.mark.parametrize("row", ["Slice LUTs", "Slice Registers", "Block RAM Tile", "DSPs"])
def test_a_report_without_a_resource_is_refused(tmp_path: Path, row: str) -> None:
    path = tmp_path / "utilization.rpt"
    path.write_text("\n".join(x for x in SERIES7.splitlines() if not x.startswith(f"| {row}")))
    # Registers have a second row.
    path.write_text(path.read_text().replace("Register as Flip Flop", "other"))
    with pytest.raises(UserError, match=row):
        read_utilization(path)


@pytest.mark.parametrize("wns", ["0.412", "-0.321"])
def test_timing(tmp_path: Path, wns: str) -> None:
    path = tmp_path / "timing_summary.rpt"
    path.write_text(TIMING.format(wns=wns))
    found = read_timing(path)
    assert (found.wns_ns, found.whs_ns, found.wpws_ns) == (float(wns), 0.021, 3.75)
    assert found.periods_ns == {"clk_fpga_0": 10.0, "other": 5.0}


@pytest.mark.parametrize("text", ["", TIMING.format(wns="   NA"), "x" * 100])
def test_no_slack_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "timing_summary.rpt"
    path.write_text(text)
    with pytest.raises(UserError, match="has no slack"):
        read_timing(path)


def test_a_missing_report_is_refused(tmp_path: Path) -> None:
    for read in (read_timing, read_utilization):
        with pytest.raises(UserError, match="no such file"):
            read(tmp_path / "absent.rpt")
