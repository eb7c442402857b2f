"""acsgen: trained networks with adaptive channel skipping become bit-exact accelerators for Zynq boards."""

__version__ = "0.1.0"
