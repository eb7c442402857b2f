"""The compiler's part of each kind of layer: a file for every kind of :mod:`acsgen.ir.kinds`.

A kind without a file here is an error at import.
"""

from acsgen.compiler.kinds.base import COMPILER_KINDS, CompilerKind, kind_of
from acsgen.ir.kinds import KINDS

__all__ = ["COMPILER_KINDS", "CompilerKind", "kind_of"]

COMPILER_KINDS.find_all(__name__, KINDS)
