"""The engine without a board: the C++ or the SystemVerilog of a build, behind the same registers.

The driver that runs on a board is the very one that runs here, over another back end.
"""

from .board import SimulatedBackend, SimulatedBoard
from .csim import CSimDevice, StrayAccess
from .start import ENGINES, simulated_backend

__all__ = [
    "ENGINES",
    "CSimDevice",
    "SimulatedBackend",
    "SimulatedBoard",
    "StrayAccess",
    "simulated_backend",
]
