"""Which part of a network works for its gates: the one rule of acsgen.

A *decision* is the step that turns logits into a mask. A step works for gates if it is a decision,
or if its result reaches the network's outputs through decisions only: with the masks given, the
outputs would not need it. What else a step is, which module it belongs to and what it is called
have no say, and neither has it whether a module is called once or in several places: a step is one
*call*, so that a gate that several blocks share works once for each of them.

The MAC count of a network in PyTorch (:mod:`acsgen.nn.mac_counter`), that of an integer graph
(:mod:`acsgen.cost.macs`) and the network without its gates (:mod:`acsgen.ir.ungate`) all ask here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from acsgen.ir.integer import IntGraph
from acsgen.ir.layers import LayerGraph


@dataclass(frozen=True)
class Step:
    """One call of an operation.

    Attributes:
        name: unique in its network.
        reads: names of the steps whose results it reads, masks included.
        decides: whether it is a decision.
    """

    name: str
    reads: tuple[str, ...]
    decides: bool = False


def gate_work(steps: Sequence[Step], outputs: Iterable[str]) -> frozenset[str]:
    """Names of the steps that work for gates.

    Args:
        steps: in execution order, each of them of use to an output.
        outputs: names of the steps whose results leave the network.
    """
    needed = set(outputs)
    for step in reversed(steps):
        if step.name in needed and not step.decides:
            needed.update(step.reads)
    return frozenset(step.name for step in steps if step.decides or step.name not in needed)


def gate_layers(graph: IntGraph | LayerGraph) -> frozenset[str]:
    """Names of the layers of a graph that work for gates."""
    decisions = {gate.name for gate in graph.gates}
    steps = [Step(layer.name, layer.inputs, layer.name in decisions) for layer in graph]
    return gate_work(steps, (graph.input.name, *graph.outputs))
