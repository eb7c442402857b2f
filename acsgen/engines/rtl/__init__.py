"""RTL simulation: the SystemVerilog engine, compiled by Verilator and run from Python.

The memory behind the AXI port is C++ (``sim/rtl``), so no Python runs per beat or cycle.

* :func:`cached_model` compiles the engine of a configuration, once;
* :class:`RtlDevice` is the engine as a host sees it: registers, memory, interrupt, clock;
* :class:`RtlEngine` runs whole programs on it, like :class:`acsgen.engines.csim.CSimEngine`.
"""

from acsgen.engines.rtl.compile import build_model, cached_model, verilator
from acsgen.engines.rtl.device import DeviceCounters, Memory, RtlDevice
from acsgen.engines.rtl.engine import RtlEngine

__all__ = [
    "DeviceCounters",
    "Memory",
    "RtlDevice",
    "RtlEngine",
    "build_model",
    "cached_model",
    "verilator",
]
