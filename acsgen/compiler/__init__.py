"""The compiler: an integer graph becomes a program for an engine of given size.

In order: :mod:`~acsgen.compiler.layout` chooses how maps are stored,
:mod:`~acsgen.compiler.schedule` orders the steps, :mod:`~acsgen.compiler.constants` packs the
parameter buffer, :mod:`~acsgen.compiler.allocate` places buffers, :mod:`~acsgen.compiler.lower`
makes the instructions of a :class:`~acsgen.program.program.Program`.
"""

from acsgen.compiler.compile import check_fit, compile_graph, memory_map

__all__ = ["check_fit", "compile_graph", "memory_map"]
