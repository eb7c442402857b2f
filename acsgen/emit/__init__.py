"""Renders a compiled program's engine into the build directory: HLS project, RTL, tool scripts."""

from acsgen.emit.hls import LoopBounds, render_hls
from acsgen.emit.rtl import render_rtl

__all__ = ["LoopBounds", "render_hls", "render_rtl"]
