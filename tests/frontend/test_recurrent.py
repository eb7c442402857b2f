"""Recurrent gates as users write them: PyTorch's cells and layers, cells of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from acsgen.compiler import compile_graph
from acsgen.frontend.passes.constants import PIXEL
from acsgen.ir import layers as ir
from acsgen.ir.kinds.join import Join
from acsgen.nn import ChannelGate
from acsgen.program.engine_config import EngineConfig
from acsgen.quant.quantize import quantize
from tests.frontend.compiled import compiled, refusals
from tests.nets.images import noise
from tests.nets.modules import Body, ConvBn, randomized

WIDTH, UNITS = 6, 5
ENGINE = EngineConfig(lane_groups=4, feature_kib=256, weight_kib=32, vector_bytes=4096)


def of_torch(kind: Callable[[int, int], nn.Module], whole: bool) -> Callable[[], nn.Module]:
    """Two steps of a cell, or of a whole layer of one step each."""

    class Steps(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell = kind(WIDTH, UNITS)

        def forward(self, x: Tensor) -> Tensor:
            x = x[None] if whole else x
            state = None
            for _ in range(2):
                result = self.cell(x, state)
                out, state = result if whole else (result, result)
            hidden: Tensor = out[0] if isinstance(out, tuple) else out
            return hidden.reshape(1, -1)

    return Steps


class ByHand(nn.Module):
    """``W @ [x, h]`` as people write it, and a product of two results of either sign."""

    def __init__(self) -> None:
        super().__init__()
        self.gates = nn.Linear(WIDTH + UNITS, 4 * UNITS)

    def forward(self, x: Tensor) -> Tensor:
        hidden, cell = (x.new_zeros(1, UNITS) for _ in range(2))
        for _ in range(2):
            take, keep, value, give = self.gates(torch.cat([x, hidden], 1)).split(UNITS, 1)
            cell = keep.sigmoid() * cell + take.sigmoid() * value.tanh()
            hidden = give * cell.tanh()
        return hidden


CELLS: dict[str, Callable[[], nn.Module]] = {
    "by-hand": ByHand,
    "lstm": of_torch(nn.LSTM, True),
    "lstm-cell": of_torch(nn.LSTMCell, False),
    "gru": of_torch(nn.GRU, True),
    "gru-cell": of_torch(nn.GRUCell, False),
    "rnn": of_torch(nn.RNN, True),
    "rnn-cell": of_torch(nn.RNNCell, False),
}


def network(cell: nn.Module) -> nn.Module:
    """A gate by a recurrent cell, on a convolution, and a classifier."""

    def forward(s: Any, x: Tensor) -> Tensor:
        x = s.c(x.float() / 64).relu()
        mask: Tensor = s.gate(s.proj(s.cell(x.mean((2, 3)))))
        result: Tensor = s.fc((s.d(x).relu() * mask).mean((2, 3)))
        return result

    body = Body(forward, c=ConvBn(3, WIDTH), d=ConvBn(WIDTH, 8), cell=cell, gate=ChannelGate(),
                proj=nn.Linear(UNITS, 8), fc=nn.Linear(8, 4))  # fmt: skip
    return randomized(body)


@pytest.mark.parametrize("name", CELLS)
def test_recurrent_gates_compile_to_the_same_function(name: str) -> None:
    graph = compiled(network(CELLS[name]()))
    assert any(isinstance(layer, Join) for layer in graph)
    integers = quantize(graph, noise(graph.input.shape, 4))
    compile_graph(integers, ENGINE)


def test_a_state_that_begins_at_zero_costs_nothing() -> None:
    """The first step has no forget gate and no product with the state."""
    graph = compiled(network(CELLS["lstm-cell"]()))
    cells = [layer for layer in graph if layer.name.startswith("cell.")]
    scales = [layer for layer in cells if isinstance(layer, ir.Scale)]
    # i * tanh(g), o * tanh(c), and f * c in the second step; tanh is a map scaled and shifted.
    assert len(scales) == 2 + 2 + 3 + 2
    assert len([layer for layer in graph if layer.name == PIXEL]) == 1


def test_a_sequence_of_several_steps_is_refused() -> None:
    class Rows(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm = nn.LSTM(1, UNITS)

        def forward(self, x: Tensor) -> Tensor:
            result: Tensor = self.lstm(x.reshape(WIDTH, 1, 1))[0][-1]
            return result

    told = " ".join(problem.what for problem in refusals(network(Rows())))
    assert "apart" in told, told
