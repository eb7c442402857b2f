"""Predicted cycles of a network's program: of all of it, with nothing skipped.

A measure follows what gates decide, which are convolutions and linear layers. A program has other
instructions too, which load the image, pool, add and store, and so has the static twin's.
"""

from __future__ import annotations

import copy
import warnings
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from acsgen.compiler import compile_graph
from acsgen.compiler.predict import predict
from acsgen.cost.cycles import program_cycles
from acsgen.frontend import layers_of
from acsgen.importers.network import imported_network
from acsgen.ir.integer import IntGraph
from acsgen.ir.ungate import without_gates
from acsgen.program.engine_config import EngineConfig
from acsgen.quant.outline import outline


@dataclass(frozen=True)
class PredictedCycles:
    """The compiler's prediction for an image.

    Attributes:
        opened: of the network with all its gates open.
        static: of its static twin, the same without gates.
    """

    opened: int
    static: int


def predicted_cycles(network: nn.Module, engine: EngineConfig) -> PredictedCycles:
    """Compile a network with its present weights, as :mod:`acsgen.flow.build` does, but for what
    only calibration decides; and its twin.

    Args:
        network: one with ``example_input``; it stays as it is.
        engine: to compile for.

    Raises:
        UserError: the engine cannot run the network; with every reason.
    """
    graph = outlined(network)
    return PredictedCycles(_cycles(graph, engine), _cycles(without_gates(graph), engine))


def outlined(network: nn.Module) -> IntGraph:
    """The outline of a network's integer graph; see :func:`predicted_cycles`."""
    # Exporting and compiling are done on the CPU, in eval mode, and leave nothing behind.
    own = copy.deepcopy(network).cpu().eval()
    example = own.example_input().cpu()  # type: ignore[operator]
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exported = torch.export.export(own, (example,), strict=False)
    name = Path(type(network).__name__)
    return outline(layers_of(imported_network(name, exported, {}, "checkpoint"))[0])


def _cycles(graph: IntGraph, engine: EngineConfig) -> int:
    program = compile_graph(graph, engine)
    instructions = [line.instruction for line in program.lines]
    return program_cycles(instructions, predict(program).instructions, engine.post_lanes)
