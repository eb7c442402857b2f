"""Losses, gate modes and networks are complete: each entry keeps its registry's promises."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import acsgen.nn.networks
import acsgen.train.losses
from acsgen.nn import AcsConfig, ChannelGate, MacCounter, ResNet, ResNetConfig
from acsgen.nn.answers import answers
from acsgen.nn.mac_counter import Skippable
from acsgen.nn.networks import ARCHITECTURES
from acsgen.support.registry import Registry
from acsgen.train.gate_modes import GATE_MODES, gates_in_mode
from acsgen.train.losses import LOSSES, Forward

#: Parameters of losses that have no defaults; a loss that needs some is to be added here.
PARAMETERS: dict[str, dict[str, Any]] = {"acs": {"target": 0.5}}


@pytest.mark.unit
@pytest.mark.parametrize(
    ("registry", "package"),
    [(LOSSES, acsgen.train.losses), (ARCHITECTURES, acsgen.nn.networks)],
    ids=["losses", "networks"],
)
def test_every_entry_is_a_file_of_its_name(registry: Registry[Any], package: ModuleType) -> None:
    assert package.__file__ is not None
    files = {path.stem for path in Path(package.__file__).parent.glob("*.py")}
    named = {name for name in files if name != "base" and not name.startswith("_")}
    assert named == set(registry)


def network() -> ResNet:
    torch.manual_seed(0)
    return ResNet(ResNetConfig(widths=(2, 2, 2), image_size=8, gate=AcsConfig()))


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_trains(name: str) -> None:
    kind = LOSSES[name]
    parameters = kind.parameters_type.model_validate(PARAMETERS.get(name, {}))
    assert parameters.name == name
    model = network().train()
    loss = kind(parameters, Forward(model, MacCounter(model), torch.device("cpu")))
    for progress in (0.0, 1.0):
        loss.set_progress(progress)
        images = torch.randint(0, 256, (4, 3, 8, 8), dtype=torch.uint8)
        result = loss(images, torch.arange(4))
        assert result.statistics.shape == (len(kind.statistics()),)
        assert result.statistics[0] == result.loss.detach()
        assert not result.statistics.requires_grad
    result.loss.backward()
    weight = model.conv1.weight.grad
    assert weight is not None
    assert weight.any()


@pytest.mark.unit
@pytest.mark.parametrize("name", GATE_MODES)
def test_every_gate_mode_is_taken_back(name: str) -> None:
    mode = GATE_MODES[name]
    gates = nn.ModuleList(ChannelGate(threshold, noise=0.1) for threshold in (1.0, 0.5)).eval()
    logits = torch.tensor([[-1.0, 1.0]])

    def masks() -> list[float]:
        decided: list[Tensor] = [gate(logits).flatten() for gate in gates]
        return torch.cat(decided).tolist()

    before = [dict(vars(gate)) for gate in gates]
    own = masks()
    with gates_in_mode(gates, mode, noise=0.7):
        assert [gate.noise for gate in gates] == [0.7, 0.7]
        meanwhile = masks()
    assert (0.0 in meanwhile) == mode.skips
    assert [dict(vars(gate)) for gate in gates] == before
    assert masks() == own
    with pytest.raises(KeyError), gates_in_mode(gates, mode, noise=0.7):
        raise KeyError
    assert [dict(vars(gate)) for gate in gates] == before


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_architecture_trains_and_counts(name: str) -> None:
    entry = ARCHITECTURES[name]
    fields = set(entry.config.model_fields)
    assert {"in_channels", "image_size", "num_classes", "mean", "std"} <= fields
    model = entry.build(entry.config())
    assert isinstance(model, Skippable)
    assert MacCounter(model).static_macs > 0
    with torch.no_grad():
        for logits in answers(model.eval()(model.example_input())):
            assert logits.shape == (1, entry.config().num_classes)
