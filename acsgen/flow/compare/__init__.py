"""``acsgen compare``: the network without its gates, by acsgen and by hls4ml."""

from acsgen.flow.compare.run import CompareRequest, Comparison, compare

__all__ = ["CompareRequest", "Comparison", "compare"]
