"""Table of the operators that the front end understands.

A handler looks at one node (:class:`acsgen.frontend.context.Call`), emits an operation or refuses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from acsgen.frontend.context import Handler
from acsgen.frontend.kinds import FLOAT_KINDS
from acsgen.frontend.ops import arithmetic, layers, pieces, pooling, shapes


def _united(tables: Iterable[Mapping[str, Handler]]) -> Mapping[str, Handler]:
    found: dict[str, Handler] = {}
    for table in tables:
        for name, handler in table.items():
            if name in found:
                raise ImportError(f"two handlers of the operator {name}")
            found[name] = handler
    return found


HANDLERS = _united(
    [
        *(module.HANDLERS for module in (arithmetic, layers, pieces, pooling, shapes)),
        *(kind.handlers for kind in FLOAT_KINDS.values()),
    ]
)
"""Handlers by operator name without overload, e.g. ``aten::relu``; a kind of layer may bring its
own."""

_RELU = "use ReLU"
_BATCH_NORM = "use BatchNorm2d"
_GATE = "decide with acsgen.nn.ChannelGate"

REMEDIES: Mapping[str, str] = {
    "aten::conv_transpose2d": "use Conv2d",
    "aten::elu": _RELU,
    "aten::gelu": _RELU,
    "aten::group_norm": _BATCH_NORM,
    "aten::gt": _GATE,
    "aten::ge": _GATE,
    "aten::hardsigmoid": _RELU,
    "aten::hardswish": _RELU,
    "aten::instance_norm": _BATCH_NORM,
    "aten::layer_norm": _BATCH_NORM,
    "aten::lt": _GATE,
    "aten::mish": _RELU,
    "aten::native_group_norm": _BATCH_NORM,
    "aten::native_layer_norm": _BATCH_NORM,
    "aten::round": _GATE,
    "aten::silu": _RELU,
}
"""What to do about well-known operators that have no handler."""

if REMEDIES.keys() & HANDLERS.keys():
    handled = ", ".join(sorted(REMEDIES.keys() & HANDLERS.keys()))
    raise ImportError(f"operators with a handler need no remedy: {handled}")
