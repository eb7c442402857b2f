"""Early exits, behind the classifier that answers there."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor

from acsgen.frontend import opgraph as og
from acsgen.frontend.context import Call, Context, Refused, Value, describe
from acsgen.frontend.kinds.base import FLOAT_KINDS, FloatKind, Results
from acsgen.ir.kinds.base import Layer
from acsgen.ir.kinds.entropy import MAX_CLASSES
from acsgen.ir.kinds.exit import Exit
from acsgen.ir.masks import UNMASKED, mask_names, whole


def _run(layer: Exit, results: Results, images: Tensor) -> Tensor:
    names = mask_names(layer.decision)
    return results[names[0]] if names else torch.zeros((len(images), 1), dtype=images.dtype)


def _start(op: og.Exit, sources: tuple[Layer, ...]) -> Exit:
    decision = whole(sources[1].name, 1) if len(sources) > 1 else UNMASKED
    return Exit(op.name, op.where, op.shape, decision)


def _early_exit(ctx: Context, call: Call) -> Value:
    logits = call.value("logits")
    if logits.kind != "vector" or logits.is_expanded:
        raise Refused(
            f"an early exit judges {describe(logits)}",
            "give it the logits of a classifier, [N, classes]",
            about_inputs=True,
        )
    threshold = float(call.args["threshold"])
    if not threshold >= 0 or math.isinf(threshold):
        raise Refused(f"exit threshold {threshold}", "choose an entropy in nats, from 0 on")
    decision: tuple[str, ...] = ()
    if threshold > 0:
        if logits.channels > MAX_CLASSES:
            raise Refused(
                f"the entropy of {logits.channels} classes, the engine can have it of "
                f"{MAX_CLASSES}",
                "let the exit be taken by a budget alone: acsgen.nn.EarlyExit(0)",
            )
        decision = (ctx.emit(og.Entropy, call, (1,), x=logits.op, threshold=threshold).op,)
        ctx.ops[-1] = replace(ctx.ops[-1], node="")
    ctx.emit(og.Exit, call, (1,), x=logits.op, decision=decision)
    # The exported node has the value of the logits, which pass through.
    ctx.ops[-1] = replace(ctx.ops[-1], node="")
    return logits


FLOAT_KINDS.add(
    "exit",
    FloatKind(
        run=_run,
        starts={(og.Exit, 1): _start},
        absorbs={},
        handlers={"acsgen::early_exit": _early_exit},
    ),
)
