"""Static timing of small netlists, whose slowest paths are worked out by hand."""

from __future__ import annotations

import pytest

from acsgen.flow.synth.harness import render_harness
from acsgen.flow.synth.netlist import SynthesisError
from acsgen.flow.synth.sta import TimedPath, TimingGraph, read_sdf
from acsgen.flow.synth.whole import describe

pytestmark = pytest.mark.unit

SDF = r"""
(DELAYFILE
  (CELL
    (CELLTYPE "top")
    (INSTANCE )
    (DELAY
      (ABSOLUTE
        (INTERCONNECT a_q/Q sum\$1/A (0:0:0) (0:0:0))
        (INTERCONNECT b_q/Q sum\$1/B (0:0:0) (0:0:0))
        (INTERCONNECT sum\$1/FCO sum\$2/FCI (0:0:0) (0:0:0))
        (INTERCONNECT sum\$2/F c_q/DI (0:0:0) (0:0:0))
        (INTERCONNECT pad/O b_q/DI (0:0:0) (0:0:0))
        (INTERCONNECT clock/O a_q/CLK (0:0:0) (0:0:0))
      )
    )
  )
  (CELL
    (CELLTYPE "TRELLIS_FF")
    (INSTANCE a_q)
        (IOPATH CLK Q (430:477:525) (430:477:500))
        (SETUPHOLD (posedge DI) (posedge CLK) (0:0:0) (267:285:303))
  )
  (CELL
    (CELLTYPE "TRELLIS_FF")
    (INSTANCE b_q)
        (IOPATH CLK Q (430:477:600) (430:477:500))
        (SETUPHOLD (posedge DI) (posedge CLK) (0:0:0) (267:285:303))
  )
  (CELL
    (CELLTYPE "TRELLIS_FF")
    (INSTANCE c_q)
        (IOPATH CLK Q (430:477:525) (430:477:525))
        (SETUPHOLD (posedge DI) (posedge CLK) (10:20:30) (267:285:303))
  )
  (CELL
    (CELLTYPE "TRELLIS_COMB")
    (INSTANCE sum\$1)
        (IOPATH A FCO (175:311:447) (175:311:400))
        (IOPATH B FCO (175:311:300) (175:311:300))
  )
  (CELL
    (CELLTYPE "TRELLIS_COMB")
    (INSTANCE sum\$2)
        (IOPATH FCI F (295:349:403) (295:349:403))
  )
)
"""


def test_the_slowest_path_adds_up() -> None:
    graph = read_sdf(SDF.splitlines(), 1000)
    (path,) = graph.slowest(5)
    assert path.pins == (*("a_q/Q", "sum$1/A", "sum$1/FCO", "sum$2/FCI", "sum$2/F", "c_q/DI"),)
    # A carry and the way into the register of a slice are no wires.
    assert path.wires_ps == 1000
    assert path.ps == 525 + 1000 + 447 + 0 + 403 + 0 + 30
    assert path.cells() == ["a_q", "sum$1", "sum$2", "c_q"]


def test_after_placement_wires_have_the_delays_of_the_file() -> None:
    placed = SDF.replace("a_q/Q sum\\$1/A (0:0:0) (0:0:0)", "a_q/Q sum\\$1/A (800:900:960) (1:2:3)")
    placed = placed.replace("sum\\$2/F c_q/DI (0:0:0)", "sum\\$2/F c_q/DI (700:700:700)")
    (path,) = read_sdf(placed.splitlines()).slowest(1)
    # The register beside a table has no wire before it, whatever the file says.
    assert path.pins[0] == "a_q/Q"
    assert (path.ps, path.wires_ps) == (525 + 960 + 447 + 403 + 30, 960)


def test_the_later_of_two_ways_counts() -> None:
    graph = read_sdf(SDF.replace("(175:311:300)", "(175:311:500)").splitlines(), 1000)
    (path,) = graph.slowest(5)
    assert path.pins[0] == "b_q/Q"
    assert path.ps == 600 + 1000 + 500 + 403 + 30


def test_slowest_paths_have_different_titles() -> None:
    graph = TimingGraph()
    graph.launch("a_q/Q", 1)
    for end, ps in (("b_q[0]/D", 5), ("b_q[1]/D", 6), ("c_q/D", 2)):
        graph.arc("a_q/Q", end, ps)
        graph.capture(end, 0)
    found = graph.slowest(9, lambda path: path.cells()[-1].partition("[")[0])
    assert [path.ps for path in found] == [7, 3]


def test_a_loop_and_a_netlist_without_registers_are_told() -> None:
    graph = TimingGraph()
    with pytest.raises(SynthesisError, match="no path"):
        graph.slowest(1)
    graph.arc("a/O", "b/I", 1)
    graph.arc("b/I", "a/O", 1)
    with pytest.raises(SynthesisError, match=r"loop leads through or to (a/O|b/I)"):
        graph.slowest(1)


def test_a_path_is_told_with_its_units() -> None:
    path = TimedPath(
        4000,
        3000,
        ("u_top.u_engine.u_a.x_q/Q", "u_top.u_engine.u_b.y/A", "u_top.u_engine.u_c.z_q/D"),
    )
    assert describe(path, lambda cell: cell) == (
        "u_a.x_q -> u_c.z_q, 4.0 ns (1.0 logic), by way of u_a u_b u_c"
    )


def test_the_harness_has_every_port_once() -> None:
    ports = {
        "clk": {"direction": "input", "bits": [2]},
        "rst_n": {"direction": "input", "bits": [3]},
        "a": {"direction": "input", "bits": [4, 5, 6]},
        "b": {"direction": "input", "bits": [7]},
        "y": {"direction": "output", "bits": [8, 9]},
        "z": {"direction": "output", "bits": [10]},
    }
    text = render_harness("unit", ports, {"N": 2})
    assert "unit #(.N(2)) u_top (" in text
    for pin in (".clk(clk)", ".a(in_q[0+:3])", ".b(in_q[3+:1])", ".y(outputs[0+:2])"):
        assert pin in text
    assert ".z(outputs[2+:1])" in text
    assert "logic [3:0] in_q;" in text
