"""Weights of other code bases: outputs and masks are the original's, and nothing is dropped."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from typer.testing import CliRunner

from acsgen.cli import app
from acsgen.frontend import front_end
from acsgen.importers.layouts import LAYOUTS
from acsgen.importers.layouts.base import CIFAR, IMAGENET, UNCHANGED, Statistics
from acsgen.importers.weights import ImageOptions, import_weights
from acsgen.nn import MacCounter, load_checkpoint, record_gates, save_checkpoint
from acsgen.support.errors import UserError
from tests.importers import public_gated as gated
from tests.importers import public_plain as plain
from tests.nets.modules import randomized

#: Rows and columns of the test images; those of the code bases for CIFAR.
SIZE = 32


@dataclass(frozen=True)
class Original:
    """A network of another code base, and what acsgen has to make of it."""

    build: Callable[[], nn.Module]
    layout: str
    arch: str
    statistics: Statistics = CIFAR
    size: int = SIZE


VGG_PLAN = (4, "M", 6, 6, "M", 8, "M")
VGG_HEAD = (4, "M", 6, "M")

ORIGINALS = {
    "skipnet-1": Original(lambda: gated.SkipNet("I"), "skipnet", "skipnet_resnet"),
    "skipnet-2": Original(lambda: gated.SkipNet("II", blocks=3), "skipnet", "skipnet_resnet"),
    "skipnet-rnn": Original(lambda: gated.SkipNet("RNN"), "skipnet", "skipnet_resnet"),
    "ofas-1": Original(lambda: gated.Ofas((8,)), "ofas", "ofas_resnet"),
    "ofas-2": Original(lambda: gated.Ofas((12, 8), blocks=1), "ofas", "ofas_resnet"),
    "acs": Original(lambda: gated.GatedDenseNet("acs"), "acs", "densenet"),
    "acs-gn": Original(lambda: gated.GatedDenseNet("acs-gn", (1, 2)), "acs", "densenet"),
    "acs-gn-wide": Original(
        lambda: gated.GatedDenseNet("acs-gn", (1, 2), width=12), "acs", "densenet"
    ),
    "iadi-dense": Original(
        lambda: gated.GatedDenseNet("iadi", (1, 2, 1, 1), last=False), "acs", "densenet", size=64
    ),
    "triple-wins": Original(gated.TripleWins, "triple_wins", "radi_resnet", UNCHANGED),
    "triple-wins-6": Original(lambda: gated.TripleWins(6), "triple_wins", "radi_resnet", UNCHANGED),
    "triple-wins-plain": Original(
        lambda: gated.TripleWins(1, branches=False), "triple_wins", "resnet", UNCHANGED
    ),
    "resnet-18": Original(
        lambda: plain.ResNet((2, 2, 2, 2)), "resnet", "image_resnet", IMAGENET, 64
    ),
    "resnet-50": Original(
        lambda: plain.ResNet((1, 2, 1, 1), groups=1), "resnet", "image_resnet", IMAGENET, 64
    ),
    "resnext": Original(
        lambda: plain.ResNet((1, 1, 1), groups=4), "resnet", "image_resnet", IMAGENET, 64
    ),
    "g-resnext": Original(
        lambda: plain.ResNet((1, 2, 1), groups=0), "resnet", "image_resnet", IMAGENET, 64
    ),
    "resnet-cifar": Original(lambda: plain.ResNet((2, 2, 2), small=True), "resnet", "resnet"),
    "resnet-cifar-uneven": Original(
        lambda: plain.ResNet((1, 2, 1), small=True), "resnet", "image_resnet"
    ),
    "vgg-cifar": Original(lambda: plain.Vgg(VGG_PLAN, True, "one"), "vgg", "vgg"),
    "vgg-dropouts": Original(lambda: plain.Vgg(VGG_PLAN, False, "dropouts"), "vgg", "vgg"),
    "vgg": Original(lambda: plain.Vgg(VGG_HEAD, True, "imagenet"), "vgg", "vgg", IMAGENET, 28),
    "densenet": Original(lambda: plain.DenseNet((2, 3)), "densenet", "densenet", IMAGENET, 64),
    # Torchvision calls the last norm so, however many blocks there are.
    "densenet-norm5": Original(
        lambda: plain.DenseNet((2, 1, 2), last_norm="norm5"), "densenet", "densenet", IMAGENET, 64
    ),
    "densenet-norm-final": Original(
        lambda: plain.DenseNet((1, 2), small=True, last_norm="norm_final"), "densenet", "densenet"
    ),
    "densenet-cifar": Original(
        lambda: plain.DenseNet((2, 1, 2), small=True), "densenet", "densenet"
    ),
    "mobilenet": Original(plain.MobileNetV2, "mobilenet_v2", "mobilenet_v2", IMAGENET, 64),
}


def original(name: str, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return randomized(ORIGINALS[name].build(), seed)


def saved(network: nn.Module, path: Path, parallel: bool = False, **others: Any) -> Path:
    """A checkpoint as a training script writes it."""
    prefix = "module." if parallel else ""
    state = OrderedDict((prefix + key, value) for key, value in network.state_dict().items())
    torch.save({**others, "state_dict": state} if others else state, path)
    return path


def imported(name: str, path: Path, **options: Any) -> Any:
    return import_weights(path, ImageOptions(size=ORIGINALS[name].size), **options)


def pixels(name: str, images: int = 6) -> Tensor:
    size = ORIGINALS[name].size
    generator = torch.Generator().manual_seed(5)
    return torch.randint(0, 256, (images, 3, size, size), generator=generator, dtype=torch.uint8)


def normalized(images: Tensor, statistics: Statistics) -> Tensor:
    mean, std = (torch.tensor(values).reshape(1, -1, 1, 1) for values in statistics)
    return (images.float() / 255 - mean) / std


@pytest.mark.parametrize("name", ORIGINALS)
def test_outputs_and_masks_are_those_of_the_original(name: str, tmp_path: Path) -> None:
    case = ORIGINALS[name]
    differing = set()
    for seed in range(3):
        network = original(name, seed)
        found = imported(name, saved(network, tmp_path / "x.pth", parallel=seed == 1, epoch=3))
        assert (found.layout, found.arch) == (case.layout, case.arch)
        images = pixels(name)
        with torch.no_grad(), record_gates(found.model) as record:
            logits, masks = network(normalized(images, case.statistics))
            answer = found.model(images)
        answers = answer if isinstance(answer, tuple) else (answer,)
        assert len(answers) == len(logits)
        for own, wanted in zip(answers, logits, strict=True):
            torch.testing.assert_close(own, wanted, rtol=1e-5, atol=1e-5)
        decided = [mask.reshape(len(images), -1) for mask in record.masks.values()]
        assert len(decided) == len(masks)
        for own, wanted in zip(decided, masks, strict=True):
            assert torch.equal(own, wanted.reshape(len(images), -1))
            differing |= set(own.flatten().tolist())
    # Masks that are all open, or all closed, would prove little.
    assert differing in (set(), {0.0, 1.0})


@pytest.mark.parametrize("name", ORIGINALS)
def test_the_model_file_goes_into_a_build(name: str, tmp_path: Path) -> None:
    case = ORIGINALS[name]
    found = imported(name, saved(original(name), tmp_path / "x.pth"))
    path = tmp_path / "model.pt"
    save_checkpoint(path, found.model, found.arch, found.config, {})
    assert MacCounter(load_checkpoint(path).model).static_macs > 0
    graph, _ = front_end(path)
    assert graph.input.shape == (3, case.size, case.size)


def test_every_layout_is_tested() -> None:
    assert {case.layout for case in ORIGINALS.values()} == set(LAYOUTS)


def problems(path: Path, **options: Any) -> str:
    with pytest.raises(UserError) as caught:
        import_weights(path, **options)
    return str(caught.value)


def changed(name: str, path: Path, change: Callable[[dict[str, Tensor]], object]) -> Path:
    state = dict(original(name).state_dict())
    change(state)
    torch.save(state, path)
    return path


def test_unknown_weights_are_all_named(tmp_path: Path) -> None:
    extra = {f"attention{i}.weight": torch.ones(1) for i in range(40)}
    path = changed("skipnet-2", tmp_path / "x.pth", lambda state: state.update(extra))
    message = problems(path)
    assert "40 unknown weights" in message
    assert all(key in message for key in extra)
    found = import_weights(path, ignore_unknown=True)
    assert found.left["unknown"] == tuple(extra)


def test_what_is_left_out_is_told(tmp_path: Path) -> None:
    path = saved(original("acs"), tmp_path / "x.tar", parallel=True, epoch=9, best_prec1=0.5)
    left = {key for keys in import_weights(path).left.values() for key in keys}
    assert {"epoch", "best_prec1", "denseblock0_0_gate.se.fc.0.weight"} <= left
    assert {"denseblock0_0_gate.conv2.D", "denseblock2_0_gate.conv1.weight"} <= left
    kept = set(original("acs").state_dict()) - left
    assert "denseblock0_0_gate.conv1.weight" in kept
    assert "denseblock0_0_gate.conv2.gate" in kept


def test_weights_that_a_few_numbers_stand_for(tmp_path: Path) -> None:
    def stretch(state: dict[str, Tensor]) -> None:
        state["conv1.weight"] = torch.zeros(1).expand(10**6, 10**6)

    message = problems(changed("resnet-cifar", tmp_path / "x.pth", stretch))
    assert "weights, and 536,870,912 is the most" in message


def test_counters_of_batches_may_be_missing(tmp_path: Path) -> None:
    network = original("ofas-1")
    state = {k: v for k, v in network.state_dict().items() if "num_batches" not in k}
    torch.save(state, tmp_path / "x.pth")
    images = pixels("ofas-1")
    with torch.no_grad():
        wanted = network(normalized(images, CIFAR))[0][0]
        own = import_weights(tmp_path / "x.pth").model(images)
    torch.testing.assert_close(own, wanted, rtol=1e-5, atol=1e-5)


def test_missing_weights_and_odd_shapes_are_told_at_once(tmp_path: Path) -> None:
    def change(state: dict[str, Tensor]) -> None:
        for key in ("layer1.0.bn1.weight", "layer2.1.conv1.weight"):
            del state[key]
        state["layer3.1.conv2.weight"] = torch.zeros(3, 3, 3, 3)
        state["fc.bias"] = torch.zeros(7)

    message = problems(changed("resnet-cifar", tmp_path / "x.pth", change))
    assert "layer1.0.bn1.weight, layer2.1.conv1.weight" in message
    assert "layer3.1.conv2.weight ([3, 3, 3, 3] for [32, 32, 3, 3])" in message
    assert "fc.bias ([7] for [5])" in message


def test_a_second_name_with_other_weights_is_refused(tmp_path: Path) -> None:
    def change(state: dict[str, Tensor]) -> None:
        state["group2_ds0.0.weight"] = state["group2_ds0.0.weight"] + 1

    message = problems(changed("skipnet-1", tmp_path / "x.pth", change))
    assert "copies that differ from their originals: group2_ds0.0.weight" in message


def test_a_closed_gate_of_zero_stays_closed(tmp_path: Path) -> None:
    """The code opens above 0, acsgen from 0 on."""
    network = original("acs")
    gates = [part.gate for part in network.modules() if isinstance(part, gated.GroupedConv)]
    for gate in gates:
        gate.data[0], gate.data[1] = 0.0, 1.0
    images = pixels("acs")
    path = saved(network, tmp_path / "x.pth")
    with torch.no_grad():
        wanted = network(normalized(images, CIFAR))[0][0]
        own = import_weights(path).model(images)
    torch.testing.assert_close(own, wanted, rtol=1e-5, atol=1e-5)


def test_images_are_as_the_caller_says(tmp_path: Path) -> None:
    path = saved(original("resnet-cifar"), tmp_path / "x.pth")
    statistics = ((0.1, 0.2, 0.3), (0.5, 0.6, 0.7))
    found = import_weights(path, ImageOptions(48, *statistics))
    images = torch.randint(0, 256, (2, 3, 48, 48), dtype=torch.uint8)
    with torch.no_grad():
        wanted = original("resnet-cifar")(normalized(images, statistics))[0][0]
        torch.testing.assert_close(found.model(images), wanted, rtol=1e-5, atol=1e-5)
    assert "give --mean with 3 numbers" in problems(path, images=ImageOptions(mean=(0.5,)))


def test_other_files_are_told_apart(tmp_path: Path) -> None:
    own = tmp_path / "own.pt"
    found = import_weights(saved(original("resnet-cifar"), tmp_path / "x.pth"))
    save_checkpoint(own, found.model, found.arch, found.config, {})
    assert "is an acsgen checkpoint already" in problems(own)
    for content, wanted in (
        ({"a.weight": torch.ones(1)}, "no known layout of weights; its first keys are a.weight"),
        ({"epoch": 3}, "has no weights"),
        ([1, 2], "a list, not weights"),
        ({"conv1.weight": torch.ones(1, dtype=torch.int32)}, "not ordinary tensors: conv1.weight"),
    ):
        torch.save(content, tmp_path / "odd.pth")
        assert wanted in problems(tmp_path / "odd.pth")
    torch.save(original("resnet-cifar"), tmp_path / "whole.pth")
    assert "refused for safety" in problems(tmp_path / "whole.pth")


def test_values_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    def change(state: dict[str, Tensor]) -> None:
        state["fc.bias"] = torch.full((5,), float("nan"))

    assert "NaN or infinite" in problems(changed("ofas-1", tmp_path / "x.pth", change))


def test_the_command_writes_a_model_file_and_says_what_it_left_out(tmp_path: Path) -> None:
    path = saved(original("skipnet-2"), tmp_path / "model_best.pth.tar", parallel=True, iter=7)
    model, figures = tmp_path / "m.pt", tmp_path / "m.json"
    words = ["import", str(path), "-o", str(model), "--json", str(figures)]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    assert "skipnet_resnet" in result.output
    assert "left out, no block is left for the last gate to decide: group3_gate2" in result.output
    content = json.loads(figures.read_text(encoding="utf-8"))
    assert content["left_out"]["entries about the training run"] == ["iter"]
    loaded = load_checkpoint(model)
    assert loaded.meta["imported"]["layout"] == content["layout"] == "skipnet"
    wrong = CliRunner().invoke(app, ["import", str(path), "-o", str(model), "--mean", "a,b"])
    assert wrong.exit_code == 2
    assert CliRunner().invoke(app, ["import", str(path), "-o", str(path)]).exit_code == 2
    assert import_weights(path).layout == "skipnet"
