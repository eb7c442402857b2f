"""A branch that a mask mixes with its own identity is a branch whose sum is masked.

``m * relu(f + p) + (1 - m) * p`` equals ``relu(m * f + p)`` where ``p`` is not negative, for then
``relu(p)`` is ``p`` itself; and ``m * relu(f + p) + (1 - m) * relu(p)`` equals it for every ``p``.
So the blocks of SkipNet (Wang et al. 2018), OFAS (equation 4) and IADI on ResNet (Wang et al. 2020)
are convolutions with a mask, a residual and a ReLU. Where ``f`` has no identity added to it,
``m * relu(f) + (1 - m) * p`` is ``relu(m * f + (1 - m) * p)``, for ``p`` that is not negative.
"""

from __future__ import annotations

from acsgen.frontend.opgraph import (
    Add,
    ApplyComplement,
    ApplyMask,
    Op,
    OpGraph,
    Relu,
)
from acsgen.frontend.passes.base import Pass, fresh
from acsgen.frontend.passes.signs import never_negative


def _run(graph: OpGraph) -> OpGraph:
    ops = graph.by_name()
    uses = graph.use_counts()
    positive = never_negative(graph)
    changes: dict[str, tuple[Op, ...]] = {}
    for op in graph.ops:
        if not isinstance(op, Add):
            continue
        for one, other in ((op.x, op.y), (op.y, op.x)):
            new, old = ops[one], ops[other]
            if not (isinstance(new, ApplyMask) and isinstance(old, ApplyComplement)):
                continue
            relu = ops[new.x]
            same = new.mask == old.mask and uses[new.name] == uses[old.name] == 1
            if not (same and isinstance(relu, Relu) and relu.high is None):
                continue
            terms = _terms(ops, relu, old.x, positive)
            if terms is None and old.x in positive:
                terms = relu.x, old.name
            if terms is None:
                continue
            branch, rest = terms
            masked, total = (fresh(graph, f"{op.name}.{part}") for part in ("masked", "sum"))
            changes[op.name] = (
                ApplyMask(masked, "", op.where, op.shape, branch, new.mask),
                Add(total, "", op.where, op.shape, masked, rest),
                Relu(op.name, op.node, op.where, op.shape, total),
            )
    return graph.replaced(changes)


def _terms(
    ops: dict[str, Op], relu: Relu, kept: str, positive: frozenset[str]
) -> tuple[str, str] | None:
    """``f`` and ``p`` of ``relu(f + p)``, where ``kept`` is a ``relu(p)``; None without such."""
    total = ops[relu.x]
    if not isinstance(total, Add):
        return None
    identity = ops[kept]
    for f, p in ((total.x, total.y), (total.y, total.x)):
        rectified = isinstance(identity, Relu) and identity.high is None and identity.x == p
        if rectified or (p == kept and p in positive):
            return f, p
    return None


PASS = Pass(
    "mix-identity",
    "mask * relu(f + p) + (1 - mask) * p, with p or relu(p) in the second place, becomes "
    "relu(mask * f + p) where p is not negative or rectified",
    _run,
)
