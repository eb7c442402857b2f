"""Renders a compiled program into the build directory: HLS sources, tool scripts, vectors."""

from acsgen.emit.hls import LoopBounds, render_hls

__all__ = ["LoopBounds", "render_hls"]
