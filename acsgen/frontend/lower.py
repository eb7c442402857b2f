"""Lowers an exported program to the float operator graph, or says all that stands in the way.

Nodes that depend on parameters and constants only are computed here (this resolves, for example,
the Kronecker-masked weights of DGConv); the others are translated one by one (:mod:`.ops`).
"""

from __future__ import annotations

import operator
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx
from torch.export import ExportedProgram

from acsgen.frontend.check import graph_problems
from acsgen.frontend.context import KEEP_ORDER, Call, Context, Refused, Value, describe
from acsgen.frontend.opgraph import Image, OpGraph, Unknown
from acsgen.frontend.ops import HANDLERS, REMEDIES
from acsgen.frontend.ops.rearrange import FOLLOWS_ORDER
from acsgen.frontend.passes.rewrites import rewrite
from acsgen.importers.exported import (
    call,
    is_assertion,
    is_callable_here,
    is_recurrent,
    lifted_values,
    op_name,
    output_names,
)
from acsgen.importers.network import ImportedNetwork
from acsgen.importers.source_line import call_path
from acsgen.ir.rewrites import Rewrite
from acsgen.support.errors import Problem, UserError

_UNSUPPORTED = "rewrite this part with layers that acsgen supports"


def lower(
    program: ImportedNetwork,
) -> tuple[OpGraph, ExportedProgram, tuple[Rewrite, ...]]:
    """Translate the program.

    Returns:
        The graph; the program whose node names it refers to: the loaded one, with in-place
        operations made functional where there were any; and the rewrite passes that were applied.

    Raises:
        UserError: one problem for every node that can't be compiled.
    """
    exported = functional(program.exported)
    results = output_names(exported)
    problems = _signature_problems(exported)
    lowering = _Lowering(program, exported)
    value = lowering.run({name for name in results if name is not None})
    problems += lowering.problems
    outputs = [None if name is None else value[name] for name in results]
    returned = tuple(output.op for output in outputs if isinstance(output, Value))
    problems += _output_problems(program.name, outputs)
    if not returned:
        raise UserError(problems)
    # Products with the zeros of a state at its start are not there, and what they read may not be.
    whole = OpGraph(program.name, tuple(lowering.context.ops), returned).without_unread()
    graph, rewrites = rewrite(whole)
    problems += graph_problems(graph)
    if problems:
        raise UserError(problems)
    return graph, exported, rewrites


def functional(exported: ExportedProgram) -> ExportedProgram:
    """The program without in-place operations, and with recurrent cells and layers taken apart into
    what they compute; unchanged if it has none of these."""
    nodes = [n for n in exported.graph.nodes if isinstance(n.target, torch._ops.OpOverload)]
    recurrent = {node.target for node in nodes if is_recurrent(node)}
    if not recurrent and not any(node.target._schema.is_mutable for node in nodes):
        return exported
    table = torch.export.default_decompositions()
    apart = {target: table[target] for target in recurrent if target in table}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result: ExportedProgram = exported.run_decompositions(apart)
    return result


def _signature_problems(exported: ExportedProgram) -> list[Problem]:
    mutated = sorted(set(exported.graph_signature.buffers_to_mutate.values()))
    return [
        Problem(buffer, "the network writes to this buffer", "call model.eval() before exporting")
        for buffer in mutated
    ]


def _output_problems(network: str, outputs: Sequence[Any]) -> list[Problem]:
    """What the network returns that are no logits of the image, each returned once."""
    if not outputs:
        return [Problem(network, "the network returns nothing", "return the logits")]
    problems = []
    seen: set[str] = set()
    for index, output in enumerate(outputs):
        which = f"result {index + 1} of {len(outputs)}" if len(outputs) > 1 else "the result"
        if not isinstance(output, Value):
            what = f"{which} does not depend on the image"
            problems.append(Problem(network, what, "return the logits"))
        elif output.op in seen:
            what = f"{which} is one that was returned before"
            problems.append(Problem(network, what, "return every classifier once"))
        else:
            seen.add(output.op)
    return problems


class _Lowering:
    """One walk over the exported graph."""

    def __init__(self, program: ImportedNetwork, exported: ExportedProgram) -> None:
        self.program = program
        self.exported = exported
        self.context = Context()
        self.problems: list[Problem] = []
        self._values: dict[fx.Node, Any] = {}

    def run(self, wanted: set[str]) -> dict[str, Any]:
        """Values of the live nodes by name; constants are tensors."""
        lifted = lifted_values(self.exported)
        live = _live_nodes(self.exported.graph, wanted)
        for node in self.exported.graph.nodes:
            if node.op == "placeholder":
                is_lifted = node.name in lifted
                self._values[node] = lifted[node.name] if is_lifted else self._image(node)
            elif node in live:
                self._values[node] = self._visit(node)
        return {node.name: value for node, value in self._values.items()}

    def _image(self, node: fx.Node) -> Value:
        channels = self.program.input_shape[0]
        name = self.context.names.make("", "image")
        self.context.ops.append(
            Image(
                name,
                node.name,
                "input",
                self.program.input_shape,
                np.ones(channels),
                np.zeros(channels),
            )
        )
        dims = (1, *self.program.input_shape)
        raw = not self.program.input_dtype.is_floating_point
        return Value(name, "map", self.program.input_shape, dims, pixels=raw)

    def _visit(self, node: fx.Node) -> Any:
        inputs = [self._values[n] for n in node.all_input_nodes]
        constant = not any(isinstance(v, Value) for v in inputs)
        call_ = Call(node, call_path(node), _bind(node, self._values))
        try:
            if constant and is_callable_here(node):
                return call(node, self._values)
            return self._handle(call_)
        except Refused as refusal:
            suspect = any(isinstance(v, Value) and v.suspect for v in inputs)
            if not (suspect and refusal.about_inputs):
                self.problems.append(Problem(call_.where, refusal.what, refusal.remedy))
            return self._unknown(call_)

    def _handle(self, call_: Call) -> Value | Tensor:
        name = op_name(call_.node)
        handler = HANDLERS.get(name)
        if handler is None:
            label = name.replace("::", ".")
            remedy = REMEDIES.get(name, _UNSUPPORTED)
            raise Refused(f"{label}: not supported on the engine", remedy)
        if any(v is None for v in (call_.node.meta.get("val"),)):
            raise Refused(f"{name}: its result has no shape", _UNSUPPORTED)
        strange = next((value for value in call_.inputs if value.order is not None), None)
        if strange is not None and name not in FOLLOWS_ORDER:
            raise Refused(f"works on {describe(strange)}", KEEP_ORDER)
        return handler(self.context, call_)

    def _unknown(self, call_: Call) -> Value:
        """A stand-in of the likely kind, so that the nodes behind it are examined too."""
        value = call_.node.meta.get("val")
        first = value[0] if isinstance(value, (tuple, list)) and value else value
        dims = tuple(int(n) for n in first.shape) if isinstance(first, Tensor) else (1,)
        shape = dims[1:] if len(dims) == 4 else (int(np.prod(dims)),)
        name = self.context.names.make(call_.path, "unknown")
        sources = tuple(dict.fromkeys(value.op for value in call_.inputs))
        self.context.ops.append(Unknown(name, call_.node.name, call_.where, shape, sources))
        return Value(name, "map" if len(shape) == 3 else "vector", shape, dims, suspect=True)


def _live_nodes(graph: fx.Graph, wanted: set[str]) -> set[fx.Node]:
    pending = [node for node in graph.nodes if node.name in wanted]
    live: set[fx.Node] = set()
    while pending:
        node = pending.pop()
        if node not in live and not is_assertion(node):
            live.add(node)
            pending.extend(node.all_input_nodes)
    return live


def _bind(node: fx.Node, values: dict[fx.Node, Any]) -> dict[str, Any]:
    """Arguments by the names of the operator's schema, defaults filled in, nodes resolved."""
    defaults: dict[str, Any] = {}
    if node.target is operator.getitem:
        names = ["a", "b"]
    elif isinstance(node.target, torch._ops.OpOverload):
        schema = node.target._schema.arguments
        names = [argument.name for argument in schema]
        defaults = {a.name: a.default_value for a in schema if a.has_default_value()}
    else:
        names = [f"argument {i}" for i in range(len(node.args))]
    bound = {**defaults, **dict(zip(names, node.args, strict=False)), **node.kwargs}
    return {name: _resolve(argument, values) for name, argument in bound.items()}


def _resolve(argument: Any, values: dict[fx.Node, Any]) -> Any:
    if isinstance(argument, fx.Node):
        return values[argument]
    if isinstance(argument, (list, tuple)):
        return [_resolve(item, values) for item in argument]
    return argument
