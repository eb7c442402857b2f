"""acsgen: networks with adaptive channel skipping become bit-exact accelerators for Zynq."""

__version__ = "0.1.0"
