"""A network of one's own with channel gates: define, train, export for ``acsgen build``.

python docs/examples/own_network.py --out own.pt2
acsgen build --board zedboard --dataset digits32 own.pt2
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from acsgen.data import load_dataset
from acsgen.nn import ChannelGate, GatedLayer, MacCounter, Normalize, record_gates


class Stage(nn.Module):
    """A convolution whose channels a small gate turns on and off, one mask for each image.

    The gate has a narrow convolution of its own, so it sees more than the means of the channels.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(out_channels)
        self.look = nn.Conv2d(in_channels, 8, 3, stride=2, padding=1)
        self.decide = nn.Linear(8, out_channels)
        nn.init.ones_(self.decide.bias)  # every channel starts open
        self.gate = ChannelGate(threshold=0.5)

    def forward(self, x: Tensor) -> Tensor:
        """[N, in_channels, H, W] to [N, out_channels, H / stride, W / stride]."""
        hints = F.relu(self.look(x)).mean((2, 3))
        mask = self.gate(self.decide(hints))  # [N, out_channels, 1, 1] of 0 and 1
        # After BatchNorm and ReLU a masked channel is exactly 0, so its reader can skip it too.
        return F.relu(self.bn(self.conv(x))) * mask


class OwnNetwork(nn.Module):
    """Takes the camera's bytes; normalization is part of the network."""

    def __init__(self, mean: tuple[float, ...], std: tuple[float, ...]) -> None:
        super().__init__()
        self.normalize = Normalize(mean, std)
        self.stem = nn.Conv2d(3, 16, 5, padding=2, bias=False)
        self.bn = nn.BatchNorm2d(16)
        self.stage1 = Stage(16, 24, stride=1)
        self.stage2 = Stage(24, 40, stride=2)
        self.classify = nn.Linear(40, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Pixels [N, 3, 32, 32] to logits [N, 10]."""
        x = F.relu(self.bn(self.stem(self.normalize(x))))
        x = self.stage2(self.stage1(F.max_pool2d(x, 2)))
        return self.classify(x.mean((2, 3)))

    def example_input(self) -> Tensor:
        """One image, to trace and to export with."""
        return torch.zeros(1, 3, 32, 32, dtype=torch.uint8)

    def gated_layers(self) -> list[GatedLayer]:
        """The layers that skip, and their gates: for the MACs in the loss, not for a build."""
        # The classifier is not among them: the engine skips channels in convolutions only.
        first, second = "stage1.gate", "stage2.gate"
        return [
            GatedLayer("stage1.conv", in_gate=None, out_gate=first),
            GatedLayer("stage2.conv", in_gate=first, out_gate=second),
            GatedLayer("stage2.look", in_gate=first, out_gate=None),
        ]


def train(model: OwnNetwork, steps: int, budget: float = 0.6) -> None:
    """Cross-entropy, and in the second half a penalty on MACs above ``budget`` of the whole's."""
    data = load_dataset("digits32", "train")
    counter = MacCounter(model)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    model.train()
    for step in range(steps):
        chosen = torch.randint(0, len(data), (128,))
        images, labels = torch.tensor(data.images[chosen]), torch.tensor(data.labels[chosen])
        with record_gates(model) as gates:
            loss = F.cross_entropy(model(images), labels)
        share = counter.count(gates.masks).mean() / counter.static_macs
        weight = 4.0 if step >= steps // 2 else 0.0
        (loss + weight * torch.clamp(share - budget, min=0.0)).backward()
        optimizer.step()
        optimizer.zero_grad()
        if step % 100 == 0:
            print(f"step {step}: cross-entropy {loss:.3f}, MACs {100 * share:.1f} %", flush=True)


def main() -> None:
    """Train and export."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, default=Path("own.pt2"))
    parser.add_argument("--steps", type=int, default=500)
    arguments = parser.parse_args()

    torch.manual_seed(0)
    model = OwnNetwork(mean=(0.45, 0.45, 0.45), std=(0.25, 0.25, 0.25))
    train(model, arguments.steps)

    # Eval mode, one image, no dynamic shapes: the accelerator runs the network in this form.
    program = torch.export.export(model.eval(), (model.example_input(),))
    torch.export.save(program, arguments.out)
    print(f"written to {arguments.out}")


if __name__ == "__main__":
    main()
