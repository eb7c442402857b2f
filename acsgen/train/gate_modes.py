"""Modes of gates, for the training of a phase and for the measurement of its progress.

A mode is a function from a gate to the settings that it has meanwhile; :func:`gates_in_mode` puts
them in place and takes them back. A further mode is a further entry of :data:`GATE_MODES`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from torch import nn

from acsgen.nn.gates.gate import ChannelGate
from acsgen.support.registry import Registry


@dataclass(frozen=True)
class GateMode:
    """A mode.

    Attributes:
        skips: whether masks close channels in it.
        settings: attributes of a gate, by name, that differ from its own.
    """

    skips: bool
    settings: Callable[[ChannelGate], dict[str, Any]]


GATE_MODES: Registry[GateMode] = Registry("gate mode")

#: Every mask is 1 in the forward pass, while gradients still reach the gates (the ACS paper's first
#: step, zero skipping).
OPEN = GATE_MODES.add("open", GateMode(False, lambda gate: {"threshold": 0.0}))

#: The masks that the gates decide on are applied.
LEARNED = GATE_MODES.add("learned", GateMode(True, lambda gate: {}))

#: Masks are drawn: a channel is open with the probability that its gate gives it (the policy
#: gradient of SkipNet). Validation applies the decisions.
SAMPLED = GATE_MODES.add("sampled", GateMode(True, lambda gate: {"sample": True}))

#: One decision in ten is inverted (OFAS, equation 5). Validation applies the decisions.
EXPLORED = GATE_MODES.add("explored", GateMode(True, lambda gate: {"flip": 0.1}))

#: Half of the images have a saturating sigmoid in place of the decision (improved semantic hashing,
#: by which GaterNet trains; with noise 1). Validation applies the decisions.
HASHED = GATE_MODES.add("hashed", GateMode(True, lambda gate: {"hashed": True}))


@contextmanager
def gates_in_mode(model: nn.Module, mode: GateMode, noise: float) -> Iterator[None]:
    """While entered, the gates of ``model`` behave as ``mode`` says; afterwards as they did before.

    Args:
        model: the network.
        mode: an entry of :data:`GATE_MODES`.
        noise: standard deviation of the noise on the logits, in training mode.
    """
    gates = [module for module in model.modules() if isinstance(module, ChannelGate)]
    settings = [mode.settings(gate) | {"noise": noise} for gate in gates]
    saved = [
        {name: getattr(gate, name) for name in new}
        for gate, new in zip(gates, settings, strict=True)
    ]
    try:
        _set(gates, settings)
        yield
    finally:
        _set(gates, saved)


def _set(gates: list[ChannelGate], settings: list[dict[str, Any]]) -> None:
    for gate, values in zip(gates, settings, strict=True):
        for name, value in values.items():
            setattr(gate, name, value)
