"""The figures that the papers publish come out by their own rules, to the digit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from torch import nn
from typer.testing import CliRunner

from acsgen.cli import app
from acsgen.nn import MacCounter
from acsgen.nn.networks import ARCHITECTURES
from acsgen.nn.paper_counts import paper_count
from acsgen.support.assets import asset

ACS_DENSE = {"growth": 32, "init_features": 64, "stem": "7x7", "final_transition": True}
ACS_41 = {**ACS_DENSE, "blocks": (6, 6, 6), "bn_size": 4}
DDI_DENSE = {"growth": 12, "bn_size": 4, "init_features": 24}


def network(arch: str, **config: Any) -> nn.Module:
    entry = ARCHITECTURES[arch]
    return entry.build(entry.config.model_validate(config))


def giga(arch: str, rule: Any, digits: int = 5, **config: Any) -> float:
    model = network(arch, **config)
    return round(paper_count(model, model.example_input(), rule).operations / 1e9, digits)


def test_acs_publishes_these() -> None:
    assert giga("resnet", "acs", depth=38, widths=(32, 64, 128)) == 0.67313
    assert giga("densenet", "acs", **ACS_41) == 0.06965
    assert giga("densenet", "acs", **{**ACS_41, "bn_size": 2}) == 0.04061  # the public code
    wide = network("resnet", depth=38, widths=(32, 64, 128))
    assert sum(parameter.numel() for parameter in wide.parameters()) == 2_248_490


@pytest.mark.parametrize(
    ("layers", "millions"),
    [(7, 177.0), (9, 248.7), (10, 288.2), (12, 374.4), (13, 421.2), (14, 470.3)],
)
def test_ddi_publishes_these_dense_nets(layers: int, millions: float) -> None:
    blocks = (layers, layers, layers)
    assert round(1e3 * giga("densenet", "ddi", 9, blocks=blocks, **DDI_DENSE), 1) == millions


@pytest.mark.parametrize(("depth", "millions"), [(14, 53.3), (20, 81.6), (26, 109.9), (38, 166.6)])
def test_ddi_counts_these_residual_nets(depth: int, millions: float) -> None:
    assert round(1e3 * giga("resnet", "ddi", 9, depth=depth), 1) == millions


GATED = {
    "acs": ("resnet", {"depth": 14, "gate": {}}, ("resnet", {"depth": 14})),
    "conv": ("resnet", {"gate": {"granularity": "conv"}}, ("resnet", {})),
    "iadi": ("iadi_resnet", {"depth": 14}, ("resnet", {"depth": 14})),
    "ofas": ("ofas_resnet", {}, ("resnet", {})),
    "skipnet": ("skipnet_resnet", {}, ("resnet", {})),
    "recurrent": ("skipnet_resnet", {"form": "RNN"}, ("resnet", {})),
    "dense": ("densenet", {"gate": {"bottleneck": 8}}, ("densenet", {})),
}


@pytest.mark.parametrize("name", GATED)
@pytest.mark.parametrize("rule", ["acs", "ddi"])
def test_gates_are_not_counted(name: str, rule: Any) -> None:
    """By DDI's rule the static twin has exactly twice acsgen's MACs."""
    arch, config, (twin, shape) = GATED[name]
    model, plain = network(arch, **config), network(twin, **shape)
    found = paper_count(model, model.example_input(), rule)
    wanted = paper_count(plain, plain.example_input(), rule)
    rectified = wanted.by_kind.get("activations", 0)
    # A skipped block's shortcut has a ReLU of its own.
    assert found.operations - found.by_kind.get("activations", 0) == wanted.operations - rectified
    if rule == "ddi":
        assert found.operations == 2 * MacCounter(model).static_macs


def test_the_command_counts_recipes_and_model_files(tmp_path: Path) -> None:
    figures = tmp_path / "count.json"
    model = asset("models", "resnet8-acs-digits32.pt")
    result = CliRunner().invoke(app, ["count", str(model), "--json", str(figures)])
    assert result.exit_code == 0, result.output
    content = json.loads(figures.read_text(encoding="utf-8"))
    assert content["paper"] is None
    assert content["gate_macs"] > 0
    recipe = tmp_path / "r.yaml"
    text = "name: r\ndata: {name: cifar10}\nmodel: {depth: 38, widths: [32, 64, 128]}\n"
    recipe.write_text(text + "phases: [{name: a, epochs: 1}]\n", encoding="utf-8")
    words = ["count", str(recipe), "--count-like", "acs", "--json", str(figures)]
    result = CliRunner().invoke(app, words)
    assert "0.67313 G" in result.output
    content = json.loads(figures.read_text(encoding="utf-8"))
    assert content["parameters"] == 2_248_490
    assert content["paper"]["operations"] == 673_131_018
    recipe.write_text(text.replace("cifar10", "'npz:x.npz'") + "phases: [{name: a, epochs: 1}]\n")
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 2
    assert "in_channels, image_size, num_classes" in result.output.replace("\n", " ")
