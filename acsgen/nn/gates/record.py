"""The decisions of gates in a forward pass, call by call."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from acsgen.nn.calls import named_calls
from acsgen.nn.gates.gate import ChannelGate


class GateRecord:
    """Inputs and decisions of all gates in the latest forward pass, by call, in execution order.

    A gate that is called once goes by its module's path; the further calls of a gate that several
    blocks share are ``path@1``, ``path@2``, ... (:func:`acsgen.nn.calls.call_name`).

    Attributes:
        logits: [N, C], before training noise.
        masks: [N, C], of 0 and 1; of values between them while a gate is ``hashed`` in training.
        thresholds: alpha in [0, 1], as it was in that pass.
    """

    def __init__(self) -> None:
        self.logits: dict[str, Tensor] = {}
        self.masks: dict[str, Tensor] = {}
        self.thresholds: dict[str, float] = {}

    def clear(self) -> None:
        """Forget everything."""
        self.logits.clear()
        self.masks.clear()
        self.thresholds.clear()


@contextmanager
def record_gates(model: nn.Module) -> Iterator[GateRecord]:
    """Collect the logits and the decisions of every gate of ``model``.

    Works through forward hooks, so the traced or exported graph is unaffected::

        with record_gates(model) as gates:
            model(images)
        gates.masks["layer1.0.gate1.gate"]
    """
    record = GateRecord()

    def keep(name: str, gate: nn.Module, arguments: Any, mask: Any) -> None:
        assert isinstance(gate, ChannelGate)
        record.logits[name] = arguments[0]
        record.masks[name] = mask.flatten(1)
        record.thresholds[name] = gate.threshold

    gates = [module for module in model.modules() if isinstance(module, ChannelGate)]
    fresh = model.register_forward_pre_hook(lambda *_: record.clear())
    try:
        with named_calls(model, gates, after=keep):
            yield record
    finally:
        fresh.remove()
