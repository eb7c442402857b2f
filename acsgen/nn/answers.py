"""What a network returns: the logits of one classifier, or of several."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from acsgen.nn.calls import trace_operations


def answers(output: Tensor | Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Logits [N, classes] of every classifier, the network's own last."""
    return (output,) if isinstance(output, Tensor) else tuple(output)


class _One(nn.Module):
    """A network that stops at one of its answers."""

    def __init__(self, network: nn.Module, number: int) -> None:
        super().__init__()
        self.network = network
        self.number = number

    def forward(self, x: Tensor) -> Tensor:
        return answers(self.network(x))[self.number]


def answer_macs(network: nn.Module, example: Tensor, count: int) -> tuple[int, ...]:
    """MACs per image that each of ``count`` answers takes alone, with nothing skipped.

    Args:
        network: on any device; it is run in eval mode, and its training mode is restored.
        example: an image, on the same device.
        count: the classifiers of the network.
    """
    return tuple(
        sum(operation.macs for operation in trace_operations(_One(network, number), example))
        for number in range(count)
    )
