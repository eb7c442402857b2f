"""Networks whose channels can be skipped: gates, backbones, MAC counting and the model file.

Gates are ordinary modules. Any network can use them::

    import torch
    from torch import nn
    from acsgen.nn import ChannelGate, Normalize

    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.normalize = Normalize((0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
            self.conv = nn.Conv2d(3, 32, 3, padding=1, bias=False)
            self.bn = nn.BatchNorm2d(32)
            self.decide = nn.Linear(3, 32)          # one logit for each channel
            self.gate = ChannelGate(threshold=0.5)
            self.classify = nn.Linear(32, 10)

        def forward(self, pixels):                  # bytes, [N, 3, H, W]
            x = self.normalize(pixels)
            mask = self.gate(self.decide(x.mean((2, 3))))
            x = torch.relu(self.bn(self.conv(x))) * mask
            return self.classify(x.mean((2, 3)))

    network = Own().eval()
    program = torch.export.export(network, (torch.zeros(1, 3, 32, 32, dtype=torch.uint8),))
    torch.export.save(program, "own.pt2")           # then: acsgen build --board zedboard own.pt2

``docs/networks.md`` lists the layers that the accelerator can run, and
``docs/examples/own_network.py`` also trains such a network with a penalty on the MACs it executes.
"""

from acsgen.nn.calls import call_name
from acsgen.nn.checkpoint import LoadedModel, load_checkpoint, save_checkpoint
from acsgen.nn.early_exit import EarlyExit, first_answers
from acsgen.nn.gates.dgconv import DGConv2d
from acsgen.nn.gates.gate import AcsGate, ChannelGate
from acsgen.nn.gates.record import GateRecord, record_gates
from acsgen.nn.gates.squeeze_excite import SqueezeExcite
from acsgen.nn.mac_counter import GatedLayer, MacCounter
from acsgen.nn.networks._image import Normalize
from acsgen.nn.networks.resnet import AcsConfig, ResNet, ResNetConfig

__all__ = [
    "AcsConfig",
    "AcsGate",
    "ChannelGate",
    "DGConv2d",
    "EarlyExit",
    "GateRecord",
    "GatedLayer",
    "LoadedModel",
    "MacCounter",
    "Normalize",
    "ResNet",
    "ResNetConfig",
    "SqueezeExcite",
    "call_name",
    "first_answers",
    "load_checkpoint",
    "record_gates",
    "save_checkpoint",
]
