"""Makes the material of the driver's tests: a bundle, engines, and the golden model's answers.

Kept in a folder of plain files, because the tests that go through pynq run in an environment that
has neither torch nor acsgen's other requirements.
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from acsgen.compiler import compile_graph
from acsgen.compiler.predict import predict
from acsgen.ir.integer import IntGate, IntGraph
from acsgen.program.board import load_board
from acsgen.program.program import Program
from acsgen.quant.golden import GoldenModel
from acsgen.quant.thresholds import Thresholds, force_masks, integer_threshold, thresholds_for
from acsgen.verify.builddir import save_manifest
from acsgen.verify.vectors import Vectors, save_vectors
from tests.differential.engines import SMALL
from tests.nets.integer_graphs import GraphBuilder

IMAGES = 4

#: The engine; its compiled forms are those of other tests too.
CONFIGURATION = SMALL


def network(images: NDArray[np.uint8]) -> IntGraph:
    """Two gated blocks with a classifier each; that of the second is the answer.

    Odd rows and an odd number of channels leave gaps in every word.
    """
    b = GraphBuilder(5)
    x = _block(b, b.conv(b.input(*images.shape[1:]), 12), 12, 1)
    b.logits(b.gavg(x), 4)
    x = _block(b, x, 21, 2)
    b.logits(b.gavg(x), 7)
    graph = b.graph("driver-test")
    for gate, alpha in zip(graph.gates, (0.5, 0.4, 0.5, 0.6), strict=True):
        graph = _trained(graph, gate, alpha, images)
    return graph


def _block(b: GraphBuilder, x: str, channels: int, stride: int) -> str:
    pooled = b.gavg(x)
    first, second = b.gate(pooled, channels), b.gate(pooled, channels)
    identity = x if stride == 1 else b.conv(x, channels, 1, stride, signed=True)
    y = b.conv(x, channels, 3, stride, mask=first)
    return b.conv(y, channels, 3, residual=identity, mask=second)


def _trained(graph: IntGraph, gate: IntGate, alpha: float, images: NDArray[np.uint8]) -> IntGraph:
    """The graph with a gate that depends on the image, and thresholds as quantization sets them."""
    pooled = GoldenModel(graph).run(images).values[gate.x].astype(np.int64)
    sums = pooled @ gate.weight.astype(np.int64).T
    changed = replace(
        gate,
        bias=-sums.mean(axis=0).astype(np.int32),
        alpha=alpha,
        acc_scale=2.0 / (1 + sums.std(axis=0)),
        threshold=integer_threshold(alpha, 2.0 / (1 + sums.std(axis=0))),
    )
    layers = [changed if layer.name == gate.name else layer for layer in graph]
    return replace(graph, layers=tuple(layers))


def cases(graph: IntGraph) -> dict[str, Thresholds]:
    """Thresholds that the driver must be able to set, by their names in the tests."""
    first, *others = graph.gates
    return {
        "trained": {},
        "alpha 0.2": thresholds_for(graph, 0.2),
        "alpha 0.9": thresholds_for(graph, 0.9),
        "one gate at 0.9": {first.name: thresholds_for(graph, 0.9)[first.name]},
        "open": force_masks(graph, {gate.name: True for gate in graph.gates}),
        "closed": force_masks(graph, {gate.name: False for gate in graph.gates}),
        "own integers": {
            gate.name: np.round(
                gate.threshold + (np.arange(*gate.shape) % 4 - 1) / (2 * gate.acc_scale)
            ).astype(np.int32)
            for gate in others
        },
    }


def make_images(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Blotches of different brightness: unlike noise, they make masks differ."""
    rng = np.random.default_rng(1)
    coarse = rng.integers(0, 256, (IMAGES, shape[0], 2, 2))
    fine = np.kron(coarse, np.ones((8, 8), int))[:, :, : shape[1], : shape[2]]
    return (fine + rng.integers(0, 32, fine.shape)).clip(0, 255).astype(np.uint8)


def prepare(folder: Path, libraries: dict[str, Path]) -> None:
    """Write everything into ``folder``, an empty one; ``libraries`` are the engines."""
    images = make_images((3, 14, 13))
    graph = network(images)
    program = compile_graph(graph, CONFIGURATION)
    model = GoldenModel(graph)
    bundle = folder / "bundle"
    for name in ("program", "vectors"):
        (bundle / name).mkdir(parents=True)
    program.save(bundle / "program")
    save_vectors(bundle / "vectors", program, Vectors(images, model.run(images)))
    save_manifest(bundle, load_board("zedboard"), "blotches", [])
    (folder / "libraries.json").write_text(json.dumps({k: str(v) for k, v in libraries.items()}))
    arrays = {"images": images}
    for name, thresholds in cases(graph).items():
        golden = model.run(images, thresholds, keep="outputs")
        arrays[f"{name}/logits"] = golden.logits
        for output, logits in golden.outputs.items():
            arrays[f"{name}/outputs/{output}"] = logits
        arrays[f"{name}/macs"] = _macs(program, golden.masks)
        for gate, mask in golden.masks.items():
            arrays[f"{name}/masks/{gate}"] = mask
        for gate, values in thresholds.items():
            arrays[f"{name}/thresholds/{gate}"] = values
    np.savez(folder / "golden.npz", **arrays)


def _macs(program: Program, masks: dict[str, np.ndarray]) -> np.ndarray:
    runs = [predict(program, {k: v[i] for k, v in masks.items()}) for i in range(IMAGES)]
    return np.array([asdict(run.counters)["macs_executed"] for run in runs])
