"""Networks of the papers with the names that their public code bases save, written anew.

They compute as described in the papers and as those code bases do, by other means than acsgen:
masks mix by multiplication, LSTMs are ``nn.LSTM``, and the connectivity of a DGConv is a product of
Kronecker.  Each takes normalized pixels and returns its logits and its masks.
"""

# mypy: disable-error-code=no-any-return
# Calling a module of PyTorch returns Any.

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn import functional as F

#: Logits of the network, or of its branches and itself, and the masks in the order of decision.
Answer = tuple[list[Tensor], list[Tensor]]


def conv3x3(ins: int, outs: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(ins, outs, 3, stride, 1, bias=False)


def shortcut_of(ins: int, outs: int, stride: int) -> nn.Sequential | None:
    if stride == 1 and ins == outs:
        return None
    return nn.Sequential(nn.Conv2d(ins, outs, 1, stride, bias=False), nn.BatchNorm2d(outs))


class Block(nn.Module):
    def __init__(self, ins: int, outs: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1, self.bn1 = conv3x3(ins, outs, stride), nn.BatchNorm2d(outs)
        self.conv2, self.bn2 = conv3x3(outs, outs), nn.BatchNorm2d(outs)
        self.downsample = shortcut_of(ins, outs, stride)

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


def mixed(mask: Tensor, new: Tensor, old: Tensor) -> Tensor:
    mask = mask.reshape(-1, 1, 1, 1)
    return mask * new + (1 - mask) * old


def places(blocks: int) -> list[tuple[int, int]]:
    return [(stage, index) for stage in range(3) for index in range(blocks)]


def stage_shapes(widths: tuple[int, int, int], blocks: int) -> list[tuple[int, int, int]]:
    """Inputs, outputs and stride of every block."""
    shapes, ins = [], widths[0]
    for stage, index in places(blocks):
        shapes.append((ins, widths[stage], 2 if stage and not index else 1))
        ins = widths[stage]
    return shapes


class FeedForwardGate(nn.Module):
    def __init__(self, channels: int, size: int, form: str) -> None:
        super().__init__()
        self.form = form
        self.conv1, self.bn1 = conv3x3(channels, channels, 1 if form == "I" else 2), None
        self.bn1 = nn.BatchNorm2d(channels)
        if form == "I":
            self.conv2, self.bn2 = conv3x3(channels, channels, 2), nn.BatchNorm2d(channels)
            size //= 2
        self.avg_layer = nn.AvgPool2d(int(size / 2 + 0.5))
        self.linear_layer = nn.Conv2d(channels, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(x, 2) if self.form == "I" else x
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.relu(self.bn2(self.conv2(x))) if self.form == "I" else x
        pair = self.linear_layer(self.avg_layer(x)).flatten(1)
        return (F.softmax(pair, dim=1)[:, 1] > 0.5).float()


class RecurrentControl(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rnn, self.proj = nn.LSTM(10, 10), nn.Linear(10, 1)
        self.state: tuple[Tensor, Tensor] | None = None

    def forward(self, x: Tensor) -> Tensor:
        out, self.state = self.rnn(x.reshape(1, len(x), -1), self.state)
        return (torch.sigmoid(self.proj(out[0])) > 0.5).float().flatten()


class SkipNet(nn.Module):
    """``form`` is I, II or RNN."""

    def __init__(
        self, form: str, blocks: int = 2, widths: tuple[int, int, int] = (4, 6, 8), size: int = 32
    ) -> None:
        super().__init__()
        self.blocks, self.form = blocks, form
        self.conv1, self.bn1 = conv3x3(3, widths[0]), nn.BatchNorm2d(widths[0])
        shapes = stage_shapes(widths, blocks)
        for (stage, index), (ins, outs, stride) in zip(places(blocks), shapes, strict=True):
            block, name = Block(ins, outs, stride), f"group{stage + 1}_"
            setattr(self, f"{name}ds{index}", block.downsample)
            setattr(self, f"{name}layer{index}", block)
            pooled = nn.Sequential(nn.AvgPool2d(size >> stage), nn.Conv2d(outs, 10, 1))
            gate = pooled if form == "RNN" else FeedForwardGate(outs, size >> stage, form)
            setattr(self, f"{name}gate{index}", gate)
        if form == "RNN":
            self.control = RecurrentControl()
        self.fc = nn.Linear(widths[2], 5)

    def forward(self, x: Tensor) -> Answer:
        x = F.relu(self.bn1(self.conv1(x)))
        if self.form == "RNN":
            self.control.state = None
        masks: list[Tensor] = []
        for stage, index in places(self.blocks):
            name = f"group{stage + 1}_"
            new = getattr(self, f"{name}layer{index}")(x)
            downsample = getattr(self, f"{name}ds{index}")
            old = x if downsample is None else downsample(x)
            x = mixed(masks[-1], new, old) if masks else new
            decided = getattr(self, f"{name}gate{index}")(x)
            masks.append(self.control(decided) if self.form == "RNN" else decided)
        return [self.fc(x.mean((2, 3)))], masks[:-1]


class OfasGate(nn.Module):
    def __init__(self, channels: int, hidden: tuple[int, ...], blocks: int) -> None:
        super().__init__()
        self.proj = nn.Linear(channels, hidden[0])
        widths = (*hidden, blocks)
        for number in range(1, len(widths)):
            self.add_module(f"proj_{number}", nn.Linear(widths[number - 1], widths[number]))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.children():
            x = layer(x)
        return (torch.sigmoid(x) >= 0.5).float()


class Ofas(nn.Module):
    def __init__(self, hidden: tuple[int, ...], blocks: int = 2) -> None:
        super().__init__()
        widths = (4, 6, 8)
        self.blocks = blocks
        self.conv1, self.bn1 = conv3x3(3, widths[0]), nn.BatchNorm2d(widths[0])
        self.gate_layer = OfasGate(widths[0], hidden, 3 * blocks)
        stages: list[list[Block]] = [[], [], []]
        for (stage, _), shape in zip(places(blocks), stage_shapes(widths, blocks), strict=True):
            stages[stage].append(Block(*shape))
        for number, stage_of in enumerate(stages, start=1):
            setattr(self, f"layer{number}", nn.Sequential(*stage_of))
            setattr(self, f"ds{number}", stage_of[0].downsample)
        self.fc = nn.Linear(widths[2], 5)

    def forward(self, x: Tensor) -> Answer:
        x = F.relu(self.bn1(self.conv1(x)))
        masks = self.gate_layer(x.mean((2, 3)))
        for number, (stage, index) in enumerate(places(self.blocks)):
            block = getattr(self, f"layer{stage + 1}")[index]
            downsample = getattr(self, f"ds{stage + 1}") if index == 0 else None
            old = x if downsample is None else downsample(x)
            x = mixed(masks[:, number], block(x), old)
        return [self.fc(x.mean((2, 3)))], [masks]


class GroupedConv(nn.Module):
    """DGConv: the weight times the Kronecker product of its factors."""

    def __init__(self, channels: int, stride: int = 1) -> None:
        super().__init__()
        self.register_buffer("D", torch.eye(2))
        self.register_buffer("I", torch.ones(2, 2))
        self.gate = nn.Parameter(torch.randn(channels.bit_length() - 1))
        self.conv = conv3x3(channels, channels, stride)

    def forward(self, x: Tensor) -> Tensor:
        connected = torch.ones(1, 1)
        for gate in self.gate:
            connected = torch.kron(connected, self.I if gate > 0 else self.D)
        weight = self.conv.weight * connected[:, :, None, None]
        return F.conv2d(x, weight, stride=self.conv.stride, padding=1)


class Squeeze(nn.Module):
    """Saved, but never called."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc = nn.Sequential(
            nn.Linear(channels, 2, bias=False),
            nn.ReLU(),
            nn.Linear(2, channels, bias=False),
            nn.Sigmoid(),
        )


class AcsGate(nn.Module):
    """ACS's gate: 1x1/2, 3x3/2, BN, ReLU, 3x3, average, 1x1; with DGConv or without."""

    def __init__(self, channels: int, width: int, grouped: bool, growth: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 1, 2, bias=False)
        self.conv2 = GroupedConv(width, 2) if grouped else conv3x3(width, width, 2)
        self.se, self.bn1 = Squeeze(width), nn.BatchNorm2d(width)
        self.conv3 = GroupedConv(width) if grouped else conv3x3(width, growth)
        self.linear_layer = nn.Conv2d(growth, growth, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv3(F.relu(self.bn1(self.conv2(self.conv1(x)))))
        x = self.linear_layer(F.avg_pool2d(x, x.shape[-1])).flatten(1)
        return (torch.sigmoid(x) > 0.5).float()


class IadiGate(nn.Module):
    """DDI's gate: 1x1/2, BN, ReLU, 3x3, average, 1x1."""

    def __init__(self, channels: int, inner: int, width: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(channels, inner, 1, 2, bias=False), nn.BatchNorm2d(inner)
        self.conv2 = conv3x3(inner, width)
        self.linear_layer = nn.Conv2d(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv2(F.relu(self.bn1(self.conv1(x))))
        x = self.linear_layer(F.avg_pool2d(x, x.shape[-1])).flatten(1)
        return (torch.sigmoid(x) > 0.5).float()


class DenseLayer(nn.Module):
    def __init__(self, ins: int, growth: int, bn_size: int) -> None:
        super().__init__()
        inner = bn_size * growth
        self.dense_module = nn.Sequential(
            OrderedDict(
                norm1=nn.BatchNorm2d(ins),
                relu1=nn.ReLU(),
                conv1=nn.Conv2d(ins, inner, 1, bias=False),
                norm2=nn.BatchNorm2d(inner),
                relu2=nn.ReLU(),
                conv2=conv3x3(inner, growth),
            )
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.dense_module(x)


class Transition(nn.Module):
    def __init__(self, ins: int) -> None:
        super().__init__()
        self.trans_module = nn.Sequential(
            OrderedDict(
                norm=nn.BatchNorm2d(ins),
                relu=nn.ReLU(),
                conv=nn.Conv2d(ins, ins // 2, 1, bias=False),
                pool=nn.AvgPool2d(2, 2),
            )
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.trans_module(x)


class GatedDenseNet(nn.Module):
    """``gate`` is acs, acs-gn (no DGConv) or iadi; ``last`` transitions behind the last block.

    ``width`` is that inside of ACS's gates.
    """

    def __init__(
        self,
        gate: str,
        blocks: tuple[int, ...] = (2, 2, 1),
        last: bool = True,
        width: int = 8,
    ) -> None:
        super().__init__()
        growth, channels, self.layers = 8, 12, blocks
        self.base_layer = nn.Sequential(
            OrderedDict(
                conv0=nn.Conv2d(3, channels, 7, 2, 3, bias=False),
                norm0=nn.BatchNorm2d(channels),
                relu0=nn.ReLU(),
                pool0=nn.MaxPool2d(3, 2, 1),
            )
        )
        for block, layers in enumerate(blocks):
            for index in range(layers):
                layer = nn.Sequential(DenseLayer(channels, growth, 2))
                setattr(self, f"denseblock{block}_{index}", layer)
                channels += growth
                decide: nn.Module = IadiGate(channels, 10, growth)
                if gate != "iadi":
                    decide = AcsGate(channels, width, gate == "acs", growth)
                setattr(self, f"denseblock{block}_{index}_gate", decide)
            if last or block < len(blocks) - 1:
                setattr(self, f"trans{block}", Transition(channels))
                channels //= 2
        self.bn_norm, self.classifier = nn.BatchNorm2d(channels), nn.Linear(channels, 5)

    def forward(self, x: Tensor) -> Answer:
        x = self.base_layer(x)
        masks: list[Tensor] = []
        for block, layers in enumerate(self.layers):
            for index in range(layers):
                new = getattr(self, f"denseblock{block}_{index}")(x)
                if masks:
                    new = masks[-1][:, :, None, None] * new
                x = torch.cat([x, new], 1)
                masks.append(getattr(self, f"denseblock{block}_{index}_gate")(x))
            if hasattr(self, f"trans{block}"):
                x = getattr(self, f"trans{block}")(x)
        return [self.classifier(F.relu(self.bn_norm(x)).mean((2, 3)))], masks[:-1]


class Flat(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1)


class TripleWins(nn.Module):
    """Branches behind the blocks n/4 and 3n/4 of each stage."""

    def __init__(self, blocks: int = 2, branches: bool = True) -> None:
        super().__init__()
        widths, self.blocks = (4, 6, 8), blocks
        self.conv1, self.bn1 = conv3x3(3, widths[0]), nn.BatchNorm2d(widths[0])
        shapes = stage_shapes(widths, blocks)
        for (stage, index), shape in zip(places(blocks), shapes, strict=True):
            setattr(self, f"group{stage}_layer{index}", Block(*shape))
        self.fc = nn.Linear(widths[2], 5)
        self.taps = [blocks // 4, 3 * blocks // 4] if branches else []
        for number in range(6 if branches else 0):
            width = widths[number // 2]
            head = (nn.AvgPool2d(8), Flat())
            if number < 2:
                body = (
                    *(nn.MaxPool2d(2), nn.Conv2d(width, 64, 5, 1, 2, bias=False)),
                    *(nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(2), conv3x3(64, 32)),
                    *(nn.BatchNorm2d(32), *head, nn.Linear(32, 5)),
                )
                branch = nn.Sequential(*body)
            elif number < 4:
                branch = nn.Sequential(
                    nn.MaxPool2d(2), Block(width, width), *head, nn.Linear(width, 5)
                )
            else:
                branch = nn.Sequential(*head, nn.Linear(width, 5))
            setattr(self, f"branch_layer{number + 1}", branch)

    def forward(self, x: Tensor) -> Answer:
        x = F.relu(self.bn1(self.conv1(x)))
        answers: list[Tensor] = []
        for stage, index in places(self.blocks):
            x = getattr(self, f"group{stage}_layer{index}")(x)
            for tap in self.taps:
                if tap == index:
                    answers.append(getattr(self, f"branch_layer{len(answers) + 1}")(x))
        return [*answers, self.fc(x.mean((2, 3)))], []
