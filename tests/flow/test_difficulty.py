"""MACs against difficulty, and the thresholds of use, on small networks and figures by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from acsgen_host.jsontext import without_noise
from typer.testing import CliRunner

from acsgen.cli import app
from acsgen.cost.macs import count_macs
from acsgen.flow.difficulty import difficulty_figures
from acsgen.flow.evaluate import evaluate, measure
from acsgen.flow.thresholds import (
    TRIED,
    ThresholdPoint,
    measure_thresholds,
    usable_thresholds,
    with_alpha,
)
from acsgen.frontend import run_layers
from acsgen.nn.checkpoint import save_checkpoint
from acsgen.nn.networks.resnet import AcsConfig, ResNet, ResNetConfig
from acsgen.quant.golden import GoldenModel
from acsgen.quant.quantize import quantize
from acsgen.support.errors import UserError
from tests.nets.images import slopes
from tests.nets.layer_graphs import every_kind


@pytest.mark.unit
def test_figures_by_hand() -> None:
    macs = np.array([10, 40, 20, 30, 10, 40, 20, 30])
    difficulty = np.array([0.1, 0.8, 0.3, 0.6, 0.2, 0.9, 0.4, 0.5])
    wrong = np.array([0, 1, 0, 0, 0, 0, 0, 1], dtype=bool)
    figures = difficulty_figures(macs, wrong, difficulty, ~wrong)
    assert figures.macs_by_quartile == (10.0, 20.0, 30.0, 40.0)
    assert figures.correlation == pytest.approx(np.corrcoef(macs, difficulty)[0, 1])
    # The wrong 40 is above 5 and level with 1, the wrong 30 above 4 and level with 1.
    assert figures.auroc == pytest.approx((5.5 + 4.5) / 12)
    assert figures.auroc_of_twin == pytest.approx(2 / 12)


@pytest.mark.unit
def test_what_cannot_be_said_is_none() -> None:
    macs, none = np.array([1, 2, 3]), difficulty_figures(np.array([1, 2, 3]), None, None)
    assert none == difficulty_figures(macs, np.zeros(3, bool), None)
    assert none == difficulty_figures(macs, np.ones(3, bool), None)
    assert (none.correlation, none.macs_by_quartile, none.auroc, none.auroc_of_twin) == (None,) * 4
    alike = difficulty_figures(np.full(8, 5), None, np.arange(8.0))
    assert alike.correlation is None
    assert alike.macs_by_quartile == (5.0,) * 4


@pytest.mark.unit
def test_the_usable_range_is_the_run_around_the_trained_threshold() -> None:
    accuracies = (0.95, 0.90, 0.949, 0.96, 0.95, 0.93, 0.95)
    points = [ThresholdPoint(0.1 * (i + 1), value, 1.0) for i, value in enumerate(accuracies)]
    low, high = usable_thresholds(points, 0.5, 0.955) or (0.0, 0.0)
    assert (low, high) == pytest.approx((0.3, 0.5))
    assert usable_thresholds(points, 0.6, 0.955) is None
    assert usable_thresholds(points, 0.12, 0.955) == pytest.approx((0.1, 0.1))


def test_every_threshold_is_run_on_the_integers() -> None:
    graph = every_kind(0)
    integers, test = with_alpha(quantize(graph, slopes(0, 64)), 0.5), slopes(1, 70)
    labels = GoldenModel(integers).run(test).predictions
    found = measure_thresholds(integers, test, labels, 1.0)
    assert [point.threshold for point in found.points] == list(TRIED)
    for point in found.points[::4]:
        run = GoldenModel(with_alpha(integers, point.threshold)).run(test)
        assert point.accuracy == np.mean(run.predictions == labels)
        assert point.macs_mean == count_macs(integers, run.masks, 70).executed.mean()
    middle = found.points[TRIED.index(0.5)]
    assert middle.accuracy == 1.0
    assert found.usable is not None
    assert found.usable[0] <= 0.5 <= found.usable[1]


def test_measure_tells_what_macs_have_to_do_with_difficulty() -> None:
    graph = every_kind(0)
    integers, test = quantize(graph, slopes(0, 64)), slopes(1, 70)
    labels = run_layers(graph, torch.from_numpy(test))["logits"].numpy().argmax(axis=1)
    labels[:10] = (labels[:10] + 1) % 4
    hard = np.arange(70) / 70
    result = measure(graph, integers, test, labels, hard)
    golden = GoldenModel(integers).run(test)
    macs = count_macs(integers, golden.masks, 70).executed
    np.testing.assert_array_equal(result.macs, macs)
    assert result.wrong is not None
    np.testing.assert_array_equal(result.wrong, golden.predictions != labels)
    assert result.difficulty == difficulty_figures(macs, result.wrong, hard)
    assert result.masks is not None
    bits = np.concatenate([golden.masks["gate"], golden.masks["gate2"]], axis=1)
    assert result.masks.distinct == len({row.tobytes() for row in bits})


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, str]:
    """A network with gates, its twin and a data set of 16x16 images."""
    folder = tmp_path_factory.mktemp("difficulty")
    np.savez(folder / "tiny.npz", images=slopes(3, 40, (3, 16, 16)), labels=np.arange(40) % 4)
    paths = []
    for name, gate in (("gated", AcsConfig()), ("twin", None)):
        torch.manual_seed(0)
        config = ResNetConfig(widths=(4, 4, 8), num_classes=4, image_size=16, gate=gate)
        save_checkpoint(folder / f"{name}.pt", ResNet(config).eval(), "resnet", config, {})
        paths.append(folder / f"{name}.pt")
    return paths[0], paths[1], f"npz:{folder / 'tiny.npz'}"


def test_one_command_tells_all_of_it(files: tuple[Path, Path, str], tmp_path: Path) -> None:
    gated, twin, data = files
    target = tmp_path / "figures.json"
    command = ["eval", str(gated), "--dataset", data, "--thresholds", "--twin", str(twin)]
    done = CliRunner().invoke(app, [*command, "--json", str(target)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    for words in ("different masks", "usable thresholds", "accuracy of the static twin"):
        assert words in done.output
    figures = json.loads(target.read_text())
    result = evaluate(gated, data, thresholds=True, twin=twin)
    assert figures["twin_accuracy"] == without_noise(result.twin_accuracy)
    assert result.masks is not None
    assert figures["masks"]["distinct"] == result.masks.distinct
    assert len(figures["thresholds"]["points"]) == len(TRIED)
    assert figures["difficulty"]["macs_by_quartile"] is None, "this data set records none"
    assert not {"macs", "wrong", "bits"} & figures.keys()


def test_thresholds_of_a_network_without_gates_or_beside_alpha_are_refused(
    files: tuple[Path, Path, str],
) -> None:
    gated, twin, data = files
    with pytest.raises(UserError, match="twin has no gates"):
        evaluate(twin, data, thresholds=True)
    with pytest.raises(UserError, match="--alpha is one"):
        evaluate(gated, data, thresholds=True, alpha=0.4)
