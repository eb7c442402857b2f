"""The AXI4 ports of the engine: which of them carries which buffer, for both engines alike."""

from __future__ import annotations

#: Bundle of every pointer argument; program and result share one, as reads and writes do not meet.
BUNDLES = {"program": "gmem0", "params": "gmem1", "image": "gmem2", "result": "gmem0"}

#: The bundles themselves, in the order of the ports.
BUNDLE_NAMES = tuple(dict.fromkeys(BUNDLES.values()))

#: Address bits of the AXI4-Lite port.
CONTROL_ADDRESS_BITS = 8
