"""Losses of training: the schema of their parameters, and the forward pass that they judge."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn
from torch.nn import functional as F

from acsgen.nn.answers import answers
from acsgen.nn.gates.record import GateRecord, record_gates
from acsgen.nn.mac_counter import MacCounter
from acsgen.support.registry import Registry
from acsgen.train.memory import memory_format


class LossParameters(BaseModel):
    """A loss in a recipe: its name and its own parameters.

    A subclass narrows ``name`` to the one name that it stands for, which is also its default.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str


ParametersT = TypeVar("ParametersT", bound=LossParameters)


def ramped(progress: float, ramp: float) -> float:
    """How far a budget has fallen, in [0, 1], ``progress`` through a phase of which it falls for
    the fraction ``ramp``; at once where that is 0.
    """
    return min(1.0, progress / ramp) if ramp > 0 else 1.0


@dataclass(frozen=True)
class ForwardPass:
    """One forward pass in training mode.

    Attributes:
        logits: [N, classes], float32.
        gates: logits and decisions of the gates.
        macs: of each image, [N]; a scalar for a network without gates. Differentiable in the masks.
        macs_ratio: their mean over the MACs of the static network, a scalar.
        branches: logits of the branch classifiers before, if the network has any.
    """

    logits: Tensor
    gates: GateRecord
    macs: Tensor
    macs_ratio: Tensor
    branches: tuple[Tensor, ...] = ()


class Forward:
    """Runs the network for a loss.

    Args:
        model: the network.
        counter: its MAC counter.
        device: where it is.
        autocast: run the forward pass in bfloat16 where that is safe.

    Attributes:
        model: the network.
        static_macs: MACs per image of the static network.
        counter: the MAC counter.
    """

    def __init__(
        self,
        model: nn.Module,
        counter: MacCounter,
        device: torch.device,
        autocast: bool = False,
    ) -> None:
        self.device = device
        self.static_macs = counter.static_macs
        self.model = model
        self.counter = counter
        self._autocast = torch.autocast(device.type, torch.bfloat16, enabled=autocast)

    def __call__(self, images: Tensor) -> ForwardPass:
        """Run images [N, C, H, W]."""
        images = images.contiguous(memory_format=memory_format(images.device))
        with record_gates(self.model) as gates, self._autocast:
            *branches, logits = (answer.float() for answer in answers(self.model(images)))
        macs = self.counter.count(gates.masks)
        ratio = macs.mean() / self.static_macs
        return ForwardPass(logits, gates, macs, ratio, tuple(branches))


#: The value to differentiate, and the values of ``Loss.own_statistics``.
Terms = tuple[Tensor, Sequence[Tensor]]


@dataclass(frozen=True)
class LossResult:
    """``loss`` to differentiate, and the values of :meth:`Loss.statistics`, detached."""

    loss: Tensor
    statistics: Tensor


class Loss(ABC, Generic[ParametersT]):
    """A loss: cross-entropy and terms of its own.

    A loss is a file of this package: a subclass of :class:`LossParameters`, and a subclass of this
    one that :func:`register` adds. A loss that is not a sum overrides ``__call__``.

    Args:
        parameters: those of the recipe.
        forward: runs the network.
    """

    #: The schema of its parameters.
    parameters_type: ClassVar[type[LossParameters]]
    #: Names of its own terms in the metrics.
    own_statistics: ClassVar[tuple[str, ...]] = ()
    #: Whether it has a meaning only where masks skip something.
    needs_skipping: ClassVar[bool] = False
    #: The gate modes of which it needs one, if it does.
    gate_modes: ClassVar[tuple[str, ...]] = ()

    def __init__(self, parameters: ParametersT, forward: Forward) -> None:
        self.parameters = parameters
        self.forward = forward

    @classmethod
    def statistics(cls) -> tuple[str, ...]:
        """Names of the per-batch statistics, in order."""
        return ("loss", "ce", *cls.own_statistics, "acc", "macs_ratio")

    def set_progress(self, progress: float) -> None:
        """Tell how far the phase is, in [0, 1]; called before every step.

        A loss that changes with it must write the change into tensors that exist already: on CUDA
        a step may be a captured graph.
        """
        return

    @abstractmethod
    def total(self, ce: Tensor, run: ForwardPass, labels: Tensor) -> Terms:
        """The loss, and the values of ``own_statistics``.

        Args:
            ce: cross-entropy of the batch, a scalar.
            run: the forward pass.
            labels: classes [N].
        """

    def __call__(self, images: Tensor, labels: Tensor) -> LossResult:
        """Loss of one batch: images [N, C, H, W], labels [N]."""
        run = self.forward(images)
        ce = F.cross_entropy(run.logits, labels)
        loss, own = self.total(ce, run, labels)
        accuracy = (run.logits.argmax(1) == labels).float().mean()
        return LossResult(loss, torch.stack([loss, ce, *own, accuracy, run.macs_ratio]).detach())


LossT = TypeVar("LossT", bound=type[Loss[Any]])

#: Every loss, by the name that recipes use for it.
LOSSES: Registry[type[Loss[Any]]] = Registry("loss")


def register(loss: LossT) -> LossT:
    """Decorate a loss's class: recipes may name it as its parameters do.

    Raises:
        TypeError: the class lacks a part of a loss.
    """
    if inspect.isabstract(loss) or not hasattr(loss, "parameters_type"):
        raise TypeError(f"{loss.__name__} lacks total() or parameters_type")
    LOSSES.add(loss.parameters_type.model_fields["name"].default, loss)
    return loss
