"""Decisions of early exits: a fully connected layer whose sum is compared with a threshold."""

from __future__ import annotations

from acsgen.compiler.kinds.base import COMPILER_KINDS, CompilerKind, plain, size_limits
from acsgen.compiler.kinds.gate import GATE, compare_sums, decide
from acsgen.ir.kinds.entropy import IntEntropy

COMPILER_KINDS.add(
    IntEntropy.KIND,
    CompilerKind(
        limits=size_limits,
        leaves_out_zeros=False,
        constants=compare_sums,
        vector_format=plain,
        lower=decide,
        remark="",
        instruction=GATE,
    ),
)
