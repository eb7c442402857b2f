"""Makes the ports of a bench writable under Verilator."""

from __future__ import annotations

import os
import re
from pathlib import Path

from cocotb.handle import ModifiableObject

PORT = re.compile(r"^\s+(?:input|output)\b[^/]*?(\w+),?\s*(?://.*)?$", re.MULTILINE)


def bind_ports(dut: ModifiableObject) -> None:
    """Look up every port by its name, before anything else is looked up.

    When cocotb lists a top module, which cocotbext-axi makes it do, Verilator 5.006 gives copies of
    the ports, which are overwritten from the ports at every evaluation.

    ``ACSGEN_TOP_SOURCE`` is the file of the top module.
    """
    source = Path(os.environ["ACSGEN_TOP_SOURCE"]).read_text()
    ports = {name: getattr(dut, name) for name in PORT.findall(source)}
    list(dut)
    dut._sub_handles.update(ports)
