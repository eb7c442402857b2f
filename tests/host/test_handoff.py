"""What the driver expects of a .hwh is what both packagings of the engine put into it."""

from __future__ import annotations

import pytest
from acsgen_host.handoff import expected_registers

from acsgen.emit.rtl import ip_registers
from acsgen.isa.spec import load_spec

pytestmark = pytest.mark.unit


def test_registers_are_those_of_the_packaged_ip() -> None:
    packaged = {name: offset for name, offset, _, _ in ip_registers(load_spec())}
    expected = expected_registers()
    assert {name: packaged.get(name) for name in expected} == expected
