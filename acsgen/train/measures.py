"""What an image costs under its masks, for losses: MACs, energy, cycles, or open gate bits.

A measure is a function of the gates' decisions, differentiable through the straight-through masks.
A further measure is a further entry of :data:`MEASURES`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Protocol

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from acsgen.cost.cycles import INSTRUCTION_CYCLES, store_cycles
from acsgen.cost.lane_groups import engine_for
from acsgen.cost.rounds import best_chunk, chunks, rounds
from acsgen.isa.generated import MAX_CHUNK, RECORD_WORDS, SEGMENT_PIXELS, WORD_BYTES
from acsgen.nn.gates.dgconv import DGConv2d
from acsgen.nn.mac_counter import Load, MacCounter
from acsgen.program.board import load_board
from acsgen.program.map_format import plane_blocks
from acsgen.support.registry import Registry
from acsgen.train.program_cycles import predicted_cycles

Masks = Mapping[str, Tensor]


class Energies(BaseModel):
    """Energies of DDI's equation 6, in those of a multiply-accumulate.

    The defaults are those of a spatial accelerator in 65 nm (Chen et al. 2016, Figure 3).

    Attributes:
        mac: of a multiply-accumulate.
        registers: of an access to a register.
        cache: of an access to the memory on the chip.
        memory: of an access to the main memory.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mac: float = Field(default=1.0, ge=0.0)
    registers: float = Field(default=1.0, ge=0.0)
    cache: float = Field(default=6.0, ge=0.0)
    memory: float = Field(default=200.0, ge=0.0)


class Measure(Protocol):
    """The cost of a network under masks.

    Attributes:
        static: that of the ungated twin, an image.
    """

    static: float

    def __call__(self, masks: Masks) -> Tensor:
        """The cost of each image, [N], gates included; a scalar for a network without gates."""


#: Makes a measure of a network: from its counter, a board's name and the energies.
Maker = Callable[[MacCounter, str, Energies], Measure]

MEASURES: Registry[Maker] = Registry("measure")


class MacMeasure:
    """Multiply-accumulates, as every report counts them (:mod:`acsgen.nn.mac_counter`)."""

    def __init__(self, counter: MacCounter) -> None:
        self.static = float(counter.static_macs)
        self._counter = counter

    def __call__(self, masks: Masks) -> Tensor:
        """MACs of each image."""
        return self._counter.count(masks)


class _LayerwiseMeasure:
    """A measure that is a sum over layers.

    Attributes:
        static: that of the layers of the ungated twin, an image.
        opened: that of all layers, with nothing skipped.
    """

    def __init__(self, counter: MacCounter) -> None:
        self._loads = counter.loads
        with torch.no_grad():
            costs = [float(self._layer(load, load.op.outs, load.op.ins)) for load in self._loads]
        pairs = zip(costs, self._loads, strict=True)
        self.opened = sum(costs)
        self.static = sum(cost for cost, load in pairs if not load.op.for_gates)

    def __call__(self, masks: Masks) -> Tensor:
        """The cost of each image."""
        total: Tensor | float = 0.0
        for load in self._loads:
            total = total + self._layer(load, *load.active(masks))
        return torch.as_tensor(total)

    def _layer(self, load: Load, outs: Tensor | int, ins: Tensor | int) -> Tensor | float:
        raise NotImplementedError


class EnergyMeasure(_LayerwiseMeasure):
    """DDI (JSTSP 2020), equation 6: accesses to three memories and multiply-accumulates.

    The accesses are those of this project's engine: the main memory gives the weights of active
    outputs and inputs once; the memory on the chip gives a pixel to all lane groups that need it in
    a round, and takes every result; a product reads a weight and reads and writes a sum.
    """

    def __init__(self, counter: MacCounter, board: str, energies: Energies) -> None:
        self._groups = engine_for(load_board(board)).lane_groups
        self._energies = energies
        super().__init__(counter)

    def _layer(self, load: Load, outs: Tensor | int, ins: Tensor | int) -> Tensor | float:
        op, e = load.op, self._energies
        weights = _weights(load, outs, ins)
        pixels = op.height * op.width
        macs = weights * pixels
        cache = macs / min(self._groups, max(op.outs // op.groups, 1)) + outs * pixels
        return macs * (e.mac + 3 * e.registers) + cache * e.cache + weights * e.memory


class CyclesMeasure(_LayerwiseMeasure):
    """Cycles of a board's engine, by its cost model (:mod:`acsgen.cost.cycles`).

    Forward, it is the model's own integer: the rounds in which blocks of active channels are dealt
    to the lane groups. Backward, a further channel costs its share of a round. The instructions on
    which no gate decides cost what the compiler predicts for them with the weights at the start,
    so that nothing skipped is the whole program, and ``static`` the whole program of the twin.

    Raises:
        UserError: the engine cannot run the network; with every reason.
    """

    def __init__(self, counter: MacCounter, board: str, energies: Energies) -> None:
        self._engine = engine_for(load_board(board))
        self._dealt: dict[str, Tensor] = {}
        super().__init__(counter)
        predicted = predicted_cycles(counter.model, self._engine)
        self._fixed = predicted.opened - self.opened
        self.opened, self.static = float(predicted.opened), float(predicted.static)

    def __call__(self, masks: Masks) -> Tensor:
        """The cycles of each image."""
        return super().__call__(masks) + self._fixed

    def _layer(self, load: Load, outs: Tensor | int, ins: Tensor | int) -> Tensor | float:
        op = load.op
        weights = _weights(load, outs, ins)
        words = outs * RECORD_WORDS + weights / WORD_BYTES
        if op.height == op.width == 1 and op.kernel == 1:
            return words + INSTRUCTION_CYCLES
        stored = store_cycles(_blocks(op.height, op.width) * op.outs, self._engine.post_lanes)
        iterations = _float(self.iterations(load, outs, ins))
        longest = torch.maximum(iterations, _float(words))
        return longest.clamp(min=float(stored)) + INSTRUCTION_CYCLES

    def iterations(self, load: Load, outs: Tensor | int, ins: Tensor | int) -> Tensor | float:
        """Inner iterations of a convolution for so many active outputs and inputs.

        They are the engine's own, but for convolutions in groups, whose rounds are taken as full.
        """
        op = load.op
        blocks = _blocks(op.height, op.width)
        if op.groups > 1 or isinstance(op.module, DGConv2d):
            return _weights(load, outs, ins) * (blocks / self._engine.lane_groups)
        return self._rounds(load, outs, blocks) * ins * op.kernel

    def _rounds(self, load: Load, outs: Tensor | int, blocks: int) -> Tensor | int:
        """Rounds for so many active outputs."""
        groups, op = self._engine.lane_groups, load.op
        row_words = math.ceil(op.ins * op.kernel / WORD_BYTES)
        largest = min(MAX_CHUNK, max(self._engine.bank_words // row_words, 1) * groups)
        chunk = best_chunk(groups, op.outs, largest, blocks)

        def dealt(active: int) -> int:
            return sum(rounds(blocks, part, groups) for part in chunks(active, chunk))

        if not isinstance(outs, Tensor):
            return dealt(outs)
        table = self._dealt.get(op.name)
        if table is None:
            counts = [float(dealt(active)) for active in range(op.outs + 1)]
            table = self._dealt[op.name] = torch.tensor(counts, device=outs.device)
        exact = table[outs.detach().round().long()]
        return exact + (outs - outs.detach()) * (blocks / groups)


def _float(value: Tensor | float) -> Tensor:
    return torch.as_tensor(value, dtype=torch.float32)


def _blocks(height: int, width: int) -> int:
    """Blocks of a plane, in the narrowest rows that it fits."""
    row_log2 = max(0, math.ceil(math.log2(width / SEGMENT_PIXELS)))
    return plane_blocks(height, row_log2)


def _weights(load: Load, outs: Tensor | int, ins: Tensor | int) -> Tensor | float:
    """Weights between active outputs and active inputs."""
    op = load.op
    share: Tensor | float
    if isinstance(op.module, DGConv2d):
        share = op.module.surviving_weights() / op.module.weight.numel()
    else:
        share = 1.0 / op.groups
    return outs * ins * op.kernel * share


class OpenBits:
    """Open gate bits, each alike: the L1 norm of GaterNet's gates over their number.

    What the gates themselves cost has no part in it.
    """

    static = 1.0

    def __call__(self, masks: Masks) -> Tensor:
        """The share of bits that are open, of each image."""
        if not masks:
            return torch.ones(())
        return torch.cat(list(masks.values()), dim=1).float().mean(1)


MEASURES.add("macs", lambda counter, board, energies: MacMeasure(counter))
MEASURES.add("energy", EnergyMeasure)
MEASURES.add("cycles", CyclesMeasure)
MEASURES.add("open_bits", lambda counter, board, energies: OpenBits())
