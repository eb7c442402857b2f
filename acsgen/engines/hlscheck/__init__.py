"""Checks of the claims that the HLS engine makes: bursts, initiation intervals, memory ports.

Vitis HLS decides on them, and is not at hand where the templates are changed.  The
checks here refute a claim, or find nothing against it; they do not replace synthesis.  All work on
a folder of rendered sources:

* :mod:`~acsgen.engines.hlscheck.bursts`: the form of every address on a memory bus, in LLVM IR;
* :mod:`~acsgen.engines.hlscheck.recurrence`: the dependence cycles of pipelined loops, in LLVM IR;
* :mod:`~acsgen.engines.hlscheck.ports`: the accesses to on-chip memories, traced as programs run.
"""
