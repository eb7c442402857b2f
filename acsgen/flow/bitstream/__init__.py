"""``acsgen bitstream``: from a build to a folder for the board, with Vitis HLS and Vivado."""

from acsgen.flow.bitstream.run import BitstreamRequest, BitstreamResult, OnLine, make_bitstream
from acsgen.flow.bitstream.tools import require_tools

__all__ = [
    "BitstreamRequest",
    "BitstreamResult",
    "OnLine",
    "make_bitstream",
    "require_tools",
]
