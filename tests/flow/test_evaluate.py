"""Comparing float and integer network, in memory and from a model file."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from acsgen.cli import app
from acsgen.cost.macs import count_macs
from acsgen.flow import evaluate as evaluation
from acsgen.flow.build import BuildRequest, build
from acsgen.flow.evaluate import evaluate, measure
from acsgen.flow.sweep.plan import SweepRequest, make_plan
from acsgen.flow.sweep.run import sweep
from acsgen.flow.thresholds import with_alpha
from acsgen.frontend import run_layers
from acsgen.nn.checkpoint import save_checkpoint
from acsgen.nn.networks.resnet import AcsConfig, ResNet, ResNetConfig
from acsgen.quant.golden import GoldenModel
from acsgen.quant.quantize import quantize
from acsgen.support.errors import UserError
from acsgen.train.recipe import load_recipe
from acsgen.train.start import has_gates
from tests.nets.images import slopes
from tests.nets.layer_graphs import every_kind

RECIPES = Path(__file__).parents[2] / "models" / "recipes"

GATES = {
    "resnet8-acs-digits32": True,
    "resnet8-digits32": False,
    "ofas2-resnet14-digits32": True,
    "pfec-resnet14-digits32": False,  # its mask is of the weights, and leaves with them
}


def test_measure_counts_what_the_networks_say() -> None:
    graph = every_kind(0)
    integers, test = quantize(graph, slopes(0, 64)), slopes(1, 70)
    floating = run_layers(graph, torch.from_numpy(test))
    labels = floating["logits"].numpy().argmax(axis=1)
    golden = GoldenModel(integers).run(test)
    same = float(np.mean(golden.predictions == labels))
    steps = []
    result = measure(
        graph,
        integers,
        test,
        labels,
        on_stage=lambda stage, done=0, total=0: steps.append((done, total)),
    )
    assert steps == [(0, 70), (32, 70), (64, 70)]
    assert (result.images, result.float_accuracy) == (70, 1.0)
    assert result.int8_accuracy == result.prediction_agreement == same
    agreement = {n: (golden.masks[n] == floating[n].numpy()) for n in ("gate", "gate2")}
    assert result.agreement_by_gate == {n: float(a.mean()) for n, a in agreement.items()}
    bits = np.concatenate([*agreement.values()], axis=1)
    assert result.gate_agreement == pytest.approx(bits.mean())
    macs = count_macs(integers, golden.masks, 70)
    assert (result.macs_dense, result.macs_mean) == (macs.dense, macs.executed.mean())
    assert result.skipped_share == 1 - macs.executed.mean() / macs.dense
    assert result.masks is not None
    assert result.masks.bits == 13
    frequency = np.concatenate([golden.masks["gate"], golden.masks["gate2"]], axis=1).mean(axis=0)
    moving = (frequency > 0.02) & (frequency < 0.98)
    assert result.masks.input_dependent == pytest.approx(moving.mean())
    assert result.masks.mean_open == pytest.approx(frequency.mean())
    assert 0 < result.masks.mean_entropy < 1
    np.testing.assert_array_equal(result.bits["gate"], golden.masks["gate"])


def test_without_labels_there_is_no_accuracy() -> None:
    graph = every_kind(1)
    result = measure(graph, quantize(graph, slopes(1, 8)), slopes(2, 8))
    assert math.isnan(result.float_accuracy)
    assert math.isnan(result.int8_accuracy)
    assert result.prediction_agreement > 0.5


@pytest.fixture(scope="module")
def data_set(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("data") / "tiny.npz"
    labels = np.arange(40) % 4
    np.savez(path, images=slopes(3, 40, (3, 16, 16)), labels=labels)
    return f"npz:{path}"


@pytest.mark.parametrize("gate", [AcsConfig(threshold=0.5), None])
def test_evaluate_a_checkpoint(tmp_path: Path, data_set: str, gate: AcsConfig | None) -> None:
    torch.manual_seed(0)
    config = ResNetConfig(widths=(8, 8, 16), num_classes=4, image_size=16, gate=gate)
    model = ResNet(config).eval()
    for name, parameter in model.named_parameters():
        if name.endswith("fc.bias"):
            torch.nn.init.zeros_(parameter)
    path = tmp_path / "net.pt"
    save_checkpoint(path, model, "resnet", config, {})
    result = evaluate(path, data_set, 20, calibration_images=16)
    assert result.images == 20
    assert result.prediction_agreement >= 0.7  # untrained: near-ties
    if gate is None:
        assert result.gate_agreement is None
        assert result.masks is None
        assert result.macs_mean == result.macs_dense
        assert result.macs_gates == 0
    else:
        assert result.gate_agreement is not None
        assert result.gate_agreement > 0.97
        assert result.macs_gates > 0


def test_a_data_set_of_another_shape_is_refused(tmp_path: Path, data_set: str) -> None:
    config = ResNetConfig(num_classes=4, image_size=32)
    path = tmp_path / "net.pt"
    save_checkpoint(path, ResNet(config).eval(), "resnet", config, {})
    with pytest.raises(UserError, match="its images are 3x16x16, the network takes 3x32x32"):
        evaluate(path, data_set)


def test_alpha_opens_and_closes_all_gates() -> None:
    graph = every_kind(0)
    integers, test = quantize(graph, slopes(0, 32)), slopes(1, 16)
    shares = []
    for alpha in (0.0, 0.5, 1.0):
        result = measure(with_alpha(graph, alpha), with_alpha(integers, alpha), test)
        assert result.masks is not None
        shares.append(result.masks.mean_open)
    assert shares[0] == 1.0
    assert 0.0 < shares[1] < 1.0
    assert shares[2] == 0.0


def test_alpha_of_a_network_without_gates_is_refused(tmp_path: Path, data_set: str) -> None:
    config = ResNetConfig(widths=(4, 4, 4), num_classes=4, image_size=16, gate=None)
    save_checkpoint(tmp_path / "net.pt", ResNet(config).eval(), "resnet", config, {})
    with pytest.raises(UserError, match="net has no gates"):
        evaluate(tmp_path / "net.pt", data_set, 4, alpha=0.3, calibration_images=4)


def test_thresholds_without_gates_are_refused_before_anything_is_quantized(
    tmp_path: Path, data_set: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = ResNetConfig(widths=(4, 4, 4), num_classes=4, image_size=16, gate=None)
    save_checkpoint(tmp_path / "net.pt", ResNet(config).eval(), "resnet", config, {})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(evaluation, "quantize", None)
    with pytest.raises(UserError, match="net has no gates"):
        evaluate("net.pt", data_set, 4, alpha=0.3)
    stages: list[str] = []
    with pytest.raises(UserError, match="net has no gates"):
        build(
            BuildRequest(Path("net.pt"), "zedboard", dataset=data_set, alpha=0.3),
            on_stage=lambda stage, done=0, total=0: stages.append(stage),
        )
    assert stages == ["read the network"]
    plan = make_plan(
        SweepRequest(
            Path("net.pt"), ("threshold=0.1,0.2",), Path("out"), "zedboard", dataset=data_set
        )
    )
    with pytest.raises(UserError, match="net has no gates, and no threshold"):
        sweep(plan, pytest.fail)
    assert not Path("out").exists()


def test_recipes_tell_whether_their_network_has_gates() -> None:
    found = {name: has_gates(load_recipe(RECIPES / f"{name}.yaml")) for name in GATES}
    assert found == GATES


def test_predictions_that_differ_are_warned_of(tmp_path: Path, data_set: str) -> None:
    config = ResNetConfig(widths=(4, 4, 4), num_classes=4, image_size=16, gate=None)
    model = ResNet(config).eval()
    with torch.no_grad():  # classes that differ by less than half a unit of an 8-bit weight
        *_, weight, bias = model.parameters()
        weight.copy_(1.0 + 1e-4 * torch.randn(weight.shape, generator=torch.manual_seed(0)))
        bias.zero_()
    save_checkpoint(tmp_path / "net.pt", model, "resnet", config, {})
    with pytest.warns(UserWarning, match="float and integer network predict the same on"):
        evaluate(tmp_path / "net.pt", data_set, 20, calibration_images=16)


def test_without_labels_predictions_alone_are_compared(tmp_path: Path, data_set: str) -> None:
    config = ResNetConfig(widths=(4, 4, 4), num_classes=4, image_size=16, gate=AcsConfig())
    save_checkpoint(tmp_path / "net.pt", ResNet(config).eval(), "resnet", config, {})
    np.savez(tmp_path / "bare.npz", images=slopes(3, 40, (3, 16, 16)))
    bare = f"npz:{tmp_path / 'bare.npz'}"
    model = tmp_path / "net.pt"
    found = evaluate(model, bare, 8, calibration_images=8)
    labelled = evaluate(model, data_set, 8, calibration_images=8)
    assert np.isnan(found.float_accuracy)
    assert found.wrong is None
    assert found.prediction_agreement == labelled.prediction_agreement
    assert found.macs_mean == labelled.macs_mean
    with pytest.raises(UserError) as refused:
        evaluate(model, bare, 8, thresholds=True, twin=model, calibration_images=8)
    assert {p.where for p in refused.value.problems} == {"--thresholds", "--twin"}
    printed = CliRunner().invoke(app, ["eval", str(model), "--dataset", bare, "--json", "-"])
    assert printed.exit_code == 0
    figures = json.loads(printed.stdout[printed.stdout.index("{") :])
    assert figures["float_accuracy"] is None
    assert figures["outputs"]["fc"]["int8_accuracy"] is None
    assert "NaN" not in printed.stdout
