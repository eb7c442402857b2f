"""Filters that are pruned for all images cost the engines nothing, and change no bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from acsgen_host.words import pack_image
from torch import nn

from acsgen.compiler import compile_graph
from acsgen.frontend import front_end
from acsgen.ir.integer import IntConv, IntGraph
from acsgen.nn import ResNet, ResNetConfig, save_checkpoint
from acsgen.nn.mac_counter import MacCounter
from acsgen.nn.networks.pfec_resnet import PfecResNet, PfecResNetConfig
from acsgen.quant.quantize import quantize
from tests.differential.engines import Engines, check_network
from tests.nets.images import patches
from tests.nets.modules import randomized

SHAPE = {"widths": (4, 6, 8), "image_size": 8, "num_classes": 3}
KEEP = (0.5, 0.3, 0.1)


def pruned() -> tuple[PfecResNet, PfecResNetConfig]:
    config = PfecResNetConfig(**SHAPE, keep=KEEP)
    network = randomized(PfecResNet(config))
    assert isinstance(network, PfecResNet)
    network.prune()
    return network, config


def integers(network: nn.Module, arch: str, config: ResNetConfig, folder: Path) -> IntGraph:
    save_checkpoint(folder / f"{arch}.pt", network, arch, config, {})
    graph, _ = front_end(folder / f"{arch}.pt")
    return quantize(graph, patches(graph.input.shape, 6))


def test_the_filters_of_the_largest_norm_stay() -> None:
    network, _ = pruned()
    for (_, block), mask, share in zip(network.blocks(), network.masks, KEEP, strict=True):
        norms = block.conv1.weight.abs().sum((1, 2, 3))
        open_ = mask.logits > 0
        assert int(open_.sum()) == max(round(share * len(norms)), 1)
        assert norms[open_].min() > norms[~open_].max()


def test_pruned_filters_are_gone(tmp_path: Path) -> None:
    network, config = pruned()
    graph = integers(network, "pfec_resnet", config, tmp_path)
    assert not graph.gates
    channels = {
        layer.name: layer.shape[0]
        for layer in graph
        if isinstance(layer, IntConv) and layer.name.endswith(".conv1")
    }
    assert list(channels.values()) == [2, 2, 1]
    # No layer is left of the masks, and the count of training is that of the graph.
    convolutions = [layer for layer in graph if isinstance(layer, IntConv)]
    assert len(convolutions) == 1 + 3 * 2 + 2
    with torch.no_grad():
        masks = {
            f"masks.{i}.gate": m(torch.zeros(1)).flatten(1) for i, m in enumerate(network.masks)
        }
    work = sum(layer.weight.size * layer.shape[1] * layer.shape[2] for layer in convolutions)
    classifier = config.widths[2] * config.num_classes
    assert float(MacCounter(network).count(masks)) == work + classifier


@pytest.mark.rtl
def test_both_engines_are_exact_and_faster_than_with_the_twin(
    engines: Engines, tmp_path: Path
) -> None:
    network, config = pruned()
    engine = engines(4, True)
    graph = integers(network, "pfec_resnet", config, tmp_path)
    check_network(graph, engine)
    plain = ResNetConfig(**SHAPE)
    twin = ResNet(plain)
    twin.load_state_dict(network.state_dict(), strict=False)
    dense = integers(twin.eval(), "resnet", plain, tmp_path)
    cycles = []
    assert engine.rtl is not None
    for found in (graph, dense):
        program = compile_graph(found, engine.config)
        image = pack_image(patches(found.input.shape, 1)[0])
        run = engine.rtl.run(program.words, program.params, image, program.result_words)
        cycles.append(run.cycles)
    assert cycles[0] < cycles[1]
    assert np.all(np.array(cycles) > 0)
