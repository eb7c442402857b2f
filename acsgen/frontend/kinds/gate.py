"""Decisions of gates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from acsgen_host.thresholds import logit
from torch import Tensor

from acsgen.frontend import opgraph as og
from acsgen.frontend.context import Call, Context, Refused, Value, describe
from acsgen.frontend.kinds._tensors import affine
from acsgen.frontend.kinds.base import FLOAT_KINDS, TOLERANCE, FloatKind, Results
from acsgen.ir.kinds.base import FloatArray, Layer
from acsgen.ir.kinds.gate import Gate
from acsgen.ir.kinds.linear import Linear


def gate_logits(gate: Gate, results: Results) -> Tensor:
    """The logits ``[N, C]`` that a gate compares with its threshold."""
    return affine(gate, results)


def _run(layer: Gate, results: Results, images: Tensor) -> Tensor:
    logits = gate_logits(layer, results)
    return (logits > logit(layer.threshold)).to(logits.dtype)


def _size(layer: Gate, results: Results, images: Tensor) -> Tensor:
    """The size of the logits: the decision itself has none."""
    return gate_logits(layer, results)


def _start(op: og.ChannelGate, sources: tuple[Layer, ...]) -> Gate:
    """A gate owns its linear layer; the layer itself goes away if nothing else reads it."""
    (before,) = sources
    x = before.name
    weight: FloatArray = np.eye(op.shape[0])
    bias: FloatArray = np.zeros(op.shape[0])
    if isinstance(before, Linear) and before.activation == "none":
        x, weight, bias = before.x, before.weight, before.bias
    return Gate(op.name, op.where, op.shape, x, weight, bias, op.threshold)


def wide_name(name: str, channels: int) -> str:
    """What the gate ``name`` is called where its one decision is repeated for every channel."""
    return f"{name}.x{channels}"


def widened(gate: Gate, name: str, channels: int) -> Gate:
    """A copy of a gate of one bit, with its decision repeated for every channel."""
    return replace(
        gate,
        name=name,
        shape=(channels,),
        weight=np.repeat(gate.weight, channels, axis=0),
        bias=np.repeat(gate.bias, channels),
    )


def _decides_otherwise(
    gate: Gate, result: Tensor, wanted: Tensor, results: Results, sizes: Tensor
) -> str | None:
    """Where a logit lies on the edge, rounding may decide."""
    logits = gate_logits(gate, results)
    threshold = logit(gate.threshold)
    differs = (logits > threshold) != (wanted > 0)
    margin = (logits - threshold).abs()[differs]
    limit = TOLERANCE * max(1.0, float(sizes.max()))
    if not bool((margin > limit).any()):
        return None
    return f"gate {gate.name} ({gate.where}) decides otherwise than the network"


def _channel_gate(ctx: Context, call: Call) -> Value:
    x = ctx.as_vector(call, call.value("logits"))
    if x.kind != "vector" or x.is_expanded:
        raise Refused(
            f"a gate decides on {describe(x)}",
            "give it one logit per channel, [N, C]",
            about_inputs=True,
        )
    threshold = float(call.args["threshold"])
    if not 0.0 <= threshold <= 1.0:
        raise Refused(f"gate threshold {threshold}", "choose it within 0..1")
    mask = ctx.emit(og.ChannelGate, call, x.shape, x=x.op, threshold=threshold)
    return Value(mask.op, "mask", mask.shape, mask.dims, suspect=mask.suspect)


FLOAT_KINDS.add(
    "gate",
    FloatKind(
        run=_run,
        starts={(og.ChannelGate, 1): _start},
        absorbs={},
        size=_size,
        differs=_decides_otherwise,
        handlers={"acsgen::channel_gate": _channel_gate},
    ),
)
