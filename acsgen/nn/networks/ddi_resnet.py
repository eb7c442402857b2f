"""ResNet of dual dynamic inference, DDI (Wang et al. 2020): the gates of IADI and the branch
classifiers of RADI in one network."""

from __future__ import annotations

from acsgen.nn.networks._branches import Branched
from acsgen.nn.networks.base import architecture
from acsgen.nn.networks.iadi_resnet import IadiResNet, IadiResNetConfig
from acsgen.nn.networks.radi_resnet import RadiResNetConfig, radi_branches


class DdiResNetConfig(IadiResNetConfig, RadiResNetConfig):
    """Shape of a ResNet with the keys of both halves: ``iadi_resnet`` and ``radi_resnet``."""


@architecture("ddi_resnet", DdiResNetConfig)
class DdiResNet(Branched, IadiResNet):
    """What a block leaves of an image's channels is what the branches behind it read.

    The state dict has the names of ``iadi_resnet``, so that a trained one can be loaded.
    """

    def __init__(self, config: DdiResNetConfig) -> None:
        super().__init__(config)
        self.add_branches(*radi_branches(config), config.exit_entropy)
