"""The systems of the papers: bit-exact on both engines, and what they skip costs no cycles.

Every row runs with the gates as they are, all open, all closed, at random and forced, on the C++
engine and on the RTL; every counter must be the cost model's.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from acsgen_host.exits import NEVER
from acsgen_host.words import header as decode_header
from acsgen_host.words import pack_image

from acsgen.compiler import compile_graph
from acsgen.compiler.predict import predict
from acsgen.cost.macs import count_macs
from acsgen.frontend import front_end
from acsgen.ir.integer import IntConv, IntGraph
from acsgen.isa.generated import Status
from acsgen.nn import save_checkpoint
from acsgen.nn.gates.record import record_gates
from acsgen.nn.mac_counter import MacCounter
from acsgen.nn.networks import ARCHITECTURES
from acsgen.quant.golden import GoldenModel
from acsgen.quant.quantize import quantize
from acsgen.quant.thresholds import force_masks
from tests.differential.engines import Engines, EngineUnderTest, check_network
from tests.nets.images import patches
from tests.nets.modules import randomized

SMALL = {"widths": (4, 6, 9), "image_size": 8, "num_classes": 3}
SMALL_DENSE = {
    "growth": 4,
    "bn_size": 2,
    "blocks": (2, 2),
    "init_features": 6,
    "image_size": 8,
    "num_classes": 3,
}

#: Architecture and configuration by the row's name.
SYSTEMS = {
    "iadi": ("iadi_resnet", {}),
    "iadi-paper": ("iadi_resnet", {"granularity": "conv", "gate_norm": False}),
    "iadi-public-code": ("iadi_resnet", {"rectify_shortcut": False}),
    "iadi-layer": ("iadi_resnet", {"gates": "layer"}),
    "mgl2s": ("iadi_resnet", {"gates": "both"}),
    "mgl2s-signed": ("iadi_resnet", {"gates": "both", "rectify_shortcut": False}),
    "mgl2s-signed-bare": (
        "iadi_resnet",
        {"gates": "both", "rectify_shortcut": False, "gate_norm": False},
    ),
    "ddi": ("ddi_resnet", {"branch_stages": (2, 3)}),
    "ddi-mgl2s": (
        "ddi_resnet",
        {"branch_stages": (2, 3), "gates": "both", "rectify_shortcut": False},
    ),
    "ofas-1": ("ofas_resnet", {"depth": 14}),
    "ofas-2": ("ofas_resnet", {"form": "II"}),
    "ofas-public-code": (
        "ofas_resnet",
        {"form": "II", "hidden": (32, 32), "rectify_shortcut": False, "depth": 14},
    ),
    "blockdrop": ("policy_resnet", {"policy_widths": (2, 3, 4)}),
    "gaternet": (
        "policy_resnet",
        {"grain": "channel", "policy_widths": (2, 3, 4), "bottleneck": 5},
    ),
    "skipnet-1": ("skipnet_resnet", {}),
    "skipnet-2": ("skipnet_resnet", {"form": "II", "depth": 14}),
    "skipnet-rnn": ("skipnet_resnet", {"form": "RNN", "depth": 14}),
    "skipnet-public-code": ("skipnet_resnet", {"rectify_shortcut": False, "depth": 14}),
    "dense-acs": ("densenet", {"gate": {"reduction": 2}}),
    "dense-acs-public-code": (
        "densenet",
        {
            "stem": "7x7",
            "image_size": 16,
            "final_transition": True,
            "gate": {
                "se": False,
                "bottleneck_stride": 2,
                "bottleneck_norm": False,
                "last_norm": False,
            },
        },
    ),
    "dense-iadi": ("densenet", {"gate": {"system": "iadi"}}),
    "dense-mgl2s": ("densenet", {"gate": {"system": "iadi", "gates": "both"}}),
}


def compiled_system(name: str, folder: Path) -> tuple[torch.nn.Module, IntGraph]:
    """A network with random weights, and its integer graph, by the road of a build."""
    arch, changes = (SYSTEMS | UNGATED)[name]
    small: dict[str, Any] = {} if name in UNGATED else SMALL
    small = SMALL_DENSE if arch == "densenet" else small
    config = ARCHITECTURES[arch].config.model_validate(small | changes)
    network = randomized(ARCHITECTURES[arch].build(config), seed=1)
    path = folder / "model.pt"
    save_checkpoint(path, network, arch, config, {})
    graph, _ = front_end(path)
    return network, quantize(graph, patches(graph.input.shape, 6))


#: Networks without gates: branches of early exits, and the plain twins.
UNGATED = {
    "radi": ("radi_resnet", SMALL),
    "branchynet": (
        "branchy_resnet",
        SMALL | {"branches": ({"block": 0, "convolutions": 3}, {"block": 1, "convolutions": 2})},
    ),
    "dense-plain": ("densenet", SMALL_DENSE),
    "vgg": ("vgg", {"stages": ((4, 6), (8,)), "pooled": 2, "hidden": (7,), "image_size": 8}),
    "image-resnet": (
        "image_resnet",
        {
            "blocks": (1, 1),
            "widths": (8, 12),
            "inner": (4, 8),
            "groups": 2,
            "stem_width": 6,
            "stem": "7x7",
            "image_size": 16,
        },
    ),
    "g-resnext": (
        "image_resnet",
        {
            "blocks": (1, 1),
            "widths": (16, 32),
            "inner": (8, 16),
            "learned_groups": True,
            "stem_width": 6,
            "image_size": 8,
        },
    ),
    "mobilenet": ("mobilenet_v2", {"image_size": 8}),
}


@pytest.mark.parametrize("name", [*SYSTEMS, *UNGATED])
@pytest.mark.rtl
def test_both_engines_equal_the_golden_model(name: str, engines: Engines, tmp_path: Path) -> None:
    _, graph = compiled_system(name, tmp_path)
    check_network(graph, engines(4, True))


def run(graph: IntGraph, engine: EngineUnderTest, open_share: float) -> dict[str, dict[str, int]]:
    """Header of one image on each engine, with so many of every gate's channels open.

    A gate of one decision, which has equal rows, is open from one half on.
    """
    masks = {}
    for gate in graph.gates:
        rows = np.column_stack([gate.weight, gate.bias])
        share = round(open_share) if (rows == rows[0]).all() else open_share
        masks[gate.name] = np.arange(gate.shape[0]) < share * gate.shape[0]
    program = compile_graph(graph, engine.config)
    # Runs that an entropy ends would be told apart by their exits, and not by the masks.
    never = {e.decision: np.full(1, NEVER, np.int32) for e in program.exits if e.decision}
    params = program.with_thresholds(force_masks(graph, masks) | never)
    image = pack_image(patches(graph.input.shape, 1)[0])
    assert engine.rtl is not None
    headers = {}
    for kind, twin in (("csim", engine.csim), ("rtl", engine.rtl)):
        found = twin.run(program.words, params, image, program.result_words)
        assert found.status == Status.OK
        headers[kind] = decode_header(found.result)
        headers[kind]["cycles"] = found.cycles or 0
    return headers


@pytest.mark.parametrize("name", SYSTEMS)
@pytest.mark.rtl
def test_closed_masks_cost_neither_work_nor_cycles(
    name: str, engines: Engines, tmp_path: Path
) -> None:
    _, graph = compiled_system(name, tmp_path)
    found = [run(graph, engines(4, True), share) for share in (1.0, 0.5, 0.0)]
    for kind in ("csim", "rtl"):
        work = [headers[kind]["array_iterations"] for headers in found]
        assert work[0] >= work[1] >= work[2]
        assert work[2] < work[0]
        assert found[0][kind]["macs_skipped"] < found[2][kind]["macs_skipped"]
    cycles = [headers["rtl"]["cycles"] for headers in found]
    assert cycles[2] < cycles[0]
    assert cycles[1] <= cycles[0]


#: Blocks that one decision switches off cost the engine none of their multiplications.
WHOLE_BLOCKS = [
    name for name in SYSTEMS if name.startswith(("iadi-layer", "mgl2s", "ofas", "skipnet"))
]


@pytest.mark.parametrize("name", WHOLE_BLOCKS)
@pytest.mark.rtl
def test_a_skipped_block_is_dead_in_all_its_layers(
    name: str, engines: Engines, tmp_path: Path
) -> None:
    _, graph = compiled_system(name, tmp_path)
    engine = engines(4, True)
    opened, closed = (run(graph, engine, share)["rtl"] for share in (1.0, 0.0))
    convolutions = [layer for layer in graph if isinstance(layer, IntConv)]
    inner = [c for c in convolutions if re.match(r"layer\d\.\d\.conv[12]$", c.name)]
    always = [c.name for c in inner if not c.mask]
    # The first block has no decision of its own, but for a channel gate.
    first = {"ofas": [], "mgl2": ["layer1.0.conv1"]}
    assert always == first.get(name[:4], ["layer1.0.conv1", "layer1.0.conv2"])
    if name.startswith("mgl2s"):
        gating = [c for c in convolutions if re.match(r"gates\.\d\.conv$", c.name)]
        assert [c.name for c in gating if not c.mask] == ["gates.0.conv"]
        inner += [*gating, *(c for c in convolutions if c.name.startswith("constant."))]
    # What a mask leaves of the shortcut is one multiplication a pixel and channel.
    masked = [*(c for c in inner if c.mask), *(c for c in convolutions if "kept" in c.name)]
    saved = sum(c.weight.size * c.shape[1] * c.shape[2] for c in masked)
    assert opened["macs_executed"] - closed["macs_executed"] == saved


@pytest.mark.parametrize("name", [name for name in SYSTEMS if "mgl2s" in name])
@pytest.mark.rtl
def test_a_closed_layer_gate_closes_all_that_the_block_decides(
    name: str, engines: Engines, tmp_path: Path
) -> None:
    """Only the layer gates are forced: the channel gates have to close by themselves."""
    _, graph = compiled_system(name, tmp_path)
    layer_gates = [gate.name for gate in graph.gates if "control" in gate.name]
    blocks = {
        layer.name
        for layer in graph
        if isinstance(layer, IntConv) and re.match(r"(layer\d|blocks)\.\d\.", layer.name)
    }
    first = ("layer1.0.", "blocks.0.0.", "blocks.1.0.")
    skipped = {layer for layer in blocks if not layer.startswith(first)}
    # A shortcut that changes the shape is all that a skipped block puts out.
    skipped -= {layer for layer in blocks if "downsample" in layer}
    engine = engines(4, True)
    program = compile_graph(graph, engine.config)
    closed = force_masks(graph, dict.fromkeys(layer_gates, False))
    never = {e.decision: np.full(1, NEVER, np.int32) for e in program.exits if e.decision}
    params = program.with_thresholds(closed | never)
    images = patches(graph.input.shape, 2)
    bits = GoldenModel(graph).run(images, closed | never).masks
    assert engine.rtl is not None
    for index, image in enumerate(images):
        costs = predict(program, {gate: rows[index] for gate, rows in bits.items()}).instructions
        counted: Counter[str] = Counter()
        for line, cost in zip(program.lines, costs, strict=True):
            counted[line.layer] += cost.counters.macs_executed
        assert skipped <= counted.keys()
        assert [layer for layer in sorted(skipped) if counted[layer]] == []
        for twin in (engine.csim, engine.rtl):
            found = twin.run(program.words, params, pack_image(image), program.result_words)
            assert found.status == Status.OK
            assert decode_header(found.result)["macs_executed"] == counted.total()


@pytest.mark.parametrize("name", SYSTEMS)
def test_training_counts_what_the_engine_saves(name: str, tmp_path: Path) -> None:
    """Between all masks open and all closed, without what a rewrite added to the network."""
    network, graph = compiled_system(name, tmp_path)
    with record_gates(network) as gates, torch.no_grad():
        network(torch.from_numpy(patches(graph.input.shape, 1)))
    counter = MacCounter(network)
    integers, floats = [], []
    for fill in (1, 0):
        bits = {gate.name: np.full((1, gate.shape[0]), fill, np.uint8) for gate in graph.gates}
        rows = count_macs(graph, bits, 1).rows
        added = ("kept", "constant.", ".affine")
        own = [row for row in rows if not any(part in row.name for part in added)]
        integers.append(sum(int(row.executed[0]) for row in own))
        masks = {key: torch.full_like(mask, fill) for key, mask in gates.masks.items()}
        floats.append(float(counter.count(masks)))
    assert integers[0] - integers[1] == floats[0] - floats[1] > 0
