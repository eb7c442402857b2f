"""ResNets of every shape run, and export with one node for each gate and the same numbers."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor, nn

from acsgen.nn import AcsConfig, ChannelGate, ResNet, ResNetConfig, SqueezeExcite
from acsgen.nn.gates.record import record_gates
from acsgen.nn.mac_counter import MacCounter

PLACES = [
    {"granularity": "conv"},
    *({"mask_target": target} for target in (None, "inner", "output", "both")),
]
FORMS = [
    {},
    {"grouping": False, "se": False},  # ACS-GN
    {"bottleneck_norm": False, "last_norm": False, "bottleneck_stride": 2, "se": False},  # the code
]
GATES = [
    AcsConfig(**place, mask_before_bn=before, **form)
    for place, before, form in itertools.product(PLACES, (False, True), FORMS)
]


def randomize(model: nn.Module) -> nn.Module:
    """BatchNorm statistics and gate thresholds for which half of the channels are skipped."""
    generator = torch.Generator().manual_seed(1)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.2, generator=generator)
            module.running_var.uniform_(0.5, 1.5, generator=generator)
            nn.init.normal_(module.bias, 0, 0.3, generator=generator)
    for name, parameter in model.named_parameters():
        if name.endswith("fc.bias") and "gate" in name:
            nn.init.normal_(parameter, 0, 0.5, generator=generator)
    return model.eval()


def image(size: int, channels: int = 3) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    shape = (1, channels, size, size)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator)


def check_export(model: ResNet) -> None:
    program = torch.export.export(model, (model.example_input(),), strict=False)
    nodes = [n for n in program.graph.nodes if n.target is torch.ops.acsgen.channel_gate.default]
    assert len(nodes) == sum(isinstance(m, ChannelGate) for m in model.modules())
    pixels = image(model.config.image_size, model.config.in_channels)
    with torch.no_grad():
        assert torch.equal(program.module()(pixels), model(pixels))


@pytest.mark.parametrize("gate", [*GATES[:: len(FORMS)], *GATES[1 : len(FORMS)]])
def test_every_place_and_every_form_of_a_gate_exports(gate: AcsConfig) -> None:
    torch.manual_seed(0)
    config = ResNetConfig(depth=8, widths=(5, 6, 7), image_size=8, gate=gate)
    check_export(randomize(ResNet(config)))


@pytest.mark.parametrize(
    ("widths", "size"), [((1, 1, 1), 4), ((3, 7, 13), 9), ((33, 65, 128), 20), ((16, 8, 4), 33)]
)
def test_odd_widths_and_image_sizes(widths: tuple[int, int, int], size: int) -> None:
    torch.manual_seed(0)
    gate = AcsConfig(granularity="conv")
    model = ResNet(ResNetConfig(widths=widths, image_size=size, gate=gate, num_classes=3))
    randomize(model)
    check_export(model)
    with torch.no_grad():
        assert model(image(size)).shape == (1, 3)


def test_other_image_channels() -> None:
    config = ResNetConfig(image_size=8, in_channels=1, mean=(0.5,), std=(0.2,), gate=AcsConfig())
    torch.manual_seed(0)
    check_export(randomize(ResNet(config)))


@pytest.mark.parametrize("depth", [44, 110])
def test_deep_networks_run(depth: int) -> None:
    torch.manual_seed(0)
    gate = AcsConfig(granularity="conv")
    model = ResNet(ResNetConfig(depth=depth, widths=(3, 4, 5), image_size=8, gate=gate)).eval()
    with torch.no_grad(), record_gates(model) as gates:
        output = model(image(8))
    assert torch.isfinite(output).all()
    assert len(gates.masks) == depth - 2
    assert len([n for n, m in model.named_modules() if isinstance(m, nn.Conv2d)]) > depth


@pytest.mark.parametrize("gate", GATES)
def test_a_masked_channel_is_exactly_what_the_count_takes_it_for(gate: AcsConfig) -> None:
    """Weights of skipped channels must not matter: where MACs are saved, poison changes nothing."""
    torch.manual_seed(0)
    config = ResNetConfig(widths=(5, 6, 7), image_size=8, gate=gate)
    model = randomize(ResNet(config))
    pixels = image(8)
    with torch.no_grad(), record_gates(model) as gates:
        expected = model(pixels)
    modules = dict(model.named_modules())
    poisoned = 0
    for layer in model.gated_layers():
        for gate_name, axis in ((layer.out_gate, 0), (layer.in_gate, 1)):
            if gate_name is None:
                continue
            closed = gates.masks[gate_name][0] == 0
            weight = modules[layer.layer].weight
            with torch.no_grad():
                weight.transpose(0, axis)[closed] = 1e3
            poisoned += int(closed.sum())
    assert poisoned > 0
    with torch.no_grad():
        assert torch.equal(model(pixels), expected)


def test_open_gates_leave_the_twin() -> None:
    torch.manual_seed(0)
    gated = randomize(ResNet(ResNetConfig(image_size=8, gate=AcsConfig(threshold=0.0))))
    twin = ResNet(ResNetConfig(image_size=8)).eval()
    twin.load_state_dict(gated.state_dict(), strict=False)
    with torch.no_grad():
        assert torch.equal(gated(image(8)), twin(image(8)))
    assert MacCounter(gated).static_macs == MacCounter(twin).static_macs


@pytest.mark.unit
def test_normalization_takes_bytes_and_floats_alike() -> None:
    model = ResNet(ResNetConfig(image_size=8, mean=(0.1, 0.2, 0.3), std=(0.4, 0.5, 0.6)))
    pixels = image(8)
    expected = (pixels[0, 2, 0, 0].item() / 255 - 0.3) / 0.6
    assert model.normalize(pixels)[0, 2, 0, 0].item() == pytest.approx(expected, rel=1e-6)
    assert torch.equal(model.normalize(pixels), model.normalize(pixels.float()))


@pytest.mark.unit
def test_squeeze_excite_by_hand() -> None:
    module = SqueezeExcite(2, reduction=16)
    assert module.squeeze.weight.shape == (2, 2)
    with torch.no_grad():
        module.squeeze.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, -1.0]]))
        module.excite.weight.copy_(torch.tensor([[2.0, 5.0], [0.0, 5.0]]))
        x = torch.tensor([1.0, 3.0]).reshape(1, 2, 1, 1).expand(1, 2, 2, 2)
        y = module(x)
    factors = torch.sigmoid(torch.tensor([2.0, 0.0]))
    assert torch.allclose(y[0, :, 0, 0], factors * torch.tensor([1.0, 3.0]))
