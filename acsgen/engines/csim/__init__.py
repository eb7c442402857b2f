"""C simulation: the rendered Vitis HLS sources, compiled by g++ and run from Python.

The sources are the very files that Vitis HLS synthesizes; only the integer type headers differ (the
``ap_types`` that hls4ml ships).  :func:`build_library` compiles them, :class:`CSimEngine` runs
programs.
"""

from acsgen_host.simulation.csim import CSimDevice, StrayAccess

from acsgen.engines.csim.compile import build_library
from acsgen.engines.csim.engine import CSimEngine

__all__ = ["CSimDevice", "CSimEngine", "StrayAccess", "build_library"]
