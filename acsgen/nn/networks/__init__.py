"""Networks that a checkpoint can name: each a file of its own, found when this is imported."""

from acsgen.nn.networks.base import ARCHITECTURES, Architecture, architecture

__all__ = ["ARCHITECTURES", "Architecture", "architecture"]

ARCHITECTURES.find_all(__name__)
