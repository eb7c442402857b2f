"""Renders a compiled program's engine into the build directory: HLS project, RTL, tool scripts."""
