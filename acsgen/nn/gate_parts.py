"""Which parameters belong to a network's gates, and which to its backbone."""

from __future__ import annotations

from torch import nn

from acsgen.nn.gates.gate import ChannelGate
from acsgen.nn.mac_counter import MacCounter


def gate_modules(model: nn.Module, counter: MacCounter) -> list[nn.Module]:
    """The modules that work for gates alone.

    They are the multiplying layers that do (:mod:`acsgen.ir.gating`), and every module with a gate
    in it that has no layer of the backbone, so that its norms count as well.

    Args:
        model: the network.
        counter: its MAC counter.
    """
    gates = {load.op.path for load in counter.loads if load.op.for_gates}
    backbone = [load.op.path for load in counter.loads if not load.op.for_gates]
    found = []
    for path, module in model.named_modules():
        decides = any(isinstance(part, ChannelGate) for part in module.modules())
        alone = not any(name == path or name.startswith(f"{path}.") for name in backbone)
        if path and (path in gates or (decides and alone)):
            found.append(module)
    return found


def gate_parameters(model: nn.Module, counter: MacCounter) -> set[nn.Parameter]:
    """The parameters of :func:`gate_modules`."""
    return {p for module in gate_modules(model, counter) for p in module.parameters()}
