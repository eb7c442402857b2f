"""``acsgen synth``: the SystemVerilog engine through Yosys, for the part of a board."""

from acsgen.synth.baseline import compare, known_results, load_baseline, save_baseline
from acsgen.synth.netlist import Figures, SynthesisError
from acsgen.synth.run import Synthesis, synthesize
from acsgen.synth.units import Unit

__all__ = [
    "Figures",
    "Synthesis",
    "SynthesisError",
    "Unit",
    "compare",
    "known_results",
    "load_baseline",
    "save_baseline",
    "synthesize",
]
