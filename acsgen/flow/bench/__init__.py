"""``acsgen bench``: cycles of the shipped networks on the RTL, against a recorded baseline."""

from acsgen.flow.bench.baseline import compare, load_baseline, save_baseline
from acsgen.flow.bench.cases import Case, chosen_cases
from acsgen.flow.bench.run import BenchResult, Figures, run_bench

__all__ = [
    "BenchResult",
    "Case",
    "Figures",
    "chosen_cases",
    "compare",
    "load_baseline",
    "run_bench",
    "save_baseline",
]
