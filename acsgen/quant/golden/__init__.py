"""The golden model: the executor of the integer graph that every engine must equal."""

from acsgen.quant.golden.model import GoldenModel

__all__ = ["GoldenModel"]
