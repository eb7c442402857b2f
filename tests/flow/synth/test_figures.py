"""Counting, comparing and the command, without Yosys."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import acsgen.flow.synth
from acsgen.cli import app
from acsgen.flow.synth import (
    Figures,
    Synthesis,
    SynthesisError,
    Unit,
    compare,
    known_results,
    load_baseline,
    save_baseline,
)
from acsgen.flow.synth.netlist import count_cells
from acsgen.flow.synth.run import UnitResult
from acsgen.flow.synth.table import BEGIN, END, synthesis_table
from acsgen.flow.synth.units import Elaborated, modules, occurrences
from acsgen.program.board import load_board
from acsgen.program.engine_config import EngineConfig
from acsgen.support.assets import asset
from acsgen.support.errors import UserError

pytestmark = pytest.mark.unit

ENGINE = EngineConfig(4, feature_kib=256, weight_kib=32, vector_bytes=8192)
TOP, LANES = Unit("acs_engine", ()), Unit("acs_lane_group", (("SumBits", 29),))


def synthesis(**changed: int) -> Synthesis:
    lanes = replace(Figures(dsp=32, bram18=0, lut=2000, ff=2050), **changed)
    units = {
        TOP: UnitResult(Figures(0, 3, 100, 10), 1, 900, "aa"),
        LANES: UnitResult(lanes, 4, 2000, "bb"),
    }
    return Synthesis(ENGINE, "0.70", units)


def cell(kind: str, **connections: list[int | str]) -> dict[str, Any]:
    return {"type": kind, "connections": connections}


def test_cells_are_counted_by_the_sites_they_take() -> None:
    module = {
        "cells": {
            "a": cell("LUT6", O=[7]),
            "b": cell("INV", O=[8]),
            "c": cell("RAM64M"),
            "d": cell("SRL16E"),
            "e": cell("FDRE"),
            "f": cell("FDSE"),
            "g": cell("RAMB36E1"),
            "h": cell("RAMB18E1"),
            "i": cell("DSP48E1"),
            # Driven by a table, not driven by one, constant.
            "j": cell("CARRY4", S=[7, 9, "0", 8]),
            "k": cell("MUXF7"),
            "l": cell("acs_bank"),
        }
    }
    found = count_cells(module, {"acs_bank"})
    assert found == Figures(dsp=1, bram18=3, lut=1 + 1 + 4 + 1 + 1, ff=2)
    assert found.bram36 == 1.5
    with pytest.raises(SynthesisError, match="acs_bank"):
        count_cells(module, set())


def test_occurrences_multiply_down_the_hierarchy() -> None:
    array, bank = Unit("acs_array", ()), Unit("acs_bank", (("Depth", 8),))
    elaborated = {
        TOP: Elaborated({array: 1, bank: 2}, "", 1, frozenset()),
        array: Elaborated({bank: 8, LANES: 4}, "", 1, frozenset()),
        bank: Elaborated({}, "", 1, frozenset()),
        LANES: Elaborated({}, "", 1, frozenset()),
    }
    assert occurrences(TOP, elaborated) == Counter({bank: 10, LANES: 4, TOP: 1, array: 1})


def test_parameters_are_found_in_the_sources() -> None:
    declared = modules()
    assert declared["acs_engine"] >= {"LaneGroups", "PostLanes"}
    assert declared["acs_lane_group"] == {"MultiplierBits", "SumBits"}
    assert declared["acs_requantize"] == {"Dsp", "Wide"}
    assert declared["acs_places"] == set()


def test_what_a_part_has_too_little_of_is_named() -> None:
    board = load_board("zedboard")
    assert synthesis().shortages(board) == []
    (short,) = synthesis(lut=14_000).shortages(board)
    assert "56100 LUT" in short
    assert "53200" in short


def test_every_difference_from_the_baseline_is_named(tmp_path: Path) -> None:
    file = tmp_path / "new" / "synthesis.json"
    save_baseline(file, {}, "zedboard", synthesis())
    kept = load_baseline(file)
    assert compare(kept, "zedboard", synthesis()) == []
    (difference,) = compare(kept, "zedboard", synthesis(lut=2001))
    assert "acs_lane_group(SumBits=29): lut is 2001, the baseline 2000" in difference
    assert compare(kept, "pynq-z1", synthesis()) == ["pynq-z1, 4 groups: no baseline"]
    (other,) = compare(kept, "zedboard", replace(synthesis(), yosys="0.71"))
    assert "do not compare" in other
    less = replace(synthesis(), units={TOP: synthesis().units[TOP]})
    assert compare(kept, "zedboard", less) == [
        "zedboard, 4 groups: acs_lane_group(SumBits=29) is no longer there"
    ]
    assert known_results(kept, "0.70")["bb"] == (synthesis().units[LANES].figures, 2000)
    assert known_results(kept, "0.71") == {}


@pytest.mark.parametrize("content", ["", "[]", '{"zedboard": 1}', '{"zedboard": {"units": 2}}'])
def test_a_damaged_baseline_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "synthesis.json"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(UserError, match="not a baseline"):
        load_baseline(file)


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = [synthesis(), synthesis(), synthesis(ff=1), synthesis(dsp=60)]

    def fake(engine: EngineConfig, jobs: int | None, on_stage: object) -> Synthesis:
        assert engine == EngineConfig.for_board(load_board("zedboard"))
        return results.pop(0)

    monkeypatch.setattr(acsgen.flow.synth, "synthesize", fake)
    file = str(tmp_path / "synthesis.json")
    runner = CliRunner()
    assert runner.invoke(app, ["synth", "--baseline", file, "--update"]).exit_code == 0
    assert len(json.loads(Path(file).read_text(encoding="utf-8"))) == 1
    same = runner.invoke(app, ["synth", "--baseline", file])
    assert same.exit_code == 0
    assert "as in the baseline" in same.output
    other = runner.invoke(app, ["synth", "--baseline", file])
    assert other.exit_code == 1
    assert "ff is 1, the baseline 2050" in other.output
    large = runner.invoke(app, ["synth", "--baseline", file, "--update"])
    assert large.exit_code == 1
    assert "240 DSP" in large.output


def test_a_part_of_another_family_is_refused() -> None:
    refused = CliRunner().invoke(app, ["synth", "--board", "zcu104"])
    assert refused.exit_code == 2
    assert "7 series" in refused.output


def test_the_readme_has_the_recorded_figures() -> None:
    text = asset("hw", "rtl", "README.md").read_text(encoding="utf-8")
    written = text.split(BEGIN)[1].split(END)[0].strip()
    recorded = load_baseline(asset("benchmarks", "synthesis.json"))
    assert written == synthesis_table(recorded), "renew it: python -m acsgen.flow.synth.table"


def test_the_table_adds_up_modules(tmp_path: Path) -> None:
    file = tmp_path / "synthesis.json"
    save_baseline(file, {}, "zedboard", synthesis())
    lines = synthesis_table(load_baseline(file)).splitlines()
    assert lines[0].startswith("4 lane groups (256 lanes), `PostLanes` 16, `xc7z020clg484-1`")
    assert not any("does not fit" in line for line in lines)
    assert lines[4:] == [
        "| `acs_lane_group` | 4 | 128 | 0 | 8,000 | 8,200 |",
        "| `acs_engine` | 1 | 0 | 1.5 | 100 | 10 |",
        "| all |  | 128 | 1.5 | 8,100 | 8,210 |",
        "| of the part | | 58.2 % | 1.1 % | 15.2 % | 7.7 % |",
    ]
    save_baseline(file, {}, "zedboard", synthesis(dsp=60))
    large = synthesis_table(load_baseline(file)).splitlines()
    assert large[-1] == "It does not fit: 240 DSP48E1 of 220."
