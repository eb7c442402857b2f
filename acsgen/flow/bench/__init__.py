"""``acsgen bench``: cycles of the shipped networks on one engine, against a recorded baseline."""

from acsgen.flow.bench.baseline import compare, load_baseline, save_baseline
from acsgen.flow.bench.cases import Case, chosen_cases
from acsgen.flow.bench.engine import open_engine, simulation_of
from acsgen.flow.bench.run import BenchResult, Figures, GatedNetwork, load_network, run_bench

__all__ = [
    "BenchResult",
    "Case",
    "Figures",
    "GatedNetwork",
    "chosen_cases",
    "compare",
    "load_baseline",
    "load_network",
    "open_engine",
    "run_bench",
    "save_baseline",
    "simulation_of",
]
