"""Table of the operators that the front end understands.

A handler looks at one node (:class:`acsgen.frontend.context.Call`), emits an operation or refuses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from acsgen.frontend.context import Handler
from acsgen.frontend.kinds import FLOAT_KINDS
from acsgen.frontend.ops import arithmetic, extremes, layers, pieces, pooling, rearrange, shapes


def _united(tables: Iterable[Mapping[str, Handler]]) -> Mapping[str, Handler]:
    found: dict[str, Handler] = {}
    for table in tables:
        for name, handler in table.items():
            if name in found:
                raise ImportError(f"two handlers of the operator {name}")
            found[name] = handler
    return found


_MODULES = (arithmetic, extremes, layers, pieces, pooling, rearrange, shapes)

HANDLERS = _united(
    [
        *(module.HANDLERS for module in _MODULES),
        *(kind.handlers for kind in FLOAT_KINDS.values()),
    ]
)
"""Handlers by operator name without overload, e.g. ``aten::relu``; a kind of layer may bring its
own."""

_RELU = "use ReLU"
_BATCH_NORM = "use BatchNorm2d"
_GATE = "decide with acsgen.nn.ChannelGate"
_EVAL = "call model.eval() before exporting"
_LOGITS = "return the logits: the largest of them is the prediction"
_MEAN = "take the mean over height and width, x.mean((2, 3))"
_NO_LARGER = "the engine makes no map larger than its source: leave it out, or use Conv2d"
_NO_ATTENTION = "attention is not supported: use convolutions, and one factor for each channel"
_FLOATS = "export the network in floats, without its observers: acsgen quantizes it"

REMEDIES: Mapping[str, str] = {
    "aten::argmax": _LOGITS,
    "aten::bmm": _NO_ATTENTION,
    "aten::celu": _RELU,
    "aten::conv1d": "use Conv2d, on maps [N, C, H, W]",
    "aten::conv3d": "use Conv2d, on maps [N, C, H, W]",
    "aten::conv_transpose2d": "use Conv2d",
    "aten::einsum": "use Linear for vectors, and a 1x1 Conv2d for maps",
    "aten::elu": _RELU,
    "aten::exp": _RELU,
    "aten::fake_quantize_per_channel_affine": _FLOATS,
    "aten::fake_quantize_per_tensor_affine": _FLOATS,
    "aten::gelu": _RELU,
    "aten::ge": _GATE,
    "aten::group_norm": _BATCH_NORM,
    "aten::gt": _GATE,
    "aten::instance_norm": _BATCH_NORM,
    "aten::layer_norm": _BATCH_NORM,
    "aten::linalg_vector_norm": "leave the normalization out: the largest logit stays the largest",
    "aten::lt": _GATE,
    "aten::mish": _RELU,
    "aten::native_dropout": _EVAL,
    "aten::native_group_norm": _BATCH_NORM,
    "aten::native_layer_norm": _BATCH_NORM,
    "aten::pixel_shuffle": _NO_LARGER,
    "aten::pow": _RELU,
    "aten::quantize_per_tensor": _FLOATS,
    "aten::round": _GATE,
    "aten::scaled_dot_product_attention": _NO_ATTENTION,
    "aten::selu": _RELU,
    "aten::softplus": _RELU,
    "aten::std": _MEAN,
    "aten::topk": _LOGITS,
    "aten::upsample_bilinear2d": _NO_LARGER,
    "aten::upsample_nearest2d": _NO_LARGER,
    "aten::var": _MEAN,
}
"""What to do about well-known operators that have no handler."""

if REMEDIES.keys() & HANDLERS.keys():
    handled = ", ".join(sorted(REMEDIES.keys() & HANDLERS.keys()))
    raise ImportError(f"operators with a handler need no remedy: {handled}")
