"""Phases that train a part of the network: its gates, or all but them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

from acsgen.nn.gate_parts import gate_modules, gate_parameters
from acsgen.nn.mac_counter import MacCounter


@contextmanager
def training_only(model: nn.Module, counter: MacCounter, part: str) -> Iterator[None]:
    """While entered, the other part keeps its weights, and its norms their statistics.

    Args:
        model: in training mode.
        counter: its MAC counter.
        part: ``all``, ``gates`` or ``backbone``.
    """
    if part == "all":
        yield
        return
    of_gates = gate_parameters(model, counter)
    norms_of_gates = {
        id(norm) for module in gate_modules(model, counter) for norm in module.modules()
    }
    kept = [p for p in model.parameters() if (p in of_gates) != (part == "gates")]
    for norm in model.modules():
        if isinstance(norm, nn.BatchNorm2d) and (id(norm) in norms_of_gates) != (part == "gates"):
            norm.eval()
    for parameter in kept:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in kept:
            parameter.requires_grad_(True)
