"""acsgen_host: runs a network that ``acsgen build`` compiled, on the board.

Needs Python 3.8 and numpy; on a board pynq too.

    from acsgen_host import Accelerator

    with Accelerator("resnet8-acs-digits32-1a2b3c4d.bit") as accelerator:
        print(accelerator.infer(images).prediction)

Without a board, ``Accelerator.simulate(BUILD)`` is the same object over a simulated engine.
"""

from . import _requirements as _requirements  # first: it says what is missing
from . import isa, thresholds
from .accelerator import Accelerator
from .budget import BudgetPoint, BudgetProfile
from .bundle import Bundle, BundleGate
from .cycle_bounds import CycleBounds
from .errors import (
    BackendError,
    BundleError,
    EngineBusy,
    EngineFault,
    EngineMismatch,
    EngineTaken,
    EngineTimeout,
    HostError,
    InputError,
    PowerError,
)
from .result import Result, Results

__version__ = "0.1.0"

__all__ = [
    "Accelerator",
    "BackendError",
    "BudgetPoint",
    "BudgetProfile",
    "Bundle",
    "BundleError",
    "BundleGate",
    "CycleBounds",
    "EngineBusy",
    "EngineFault",
    "EngineMismatch",
    "EngineTaken",
    "EngineTimeout",
    "HostError",
    "InputError",
    "PowerError",
    "Result",
    "Results",
    "isa",
    "thresholds",
]
