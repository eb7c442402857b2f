"""A softmax or sigmoid at the end keeps the order of the logits, so the network returns these."""

from __future__ import annotations

import warnings
from dataclasses import replace

from acsgen.frontend.opgraph import Op, OpGraph, Sigmoid, Softmax
from acsgen.frontend.passes.base import Pass

_KEEPS_ORDER = (Softmax, Sigmoid)


class RewriteWarning(UserWarning):
    """The compiled network returns something else than the network that was given."""


def _run(graph: OpGraph) -> OpGraph:
    ops = graph.by_name()
    outputs: list[str] = []
    for name in graph.outputs:
        last: Op = ops[name]
        while isinstance(last, _KEEPS_ORDER):
            last = ops[last.x]
        dropped = last.name != name and last.name not in (*graph.outputs, *outputs)
        if dropped:
            message = (
                f"{ops[name].where}: the {type(ops[name]).__name__.lower()} at the end is left "
                "out; the accelerator returns the logits, the largest of which is the same"
            )
            warnings.warn(message, RewriteWarning, stacklevel=2)
        outputs.append(last.name if dropped else name)
    return replace(graph, outputs=tuple(outputs)).without_unread()


PASS = Pass("drop-softmax", "a softmax, log_softmax or sigmoid of the logits is left out", _run)
