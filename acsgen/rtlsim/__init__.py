"""RTL simulation: the SystemVerilog engine, compiled by Verilator and run from Python.

The memory behind the AXI port is C++ (``sim/rtl``), so no Python runs per beat or cycle.
:func:`build_model` compiles the engine of a configuration, :class:`RtlEngine` runs programs.
"""

from acsgen.rtlsim.compile import build_model, verilator
from acsgen.rtlsim.engine import Memory, RtlEngine, RtlRun

__all__ = ["Memory", "RtlEngine", "RtlRun", "build_model", "verilator"]
