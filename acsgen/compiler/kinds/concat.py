"""Maps one behind the other: placement, without an instruction of its own."""

from __future__ import annotations

from acsgen.compiler.kinds.base import (
    COMPILER_KINDS,
    CompilerKind,
    no_constants,
    plain,
    size_limits,
)
from acsgen.ir.integer import IntConcat

COMPILER_KINDS.add(
    IntConcat.KIND,
    CompilerKind(
        limits=size_limits,
        leaves_out_zeros=False,
        constants=no_constants,
        vector_format=plain,
        lower=None,
        remark="",
        instruction=None,
    ),
)
