"""The AXI4 ports of the engine: which of them carries which buffer of the HLS engine.

The RTL engine has the same ports, and reads its program through the first.
"""

from __future__ import annotations

#: Bundle of every pointer argument.  Parameters and results have bursts by hand, and a bundle each;
#: program and image share one, as they are never read at once.
BUNDLES = {"program": "gmem2", "params": "gmem1", "image": "gmem2", "result": "gmem0"}

#: The bundles themselves, in the order of the ports.
BUNDLE_NAMES = tuple(sorted(set(BUNDLES.values())))

#: Address bits of the AXI4-Lite port.
CONTROL_ADDRESS_BITS = 8
