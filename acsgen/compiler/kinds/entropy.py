"""Decisions of early exits: a fully connected layer whose sum is compared with a threshold."""

from __future__ import annotations

from acsgen.compiler.kinds.base import COMPILER_KINDS
from acsgen.compiler.kinds.gate import DECIDES
from acsgen.ir.kinds.entropy import IntEntropy

COMPILER_KINDS.add(IntEntropy.KIND, DECIDES)
