"""Random networks of PyTorch modules, with gates in every place that a mask can have."""

# mypy: disable-error-code=no-any-return
# Calling a module of PyTorch returns Any.

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from acsgen.nn import AcsGate, Normalize, SqueezeExcite
from tests.nets.modules import ConvBn, ConvGate, MlpGate, PooledGate, Shape

GATES = ("none", "pooled", "conv", "mlp", "acs", "one-bit")
Position = Literal["before-bn", "before-relu", "after-relu"]


@dataclass(frozen=True)
class StageSpec:
    """One stage: a convolution with its gate, and the layers around them."""

    width: int
    kernel: int
    stride: int
    groups: bool
    gate: str
    position: Position
    early_gate: bool
    residual: bool
    after: Literal["nothing", "max", "avg", "se", "relu"]


def _make_gate(kind: str, ins: int, outs: int) -> nn.Module | None:
    if kind == "none":
        return None
    if kind == "acs":
        return AcsGate(ins, outs, bottleneck=4, bottleneck_stride=1 + outs % 2, se=outs % 3 == 0)
    if kind == "one-bit":
        return PooledGate(ins, 1)
    return {"pooled": PooledGate, "conv": ConvGate, "mlp": MlpGate}[kind](ins, outs)


class Stage(nn.Module):
    def __init__(self, spec: StageSpec, ins: int, early: int) -> None:
        super().__init__()
        self.spec = spec
        self.outs = ins if spec.residual or spec.groups else spec.width
        stride = 1 if spec.residual else spec.stride
        groups = ins if spec.groups else 1
        self.conv, self.norm = ConvBn(ins, self.outs, spec.kernel, stride, groups)
        self.gate = _make_gate(spec.gate, early if spec.early_gate else ins, self.outs)
        self.se = SqueezeExcite(self.outs, 4) if spec.after == "se" else None

    def forward(self, x: Tensor, early: Tensor) -> Tensor:
        spec = self.spec
        y = self.conv(x)
        mask = None if self.gate is None else self.gate(early if spec.early_gate else x)
        if mask is not None and spec.position == "before-bn":
            y = y * mask
        y = self.norm(y)
        if mask is not None and spec.position == "before-relu":
            y = y * mask
        if spec.residual:
            y = y + x
        y = F.relu(y)
        if mask is not None and spec.position == "after-relu":
            y = y * mask
        if spec.after == "max" and min(y.shape[2:]) >= 2:
            y = F.max_pool2d(y, 3, 2, 1)
        elif spec.after == "avg" and min(y.shape[2:]) >= 2:
            y = F.avg_pool2d(y, 2)
        elif self.se is not None:
            y = self.se(y)
        elif spec.after == "relu":
            y = F.relu(y)
        return y


class RandomNetwork(nn.Module):
    """A stem, stages, and a head on the pooled or the flattened map."""

    def __init__(
        self, shape: Shape, stem: int, stages: list[StageSpec], flat: bool, hidden: int
    ) -> None:
        super().__init__()
        channels = shape[0]
        self.normalize = Normalize((0.4,) * channels, (0.3,) * channels)
        self.stem = ConvBn(channels, stem)
        self.flat = flat
        self.stages = nn.ModuleList()
        width = stem
        for spec in stages:
            stage = Stage(spec, width, stem)
            self.stages.append(stage)
            width = stage.outs
        with torch.no_grad():
            size = self.eval().features(torch.zeros(1, *shape)).shape[1]
        layers: list[nn.Module] = [nn.Linear(size, hidden), nn.ReLU()] if hidden else []
        self.head = nn.Sequential(*layers, nn.Dropout(), nn.Linear(hidden or size, 6))

    def features(self, image: Tensor) -> Tensor:
        early = x = F.relu(self.stem(self.normalize(image)))
        for stage in self.stages:
            x = stage(x, early)
        return x.flatten(1) if self.flat else x.mean((2, 3))

    def forward(self, image: Tensor) -> Tensor:
        logits: Tensor = self.head(self.features(image))
        return logits


_stages = st.builds(
    StageSpec,
    width=st.integers(1, 40),
    kernel=st.sampled_from([1, 3, 5]),
    stride=st.integers(1, 2),
    groups=st.sampled_from([False, False, True]),
    gate=st.sampled_from(GATES),
    position=st.sampled_from(["before-bn", "before-relu", "after-relu"]),
    early_gate=st.booleans(),
    residual=st.booleans(),
    after=st.sampled_from(["nothing", "nothing", "max", "avg", "se", "relu"]),
)


@st.composite
def random_networks(draw: st.DrawFn) -> tuple[RandomNetwork, Shape]:
    shape = draw(st.sampled_from([1, 3, 5])), draw(st.integers(4, 20)), draw(st.integers(4, 20))
    network = RandomNetwork(
        shape,
        draw(st.integers(1, 24)),
        draw(st.lists(_stages, min_size=1, max_size=4)),
        draw(st.booleans()),
        draw(st.sampled_from([0, 5, 19])),
    )
    return network, shape


#: Channels of a random body, and the steps that it is made of.
BODY_WIDTH = 5
STEPS = ("conv", "bn", "relu", "mask", "mask-late", "residual", "se", "scale", "pool", "keep")


class RandomBody(nn.Module):
    """Steps applied in turn; ``keep`` remembers the map for a later residual."""

    def __init__(self, steps: list[tuple[str, int]]) -> None:
        super().__init__()
        self.steps = steps
        self.parts = nn.ModuleList(self._part(name, option) for name, option in steps)

    @staticmethod
    def _part(name: str, option: int) -> nn.Module:
        if name == "conv":
            return nn.Conv2d(
                BODY_WIDTH, BODY_WIDTH, (1, 3, 5)[option % 3], padding="same", bias=option > 2
            )
        if name == "bn":
            return nn.BatchNorm2d(BODY_WIDTH)
        if name in ("mask", "mask-late"):
            return PooledGate(
                BODY_WIDTH, BODY_WIDTH if option % 3 else 1, (0.3, 0.5, 0.6)[option % 3]
            )
        if name == "se":
            return SqueezeExcite(BODY_WIDTH)
        return nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        kept = x
        for (name, option), part in zip(self.steps, self.parts, strict=True):
            if name in ("conv", "bn", "se"):
                x = part(x)
            elif name == "relu":
                x = F.relu(x)
            elif name == "mask":
                x = x * part(x)
            elif name == "mask-late":
                x = x * part(kept) if kept.shape == x.shape else x
            elif name == "residual":
                x = x + kept if kept.shape == x.shape else x
            elif name == "scale":
                x = x * (0.5 + option) - 0.25
            elif name == "pool" and x.shape[-1] > 1:
                x = F.max_pool2d(x, 2) if option % 2 else F.avg_pool2d(x, 3, 2, 1)
            elif name == "keep":
                kept = x
        return x


random_bodies = st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 5)), max_size=9).map(
    RandomBody
)
