"""Networks whose channels can be skipped: gates, backbones, MAC counting and the model file."""

from acsgen.nn.checkpoint import LoadedModel, load_checkpoint, save_checkpoint
from acsgen.nn.dgconv import DGConv2d
from acsgen.nn.gate import AcsGate, ChannelGate
from acsgen.nn.resnet import AcsConfig, Normalize, ResNet, ResNetConfig
from acsgen.nn.squeeze_excite import SqueezeExcite

__all__ = [
    "AcsConfig",
    "AcsGate",
    "ChannelGate",
    "DGConv2d",
    "LoadedModel",
    "Normalize",
    "ResNet",
    "ResNetConfig",
    "SqueezeExcite",
    "load_checkpoint",
    "save_checkpoint",
]
