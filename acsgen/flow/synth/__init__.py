"""``acsgen synth``: the SystemVerilog engine through Yosys, for the part of a board."""

from acsgen.flow.synth.baseline import compare, known_results, load_baseline, save_baseline
from acsgen.flow.synth.netlist import Figures, SynthesisError
from acsgen.flow.synth.run import Synthesis, synthesize
from acsgen.flow.synth.units import Unit

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
