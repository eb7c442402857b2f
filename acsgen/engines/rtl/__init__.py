"""RTL simulation: the SystemVerilog engine, compiled by Verilator and run from Python.

The memory behind the AXI port is C++ (``sim/rtl``), so no Python runs per beat or cycle.

* :func:`cached_model` compiles the engine of a configuration, once;
* :class:`RtlDevice` is the engine as a host sees it: registers, memory, interrupt, clock;
* :class:`RtlEngine` runs whole programs on it, like :class:`acsgen.engines.csim.CSimEngine`.
"""

from acsgen.engines.rtl.compile import ModelError, build_model, cached_model, verilator
from acsgen.engines.rtl.device import Counters, EngineFault, Memory, RtlDevice
from acsgen.engines.rtl.engine import EngineHung, RtlEngine, RtlRun

__all__ = [
    "Counters",
    "EngineFault",
    "EngineHung",
    "Memory",
    "ModelError",
    "RtlDevice",
    "RtlEngine",
    "RtlRun",
    "build_model",
    "cached_model",
    "verilator",
]
