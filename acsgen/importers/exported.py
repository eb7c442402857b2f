"""Reads and runs exported programs node by node.

Loading, constant folding and the self check use it.

Nodes are called here, one by one, instead of through ``ExportedProgram.module()``, which would
compile and run guard expressions taken from the file.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx
from torch.export import ExportedProgram
from torch.export.graph_signature import InputKind, OutputKind

from acsgen.importers.source_line import place
from acsgen.support.errors import Problem, UserError

_FACTORIES = {
    "arange", "empty_like", "eye", "full", "full_like", "linspace", "new_full", "new_ones",
    "new_zeros", "ones", "ones_like", "scalar_tensor", "zeros", "zeros_like",
}  # fmt: skip

_RECURRENT = {"gru", "lstm", "rnn_relu", "rnn_tanh"}


@dataclass(frozen=True)
class ProgramRun:
    """Results of one image: what the program returns, and every node's value by its name."""

    outputs: tuple[Any, ...]
    values: dict[str, Any]


def op_name(node: fx.Node) -> str:
    """``aten::relu`` for any overload of it; the target's own name if it is no operator."""
    if isinstance(node.target, torch._ops.OpOverload):
        return str(node.target._schema.name)
    return str(getattr(node.target, "__name__", node.target))


def is_assertion(node: fx.Node) -> bool:
    """Whether the node only checks something about its argument."""
    return op_name(node).startswith("aten::_assert")


def is_callable_here(node: fx.Node) -> bool:
    """Whether calling the node computes a value from its arguments and does nothing else.

    Operators without a tensor argument are allowed by name only (``aten.from_file`` opens files),
    and random ones not at all.
    """
    if node.target is operator.getitem:
        return True
    target = node.target
    if not isinstance(target, torch._ops.OpOverload) or target.namespace not in ("aten", "acsgen"):
        return False
    random = torch.Tag.nondeterministic_seeded in target.tags
    if random and not (_is_dropout(node) or is_recurrent(node)):
        return False
    has_tensor = any("Tensor" in str(a.type) for a in target._schema.arguments)
    return has_tensor or op_name(node).removeprefix("aten::") in _FACTORIES


def is_recurrent(node: fx.Node) -> bool:
    """Whether a node is a recurrent cell or layer, which is one operator of an exported program."""
    return op_name(node).removeprefix("aten::").removesuffix("_cell") in _RECURRENT


def _is_dropout(node: fx.Node) -> bool:
    return "dropout" in op_name(node)


def lifted_values(exported: ExportedProgram) -> dict[str, Any]:
    """Parameter, buffer or constant of every placeholder that is not the network's input."""
    values: dict[str, Any] = {}
    for spec in exported.graph_signature.input_specs:
        if spec.kind == InputKind.USER_INPUT or spec.target is None:
            continue
        table = exported.state_dict if spec.target in exported.state_dict else exported.constants
        value = table[spec.target]
        values[spec.arg.name] = value.detach() if isinstance(value, Tensor) else value
    return values


def floating_parameters(exported: ExportedProgram) -> Iterator[tuple[str, Tensor]]:
    """Floating-point parameters, buffers and constants that the program reads, by their path."""
    for spec in exported.graph_signature.input_specs:
        if spec.target is None:
            continue
        value = exported.state_dict.get(spec.target, exported.constants.get(spec.target))
        if isinstance(value, Tensor) and value.is_floating_point():
            yield spec.target, value.detach()


def output_names(exported: ExportedProgram) -> list[str | None]:
    """Names of the nodes whose values the program returns; None for a constant result."""
    return [
        getattr(spec.arg, "name", None)
        for spec in exported.graph_signature.output_specs
        if spec.kind == OutputKind.USER_OUTPUT
    ]


def call(node: fx.Node, values: dict[fx.Node, Any]) -> Any:
    """Call one node; ``values`` holds its arguments.

    Raises:
        UserError: PyTorch itself cannot compute it; an export checks types and shapes less strictly
            than a run does.
    """
    args, kwargs = fx.node.map_arg((node.args, node.kwargs), lambda n: values[n])
    assert callable(node.target)
    with torch.no_grad():
        try:
            return node.target(*args, **kwargs)
        except (IndexError, NotImplementedError, RuntimeError, TypeError, ValueError) as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            what = f"PyTorch itself cannot compute {op_name(node).replace('::', '.')}: {reason}"
            remedy = "run the network on one image before you export it, and mend this operation"
            raise UserError(Problem(place(node), what[:300], remedy)) from error


def run_program(exported: ExportedProgram, image: Tensor) -> ProgramRun:
    """Run the program on one input ``[1, C, H, W]`` of its own dtype.

    Raises:
        ValueError: the program holds a node that must not be called (see :func:`is_callable_here`).
    """
    lifted = lifted_values(exported)
    values: dict[fx.Node, Any] = {}
    for node in exported.graph.nodes:
        if node.op == "placeholder":
            values[node] = lifted.get(node.name, image)
        elif node.op == "call_function" and not is_assertion(node):
            if not is_callable_here(node):
                raise ValueError(f"{op_name(node)} is not an operator on tensors")
            values[node] = call(node, values)
    by_name = {node.name: value for node, value in values.items()}
    names = output_names(exported)
    return ProgramRun(tuple(None if n is None else by_name[n] for n in names), by_name)
