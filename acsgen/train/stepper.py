"""One optimisation step, eager or replayed as a CUDA graph.

Small networks with many gates launch thousands of kernels of a few microseconds each. A step that
is recorded once and replayed costs the time of the kernels, and none of Python.
"""

from __future__ import annotations

import logging
from typing import Any

import torch
from torch import Tensor

from acsgen.train.losses import Loss

log = logging.getLogger(__name__)

_WARMUP_STEPS = 3


class Stepper:
    """Runs steps of ``optimizer`` on ``loss`` and sums their statistics on the device.

    Args:
        loss: called with (images, labels).
        optimizer: its learning rates must be tensors if ``graph`` is set.
        device: where images will come from.
        graph: capture the step as a CUDA graph after a few eager steps. If capturing fails, the
            reason is logged and the steps stay eager.
    """

    def __init__(
        self, loss: Loss[Any], optimizer: torch.optim.Optimizer, device: torch.device, graph: bool
    ) -> None:
        self._loss = loss
        self._statistics = loss.statistics()
        self._optimizer = optimizer
        self._totals = torch.zeros(len(self._statistics), device=device)
        self._count = 0
        self._steps = 0
        self._use_graph = graph
        self._stream = torch.cuda.Stream(device) if graph else None  # type: ignore[no-untyped-call]
        self._graph: torch.cuda.CUDAGraph | None = None
        self._inputs: tuple[Tensor, Tensor] | None = None

    def step(self, images: Tensor, labels: Tensor) -> None:
        """One update from images [N, C, H, W] and labels [N]."""
        self._count += 1
        self._steps += 1
        if not self._use_graph:
            self._eager(images, labels)
            return
        if self._steps <= _WARMUP_STEPS:
            self._eager_on_side_stream(images, labels)
            return
        if self._graph is None or self._inputs is None:
            self._capture(images, labels)
        if self._graph is None or self._inputs is None:
            self._eager(images, labels)
            return
        self._inputs[0].copy_(images)
        self._inputs[1].copy_(labels)
        self._graph.replay()

    def take_statistics(self) -> dict[str, float]:
        """Mean of each of the loss's statistics since the last call."""
        means = (self._totals / max(self._count, 1)).tolist()
        self._totals.zero_()
        self._count = 0
        return dict(zip(self._statistics, means, strict=True))

    def _eager(self, images: Tensor, labels: Tensor) -> None:
        self._optimizer.zero_grad(set_to_none=True)
        result = self._loss(images, labels)
        result.loss.backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        self._totals += result.statistics

    def _eager_on_side_stream(self, images: Tensor, labels: Tensor) -> None:
        assert self._stream is not None
        self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream):
            self._eager(images, labels)
        torch.cuda.current_stream().wait_stream(self._stream)

    def _capture(self, images: Tensor, labels: Tensor) -> None:
        """Record the step on fixed input buffers; recording does not execute it."""
        self._inputs = images.clone(), labels.clone()
        self._optimizer.zero_grad(set_to_none=True)
        graph = torch.cuda.CUDAGraph()
        try:
            with torch.cuda.graph(graph):
                self._eager(*self._inputs)
        except RuntimeError as error:
            log.warning("no CUDA graph, steps stay eager: %s", str(error).splitlines()[0])
            self._use_graph = False
            return
        self._graph = graph
