"""What losses charge for: the compiler's own counters, and gradients that point the right way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from acsgen.compiler import compile_graph
from acsgen.compiler.predict import predict
from acsgen.cost.cycles import instruction_cycles, program_cycles
from acsgen.frontend import front_end
from acsgen.ir.ungate import without_gates
from acsgen.isa.generated import Opcode
from acsgen.nn import AcsConfig, MacCounter, save_checkpoint
from acsgen.nn.networks import ARCHITECTURES
from acsgen.program.board import load_board
from acsgen.program.engine_config import EngineConfig
from acsgen.program.program import Program
from acsgen.quant.outline import outline
from acsgen.quant.quantize import quantize
from acsgen.support.errors import UserError
from acsgen.train.measures import MEASURES, CyclesMeasure, Energies
from tests.nets.images import patches
from tests.nets.modules import randomized

pytestmark = pytest.mark.usefixtures("no_layer_is_added")

NETWORKS: dict[str, tuple[str, dict[str, Any]]] = {
    "acs": ("resnet", {"gate": AcsConfig(grouping=False, mask_target="both")}),
    "grouped": ("resnet", {"gate": AcsConfig(se=False)}),
    "iadi": ("iadi_resnet", {}),
    "ofas": ("ofas_resnet", {"depth": 14}),
    "skipnet": ("skipnet_resnet", {}),
}


def network(name: str) -> tuple[torch.nn.Module, str, Any]:
    arch, changes = NETWORKS[name]
    config = ARCHITECTURES[arch].config(widths=(8, 12, 20), image_size=16, num_classes=3, **changes)
    return randomized(ARCHITECTURES[arch].build(config)), arch, config


def drawn(counter: MacCounter, model: torch.nn.Module, images: int, seed: int) -> dict[str, Tensor]:
    from acsgen.nn.gates.record import record_gates

    with record_gates(model) as gates, torch.no_grad():
        model(torch.from_numpy(patches((3, 16, 16), 1)))
    rng = np.random.default_rng(seed)
    assert list(gates.masks) == counter.gate_names
    return {
        name: torch.from_numpy(rng.integers(0, 2, (images, mask.shape[1]))).float()
        for name, mask in gates.masks.items()
    }


@pytest.mark.parametrize("name", ["acs", "iadi", "ofas", "skipnet"])
def test_cycles_are_the_compilers_iterations(name: str, tmp_path: Path) -> None:
    """Layer by layer, for gates that are all open: the engine's own counters."""
    model, arch, config = network(name)
    save_checkpoint(tmp_path / "net.pt", model, arch, config, {})
    layers, _ = front_end(tmp_path / "net.pt")
    engine = EngineConfig.for_board(load_board("zedboard"))
    program = compile_graph(quantize(layers, patches((3, 16, 16), 4)), engine)
    report = predict(program)
    counted = {
        line.layer: cost
        for line, cost in zip(program.lines, report.instructions, strict=True)
        if cost.opcode is Opcode.CONV
    }
    counter = MacCounter(model)
    measure = CyclesMeasure(counter, "zedboard", Energies())
    compared = 0
    for load in counter.loads:
        if load.op.name in counted:
            mine = measure.iterations(load, load.op.outs, load.op.ins)
            assert mine == counted[load.op.name].counters.array_iterations
            compared += 1
    assert compared == len(counted)


def cycles(program: Program, masks: dict[str, NDArray[np.float32]] | None = None) -> int:
    """The compiler's own prediction of a whole program, for an engine that skips words."""
    instructions = [line.instruction for line in program.lines]
    costs = predict(program, masks, skips_words=True).instructions
    return program_cycles(instructions, costs, program.engine.post_lanes)


@pytest.mark.parametrize("name", NETWORKS)
def test_nothing_skipped_is_the_whole_program(name: str, tmp_path: Path) -> None:
    model, arch, config = network(name)
    save_checkpoint(tmp_path / "net.pt", model, arch, config, {})
    layers, _ = front_end(tmp_path / "net.pt")
    engine = EngineConfig.for_board(load_board("zedboard"))
    known = outline(layers)
    model.train()
    counter = MacCounter(model)
    measure = CyclesMeasure(counter, "zedboard", Energies())
    assert model.training
    opened = {gate: torch.ones_like(mask) for gate, mask in drawn(counter, model, 1, 0).items()}
    assert float(measure(opened).detach()) == measure.opened == cycles(compile_graph(known, engine))
    assert measure.static == cycles(compile_graph(without_gates(known), engine))
    # What a build predicts for the calibrated network, but for layers that calibration adds.
    program = compile_graph(quantize(layers, patches((3, 16, 16), 4)), engine)
    names = {layer.name for layer in known}
    costs = predict(program).instructions
    added = sum(
        instruction_cycles(line.instruction, cost, engine.post_lanes)
        for line, cost in zip(program.lines, costs, strict=True)
        if line.layer and line.layer not in names
    )
    assert measure.opened == cycles(program) - added


@pytest.mark.parametrize(("name", "off"), [("iadi", 0), ("skipnet", 0), ("acs", 16)])
def test_hard_gates_are_the_compilers_prediction_for_their_masks(
    name: str, off: int, tmp_path: Path
) -> None:
    """To the cycle, but for words of weights, of which the engine reads some between two others."""
    model, arch, config = network(name)
    save_checkpoint(tmp_path / "net.pt", model, arch, config, {})
    layers, _ = front_end(tmp_path / "net.pt")
    graph = outline(layers)
    program = compile_graph(graph, EngineConfig.for_board(load_board("zedboard")))
    counter = MacCounter(model)
    measure = CyclesMeasure(counter, "zedboard", Energies())
    masks = drawn(counter, model, 24, 3)
    found = measure(masks).tolist()
    differences = []
    for image, mine in enumerate(found):
        bits = {}
        for gate in graph.gates:
            # A decision for a whole block is repeated for each of its channels.
            own = next(key for key in masks if f"{gate.name}.".startswith(f"{key}."))
            bits[gate.name] = np.broadcast_to(masks[own][image].numpy(), gate.shape)
        differences.append(cycles(program, bits) - mine)
    assert min(differences) >= 0
    assert max(differences) <= off
    assert len(set(found)) > 2


def test_a_network_that_the_engine_cannot_hold_is_told() -> None:
    config = ARCHITECTURES["resnet"].config(widths=(64, 64, 64), image_size=256)
    model = ARCHITECTURES["resnet"].build(config)
    with pytest.raises(UserError, match="map 256x256 is wider"):
        CyclesMeasure(MacCounter(model), "zedboard", Energies())


def test_masked_rounds_are_the_engines() -> None:
    model, _, _ = network("acs")
    counter = MacCounter(model)
    measure = CyclesMeasure(counter, "zedboard", Energies())
    load = next(load for load in counter.loads if load.op.name == "layer3.0.conv2")
    # 4 x 4 pixels are one block, and four lane groups take a channel of it each.
    for outs, rounds in ((0, 0), (1, 1), (4, 1), (5, 2), (20, 5)):
        found = measure.iterations(load, torch.tensor([float(outs)]), torch.tensor([3.0]))
        assert found.tolist() == [rounds * 3 * 9]


@pytest.mark.parametrize("measure_name", MEASURES)
@pytest.mark.parametrize("name", NETWORKS)
def test_an_open_channel_never_saves_anything(name: str, measure_name: str) -> None:
    model, _, _ = network(name)
    counter = MacCounter(model)
    measure = MEASURES[measure_name](counter, "zedboard", Energies())
    masks = {gate: m.requires_grad_() for gate, m in drawn(counter, model, 3, 1).items()}
    cost = measure(masks)
    assert cost.shape == (3,)
    for gradient in torch.autograd.grad(cost.sum(), list(masks.values())):
        assert (gradient >= 0).all()
        assert gradient.any()
    opened = measure({gate: torch.ones_like(m) for gate, m in masks.items()})
    closed = measure({gate: torch.zeros_like(m) for gate, m in masks.items()})
    assert (closed < opened).all()
    assert (cost.detach() >= closed).all()
    assert (cost.detach() <= opened).all()
    # With every channel open the gates' own cost is left, in which their bits have no part.
    own = float(opened[0]) - measure.static
    assert own == 0 if measure_name == "open_bits" else own > 0
    assert measure.static > 0


def test_energy_is_equation_6() -> None:
    """Each memory by itself, on a convolution that is counted by hand."""
    model, _, _ = network("iadi")
    counter = MacCounter(model)
    masks = drawn(counter, model, 1, 2)
    none = {"mac": 0.0, "registers": 0.0, "cache": 0.0, "memory": 0.0}

    def energy(**energies: float) -> Tensor:
        return MEASURES["energy"](counter, "zedboard", Energies(**none | energies))(masks)

    assert energy(mac=1.0).item() == pytest.approx(counter.count(masks).item())
    assert energy(registers=2.0).item() == pytest.approx(6 * counter.count(masks).item())
    together = energy(mac=1.0, registers=1.0, cache=6.0, memory=200.0)
    apart = energy(mac=1.0) + energy(registers=1.0) + energy(cache=6.0) + energy(memory=200.0)
    assert together.item() == pytest.approx(apart.item())
    weights = sum(
        load.op.kernel * float(outs) * float(ins)
        for load in counter.loads
        for outs, ins in [load.active(masks)]
    )
    assert energy(memory=1.0).item() == pytest.approx(weights)
