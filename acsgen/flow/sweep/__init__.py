"""``acsgen sweep``: one network, or one recipe, built for every combination of settings."""

from acsgen.flow.sweep.plan import SweepRequest, make_plan
from acsgen.flow.sweep.run import SweepResult, sweep

__all__ = ["SweepRequest", "SweepResult", "make_plan", "sweep"]
