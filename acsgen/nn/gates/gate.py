"""Channel gates, which make a network skippable, and the gating network of the ACS paper."""

from __future__ import annotations

import math

import torch
from acsgen_host.thresholds import logit
from torch import Tensor, nn
from torch.nn import functional as F

from acsgen.nn.gates.dgconv import DGConv2d, is_power_of_two
from acsgen.nn.gates.squeeze_excite import SqueezeExcite
from acsgen.nn.ops import channel_gate


class ChannelGate(nn.Module):
    """Turn logits into a channel mask to multiply a feature map with.

    Usable in any network::

        y = relu(bn(conv(x))) * gate(fc(x.mean((2, 3))))

    Args:
        threshold: alpha of the ACS paper, in [0, 1]: the channel is computed iff
            ``sigmoid(logit) > threshold``. A run-time register of the generated hardware.
        noise: standard deviation of Gaussian noise added to the logits in training mode only. It
            drives logits away from the threshold, so that integer arithmetic takes the same
            decisions.
        inclusive: compute the channel where ``sigmoid(logit)`` equals the threshold, too.

    Attributes:
        flip: share of the decisions that are inverted at random in training mode (OFAS, equation
            5); gradients pass through the inverted decision.
        sample: in training mode, open with probability ``sigmoid(logit)`` and without a gradient
            (REINFORCE).
        hashed: in training mode, half of the images, drawn at random, have a value between 0 and 1
            in place of the decision: the saturating sigmoid max(0, min(1, 1.2 * sigmoid(logit) -
            0.1)), whose gradient the decision of the others has too (improved semantic hashing of
            Kaiser and Bengio 2018, by which GaterNet trains, with ``noise`` 1).

    Raises:
        ValueError: threshold outside [0, 1], or negative noise; in ``forward``, logits that are
            not [N, C].
    """

    def __init__(self, threshold: float = 0.5, noise: float = 0.0, inclusive: bool = False) -> None:
        super().__init__()
        logit(threshold)
        if noise < 0.0:
            raise ValueError(f"gate noise must not be negative, got {noise}")
        self.threshold = threshold
        self.noise = noise
        self.inclusive = inclusive
        self.flip = 0.0
        self.sample = False
        self.hashed = False

    def forward(self, logits: Tensor) -> Tensor:
        """[N, C] logits to a [N, C, 1, 1] mask of exact 0 and 1, but where ``hashed`` trains."""
        if logits.dim() != 2:
            raise ValueError(f"a gate takes logits [N, C], got {list(logits.shape)}")
        if self.training and self.noise > 0.0:
            logits = logits + self.noise * torch.randn_like(logits)
        mask: Tensor
        if self.training and self.sample:
            mask = torch.bernoulli(torch.sigmoid(logits.detach().float())).to(logits.dtype)
        elif self.training and self.hashed:
            mask = self._hashed(logits)
        else:
            # The next smaller number: above it lies what is at least the threshold.
            bound = math.nextafter(self.threshold, 0.0) if self.inclusive else self.threshold
            mask = channel_gate(logits, bound)
        if self.training and self.flip > 0.0:
            mask = torch.where(torch.rand_like(logits) < self.flip, 1.0 - mask, mask)
        return mask.unsqueeze(-1).unsqueeze(-1)

    def _hashed(self, logits: Tensor) -> Tensor:
        margins = logits.float() - logit(self.threshold)
        soft = (1.2 * torch.sigmoid(margins) - 0.1).clamp(0.0, 1.0)
        # The difference is exactly 0, and has the gradient of the saturating sigmoid.
        hard = (margins > 0.0).float() + (soft - soft.detach())
        decides = torch.rand(len(logits), 1, device=logits.device) < 0.5
        return torch.where(decides, hard, soft).to(logits.dtype)

    def extra_repr(self) -> str:
        """The module's parameters for ``print(module)``."""
        return f"threshold={self.threshold}, noise={self.noise}, inclusive={self.inclusive}"


def default_bottleneck(in_channels: int) -> int:
    """Bottleneck width of an ACS gate: ``in_channels / 2``, cut to a power of two, at least 8.

    It is a power of two because DGConv factors its connectivity into 2x2 matrices.
    """
    half = max(8, in_channels // 2)
    return 1 << (half.bit_length() - 1)


class AcsGate(nn.Module):
    """The gating network of ACS (paper, Figure 2e): it decides which channels are computed.

    conv1x1, DGConv3x3 stride 2, SE, DGConv3x3 stride 1, global average pool, Linear, threshold.
    ``grouping=False, se=False`` is plain ACS-GN (Figure 2d). The defaults are the paper's form with
    BatchNorm + ReLU after each convolution; the authors' public code is ``bottleneck_norm=False,
    last_norm=False, bottleneck_stride=2, se=False``.

    Args:
        in_channels: channels of the gate's input [N, in_channels, H, W].
        out_channels: number of gated channels k.
        bottleneck: width after the 1x1; default :func:`default_bottleneck`.
        threshold: see :class:`ChannelGate`.
        grouping: DGConv (ACS-DG) instead of plain 3x3 convolutions.
        se: squeeze-and-excitation between the two 3x3.
        reduction: of the squeeze-and-excitation.
        bottleneck_stride: stride of the 1x1 convolution.
        bottleneck_norm: BatchNorm + ReLU after the 1x1.
        last_norm: BatchNorm + ReLU after the second 3x3.
        last_width: channels behind the second 3x3; default the bottleneck's, which ``grouping``
            needs.

    Raises:
        ValueError: ``grouping`` with a bottleneck that is not a power of two, or with another
            ``last_width``.
    """

    #: sigmoid(1) = 0.73: every channel starts open, with gradient left to close it.
    INITIAL_LOGIT = 1.0

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        bottleneck: int | None = None,
        threshold: float = 0.5,
        grouping: bool = True,
        se: bool = True,
        reduction: int = 16,
        bottleneck_stride: int = 1,
        bottleneck_norm: bool = True,
        last_norm: bool = True,
        last_width: int | None = None,
    ) -> None:
        super().__init__()
        width = default_bottleneck(in_channels) if bottleneck is None else bottleneck
        if grouping and not is_power_of_two(width):
            raise ValueError(
                f"an ACS gate with grouping needs a power of two as bottleneck, got {width}"
            )
        last = width if last_width is None else last_width
        if grouping and last != width:
            raise ValueError(
                f"an ACS gate with grouping has {width} channels up to the end, not {last}"
            )
        self.reduce = nn.Conv2d(in_channels, width, 1, stride=bottleneck_stride, bias=False)
        self.reduce_norm = nn.BatchNorm2d(width) if bottleneck_norm else None
        self.conv1 = _conv3x3(width, width, stride=2, grouping=grouping)
        self.norm1 = nn.BatchNorm2d(width)
        self.se = SqueezeExcite(width, reduction) if se else None
        self.conv2 = _conv3x3(width, last, stride=1, grouping=grouping)
        self.norm2 = nn.BatchNorm2d(last) if last_norm else None
        self.fc = nn.Linear(last, out_channels)
        nn.init.constant_(self.fc.bias, self.INITIAL_LOGIT)
        self.gate = ChannelGate(threshold)

    def forward(self, x: Tensor) -> Tensor:
        """[N, in_channels, H, W] to a [N, out_channels, 1, 1] mask."""
        x = self.reduce(x)
        if self.reduce_norm is not None:
            x = F.relu(self.reduce_norm(x))
        x = F.relu(self.norm1(self.conv1(x)))
        if self.se is not None:
            x = self.se(x)
        x = self.conv2(x)
        if self.norm2 is not None:
            x = F.relu(self.norm2(x))
        mask: Tensor = self.gate(self.fc(x.mean((2, 3))))
        return mask


def _conv3x3(ins: int, outs: int, stride: int, grouping: bool) -> nn.Module:
    if grouping:
        return DGConv2d(ins, 3, stride=stride)
    return nn.Conv2d(ins, outs, 3, stride=stride, padding=1, bias=False)
