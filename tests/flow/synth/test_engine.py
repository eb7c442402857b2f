"""The engine goes through Yosys and fits the ZedBoard's part.

Figures of units that are as they were when the baseline was made come from there; only units that
changed since are synthesized again.
"""

from __future__ import annotations

import pytest

from acsgen.flow.synth import compare, known_results, load_baseline, synthesize
from acsgen.flow.synth.units import elaborate, occurrences, top_unit
from acsgen.flow.synth.yosys import yosys_version
from acsgen.program.board import load_board
from acsgen.program.engine_config import EngineConfig
from acsgen.support.assets import asset

pytest.importorskip("pyosys", reason="Yosys is not installed")
pytestmark = [pytest.mark.xdist_group("synthesis")]

BOARD = load_board("zedboard")
#: The board's engine has four groups of lanes.  Six, with 192 of the part's 220 DSPs in the lanes,
#: is the widest that is meant to fit: its figures are recorded as well.
GROUPS = (4, 6)


@pytest.mark.parametrize("groups", [1, 3, *GROUPS])
def test_every_size_of_engine_elaborates(groups: int) -> None:
    top = top_unit(EngineConfig.for_board(BOARD, groups))
    found = occurrences(top, elaborate(top))
    assert sum(n for unit, n in found.items() if unit.module == "acs_lane_group") == groups
    banks = sum(n for unit, n in found.items() if unit.module == "acs_bank")
    assert banks == 8 + 2 * groups


def test_engine_fits_and_multiplies_as_meant(request: pytest.FixtureRequest) -> None:
    baseline = load_baseline(asset("benchmarks", "synthesis.json"))
    result = synthesize(
        EngineConfig.for_board(BOARD),
        jobs=1,
        cache=request.config.cache.mkdir("acsgen-synth"),
        known=known_results(baseline, yosys_version()),
    )
    assert result.shortages(BOARD) == []
    by_module = {unit.module: found for unit, found in result.units.items()}
    # Two multiply-accumulates a DSP, which adds them up too.
    lanes = [found for unit, found in result.units.items() if unit.module == "acs_lane_group"]
    assert all(found.figures.dsp == 32 for found in lanes)
    assert all(found.figures.lut < 16 * 32 and found.figures.ff < 50 * 32 for found in lanes)
    # Memories are block RAM without anything beside it.
    banks = [found.figures for unit, found in result.units.items() if unit.module == "acs_bank"]
    assert all(figures.bram18 > 0 and figures.lut + figures.ff == 0 for figures in banks)
    assert by_module["acs_check"].figures.dsp <= 1


@pytest.mark.slow
@pytest.mark.parametrize("groups", GROUPS)
def test_figures_are_those_of_the_baseline(groups: int) -> None:
    baseline = load_baseline(asset("benchmarks", "synthesis.json"))
    result = synthesize(EngineConfig.for_board(BOARD, groups))
    assert compare(baseline, BOARD.name, result) == []
