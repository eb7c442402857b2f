"""The SystemVerilog engine: its files, its top modules, and the parameters of an engine."""

from __future__ import annotations

from pathlib import Path

from acsgen.program.engine_config import EngineConfig
from acsgen.support.assets import asset

TOP = "acs_engine"

#: The module around it that has a pin for every AXI signal, for simulators and Verilog.
PINS = "acs_engine_pins"

#: Packages first: Verilator reads files in order.
PACKAGES = ("acs_isa_pkg.sv", "acs_pkg.sv")

#: Widest requantization that the RTL offers; results do not depend on it.
MAX_POST_LANES = 16

#: What the parts of the boards have beside their sizes: factors of 25 bits, which two pixels share.
OF_THE_PART = {"MultiplierBits": 25}


def rtl_sources(rtl: Path | None = None) -> list[Path]:
    """Return the engine's source files, packages first; of the folder ``rtl`` if given."""
    folder = asset("hw", "rtl") if rtl is None else rtl
    modules = sorted(p for p in folder.glob("*.sv") if p.name not in PACKAGES)
    return [*(folder / name for name in PACKAGES), *modules]


def parameters(engine: EngineConfig) -> dict[str, int]:
    """Return the sizes of an engine as parameters of the top modules.

    Results and cycles depend on them alone. Engines for a board have :data:`OF_THE_PART` too;
    simulated ones have what the modules choose by themselves, which is either form of the lanes.
    """
    return {
        "LaneGroups": engine.lane_groups,
        "FeatureBlocks": engine.feature_blocks,
        "BankWords": engine.bank_words,
        "VectorWords": engine.vector_words,
        "PostLanes": min(engine.post_lanes, MAX_POST_LANES),
    }
