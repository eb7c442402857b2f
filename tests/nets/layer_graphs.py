"""Small random layer graphs with every kind of layer, made by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from acsgen.ir import layers as ir
from acsgen.ir.kinds.join import Join
from acsgen.ir.masks import whole

CLASSES = 5


class NetBuilder:
    """Adds layers with random weights to a graph; each method returns the layer's name."""

    def __init__(self, seed: int, image: tuple[int, int, int] = (3, 8, 8)) -> None:
        self.rng = np.random.default_rng(seed)
        channels = image[0]
        mean, std = self.rng.uniform(0.3, 0.7, channels), self.rng.uniform(0.15, 0.3, channels)
        self.layers: dict[str, ir.Layer] = {}
        self._add(ir.Input("image", "", image, scale=1 / (255 * std), offset=-mean / std))

    def _add(self, layer: ir.Layer) -> str:
        self.layers[layer.name] = replace(layer, where=f"net.{layer.name}")
        return layer.name

    def _weights(self, *shape: int) -> np.ndarray:
        return self.rng.normal(0, 1.5 / np.sqrt(np.prod(shape[1:])), shape)

    def conv(
        self,
        name: str,
        x: str,
        outs: int,
        kernel: int = 3,
        stride: int = 1,
        groups: int = 1,
        relu: bool = True,
        residual: str | None = None,
        mask: str | None = None,
        masked_bias: bool = False,
    ) -> str:
        ins, *size = self.layers[x].shape
        pad = kernel // 2
        height, width = ((n + 2 * pad - kernel) // stride + 1 for n in size)
        return self._add(
            ir.Conv(
                name,
                "",
                (outs, height, width),
                x=x,
                weight=self._weights(outs, ins // groups, kernel, kernel),
                bias=self.rng.normal(0, 0.3, outs),
                masked_bias=self.rng.normal(0, 0.3, outs) * masked_bias,
                stride=stride,
                pad=pad,
                groups=groups,
                relu=relu,
                residual=residual,
                mask=whole(mask, outs) if mask else (),
            )
        )

    def eltwise(
        self, name: str, x: str, relu: bool, residual: str | None = None, mask: str | None = None
    ) -> str:
        shape = self.layers[x].shape
        bits = whole(mask, shape[0]) if mask else ()
        return self._add(ir.Eltwise(name, "", shape, x=x, relu=relu, residual=residual, mask=bits))

    def pool(
        self, name: str, x: str, mode: str, kernel: int = 2, stride: int = 2, pad: int = 0
    ) -> str:
        channels, *size = self.layers[x].shape
        height, width = ((n + 2 * pad - kernel) // stride + 1 for n in size)
        shape = (channels, height, width)
        return self._add(
            ir.Pool(name, "", shape, x=x, mode=mode, kernel=kernel, stride=stride, pad=pad)
        )

    def mean(self, name: str, x: str) -> str:
        return self._add(ir.GlobalAvg(name, "", self.layers[x].shape[:1], x=x))

    def join(self, name: str, *vectors: str) -> str:
        size = sum(self.layers[x].shape[0] for x in vectors)
        return self._add(Join(name, "", (size,), vectors=vectors))

    def flatten(self, name: str, x: str) -> str:
        return self._add(ir.Flatten(name, "", (int(np.prod(self.layers[x].shape)),), x=x))

    def linear(self, name: str, x: str, outs: int, activation: str) -> str:
        weight, bias = self._weights(outs, self.layers[x].shape[0]), self.rng.normal(0, 0.3, outs)
        return self._add(
            ir.Linear(name, "", (outs,), x=x, weight=weight, bias=bias, activation=activation)
        )

    def scale(self, name: str, x: str, vector: str) -> str:
        return self._add(ir.Scale(name, "", self.layers[x].shape, x=x, vector=vector))

    def gate(self, name: str, x: str, outs: int, alpha: float = 0.5) -> str:
        weight, bias = self._weights(outs, self.layers[x].shape[0]), self.rng.normal(0, 0.3, outs)
        return self._add(ir.Gate(name, "", (outs,), x=x, weight=weight, bias=bias, threshold=alpha))

    def graph(self, x: str) -> ir.LayerGraph:
        """Close the graph with a classifier on ``x``."""
        weight = self._weights(CLASSES, self.layers[x].shape[0])
        bias = self.rng.normal(0, 0.3, CLASSES)
        self._add(ir.Logits("logits", "", (CLASSES,), x=x, weight=weight, bias=bias))
        return ir.LayerGraph("small", tuple(self.layers.values()), ("logits",))


def every_kind(seed: int, image: tuple[int, int, int] = (3, 8, 8)) -> ir.LayerGraph:
    """A gated block with squeeze-and-excitation in its gate, and all other kinds of layers."""
    net = NetBuilder(seed, image)
    stem = net.conv("stem", "image", 6)
    wide = net.conv("gate.reduce", stem, 4, kernel=1)
    half = net.conv("gate.conv1", wide, 4, stride=2, groups=2)
    squeeze = net.linear("gate.squeeze", net.mean("gate.mean1", half), 3, "relu")
    excite = net.linear("gate.excite", squeeze, 4, "sigmoid")
    scaled = net.scale("gate.scale", half, excite)
    gate = net.gate("gate", net.mean("gate.mean2", scaled), 6)
    inner = net.conv("inner", stem, 6, mask=gate)
    block = net.conv("block", inner, 6, residual=stem)
    shortcut = net.conv("shortcut", block, 7, kernel=1, stride=2, relu=False)
    gate2 = net.gate("gate2", net.mean("mean", block), 7, alpha=0.4)
    before = net.conv("before", block, 7, stride=2, mask=gate2, masked_bias=True, residual=shortcut)
    signed = net.conv("signed", before, 7, relu=False)
    total = net.eltwise("total", signed, relu=False, residual=before, mask=gate2)
    masked = net.eltwise("masked", total, relu=False, mask=gate2)
    clipped = net.eltwise("clipped", masked, relu=True)
    pooled = net.pool("max", clipped, "max", 3, 1, 1)
    averaged = net.pool("avg", net.conv("signed2", pooled, 4, relu=False), "avg", 2, 2, 0)
    hidden = net.linear("hidden", net.flatten("flat", averaged), 9, "none")
    return net.graph(net.join("joined", hidden, net.mean("mean3", averaged)))
