"""The compiler: an integer graph becomes a program for an engine of given size.

In order: :mod:`~acsgen.compiler.layout` chooses how maps are stored,
:mod:`~acsgen.compiler.schedule` orders the steps, :mod:`~acsgen.compiler.constants` packs the
parameter buffer, :mod:`~acsgen.compiler.allocate` places buffers, :mod:`~acsgen.compiler.lower`
makes instructions, and :mod:`~acsgen.compiler.program` holds the result.
:mod:`~acsgen.compiler.decode_trace` reads what a run of it wrote.
"""

from acsgen.compiler.compile import compile_graph
from acsgen.compiler.decode_trace import DecodedResult, decode_result
from acsgen.compiler.engine import EngineConfig
from acsgen.compiler.program import Program, load_program

__all__ = [
    "DecodedResult",
    "EngineConfig",
    "Program",
    "compile_graph",
    "decode_result",
    "load_program",
]
