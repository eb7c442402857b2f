"""The compiled engines that the driver is tested on, shared with the other tests."""

from __future__ import annotations

import shutil
from pathlib import Path

from acsgen.engines.rtl import cached_model
from tests.differential.engines import compiled_engine
from tests.host.prepare import CONFIGURATION


def libraries(cache: Path) -> dict[str, Path]:
    """Return the shared libraries by the name of their simulation; no RTL without Verilator."""
    found = {"csim": compiled_engine(CONFIGURATION, cache).csim.library}
    if shutil.which("verilator"):
        found["rtl"] = cached_model(CONFIGURATION)
    return found
