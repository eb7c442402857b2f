"""acsgen_host: runs a network that ``acsgen build`` compiled, on the board.

Needs Python 3.8 and numpy; on a board pynq too.

    from acsgen_host import Accelerator, Bundle
    from acsgen_host.pynq_backend import PynqBackend

    bundle = Bundle.load("resnet8-acs-digits32-zedboard")
    with Accelerator(PynqBackend.load("acs.bit"), bundle) as accelerator:
        print(accelerator.run(image).prediction)
"""

from . import isa, thresholds
from .accelerator import Accelerator
from .budget import BudgetPoint, BudgetProfile
from .bundle import Bundle, BundleGate
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
)
from .result import Result

__version__ = "0.1.0"

__all__ = [
    "Accelerator",
    "BackendError",
    "BudgetPoint",
    "BudgetProfile",
    "Bundle",
    "BundleError",
    "BundleGate",
    "EngineBusy",
    "EngineFault",
    "EngineMismatch",
    "EngineTaken",
    "EngineTimeout",
    "HostError",
    "InputError",
    "Result",
    "isa",
    "thresholds",
]
