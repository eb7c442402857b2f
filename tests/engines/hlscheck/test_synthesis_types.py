"""The types that Vitis HLS synthesizes, compiled by g++, give every bit that the fast ones give.

For speed, the C simulation uses native integers where synthesis has ``ap_int``; the macro
``ACS_AP_TYPES`` chooses the types of synthesis.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from acsgen.engines.csim import CSimEngine, build_library
from acsgen.engines.csim.compile import STRICT, ap_types_directory
from acsgen.support.assets import asset
from tests.differential.engines import CONFIGURATIONS, EngineUnderTest
from tests.engines.csim.rendering import render_engine
from tests.fuzz.check import Mismatch
from tests.fuzz.session import try_graphs, try_programs

#: The type headers leave numbers without a value where the sources declare them so, and read them.
FLAGS = ("-DACS_AP_TYPES", f"-isystem{ap_types_directory()}", "-Wno-uninitialized", *STRICT)


@pytest.mark.parametrize("lane_groups", [4, 3])
def test_results_are_the_same(tmp_path: Path, lane_groups: int) -> None:
    config = CONFIGURATIONS[lane_groups]
    sources = render_engine(tmp_path / "hls", config)
    library = build_library(sources, tmp_path / "ap.so", FLAGS)
    engine = EngineUnderTest(config, CSimEngine(library))
    assert try_programs(engine, count=20, chosen_seed=4)["programs"] >= 20
    assert try_graphs(engine, count=6, chosen_seed=4)["programs"] >= 4


def test_the_macro_and_nothing_else_chooses_the_types() -> None:
    sources = asset("templates", "hls")
    text = "\n".join(path.read_text("utf-8") for path in sorted(sources.glob("*.[ch]pp*")))
    assert re.search(r"defined\(ACS_AP_TYPES\)|ifn?def ACS_AP_TYPES", text)
    chosen = re.findall(r"#\s*if.*__SYNTHESIS__.*", text)
    assert all("ACS_AP_TYPES" in line or "ifndef __SYNTHESIS__" in line for line in chosen)


def test_a_type_that_is_too_narrow_is_found(tmp_path: Path) -> None:
    """Half the bits for the product of two pixels and a weight: the fast types do not notice."""
    config = CONFIGURATIONS[4]
    sources = render_engine(tmp_path / "hls", config)
    path = sources / "acs_types.hpp"
    text = path.read_text("utf-8")
    narrower = re.sub(r"<\d+> packed_product_t", "<20> packed_product_t", text)
    assert narrower != text
    path.write_text(narrower, "utf-8")
    engine = EngineUnderTest(config, CSimEngine(build_library(sources, tmp_path / "ap.so", FLAGS)))
    with pytest.raises(Mismatch):
        try_programs(engine, count=20, chosen_seed=4)
    fast = EngineUnderTest(config, CSimEngine(build_library(sources, tmp_path / "fast.so")))
    assert try_programs(fast, count=5, chosen_seed=4, damages=0)["programs"] >= 5
