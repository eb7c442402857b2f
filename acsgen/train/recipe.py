"""The training recipe: a YAML file that says what is trained, on what, and in which phases."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from acsgen.nn.checkpoint import validation_problems
from acsgen.support.errors import Problem, UserError


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DataRecipe(_Strict):
    """Training data.

    Attributes:
        name: see :func:`acsgen.data.load_dataset`.
        root: folder of the files, where the data set needs one.
        test_name: another name for the test split (for ``npz:`` files).
        train_limit: train on the first so many images only.
        test_limit: test on the first so many images only.
        shift: random translation of training images, up to so many pixels in each direction.
        flip: mirror half of the training images left to right.
    """

    name: str
    root: str | None = None
    test_name: str | None = None
    train_limit: int | None = Field(default=None, ge=1)
    test_limit: int | None = Field(default=None, ge=1)
    shift: int = Field(default=2, ge=0)
    flip: bool = False


class CostRecipe(_Strict):
    """The resource term of the loss, L = L_ce + weight * L_reg (ACS paper, equation 5).

    L_reg = max(0, r - target) with r the mean MACs of the batch over the static network's, gates
    included: a budget, not a pull towards zero.

    Attributes:
        target: r to reach.
        weight: alpha of equation 5.
        ramp: fraction of the phase over which the budget falls from 1 to ``target``.
        information: weight of the anti-collapse term: minus the mutual information, in nats,
            between the image and a gate bit, averaged over bits. It keeps masks from becoming
            constant and logits away from the threshold (integer decisions then agree with float
            ones).
    """

    target: float = Field(gt=0.0, le=1.5)
    weight: float = Field(default=4.0, ge=0.0)
    ramp: float = Field(default=0.4, ge=0.0, le=1.0)
    information: float = Field(default=0.1, ge=0.0)


class PhaseRecipe(_Strict):
    """One phase of training: its own cosine learning rate schedule, its own loss.

    Attributes:
        name: shown in the progress and the metrics.
        epochs: passes over the training data.
        lr: learning rate at the start; falls to 0 along a cosine.
        warmup: epochs over which the learning rate first rises linearly.
        gates: ``open`` forces every mask to 1 in the forward pass while gradients still reach the
            gates (the paper's first step, zero skipping); ``learned`` applies the masks.
        noise: standard deviation of the Gaussian noise on gate logits.
        cost: resource term; only with ``learned`` gates.
    """

    name: str
    epochs: int = Field(ge=0)
    lr: float = Field(default=0.1, gt=0.0)
    warmup: float = Field(default=0.0, ge=0.0)
    gates: str = Field(default="open", pattern="^(open|learned)$")
    noise: float = Field(default=0.0, ge=0.0)
    cost: CostRecipe | None = None

    @model_validator(mode="after")
    def _cost_needs_masks(self) -> PhaseRecipe:
        if self.cost is not None and self.gates == "open":
            raise ValueError("cost needs gates: learned (with open gates nothing is skipped)")
        return self


class Recipe(_Strict):
    """Everything that determines a training run.

    Attributes:
        name: stem of the files written.
        arch: a key of ``acsgen.nn.checkpoint.ARCHITECTURES``.
        model: the architecture's configuration; ``mean`` and ``std`` default to the training
            data's.
        data: see :class:`DataRecipe`.
        phases: run in order.
        seed: of initialisation, shuffling, augmentation and gate noise.
        batch: images per step.
        momentum: of SGD.
        nesterov: Nesterov momentum.
        weight_decay: on convolution and linear weights; not on BatchNorm, biases and DGConv gates.
        precision: ``bfloat16`` runs the training passes under autocast (evaluation stays float32);
            on processors with matrix units it halves the time.
        cuda_graph: on CUDA, replay each step as one captured graph (these networks are
            launch-bound).
    """

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    arch: str = "resnet"
    model: dict[str, Any] = Field(default_factory=dict)
    data: DataRecipe
    phases: tuple[PhaseRecipe, ...] = Field(min_length=1)
    seed: int = Field(default=0, ge=0)
    batch: int = Field(default=128, ge=2)
    momentum: float = Field(default=0.9, ge=0.0, lt=1.0)
    nesterov: bool = True
    weight_decay: float = Field(default=1e-4, ge=0.0)
    precision: Literal["float32", "bfloat16"] = "float32"
    cuda_graph: bool = True

    @property
    def epochs(self) -> int:
        """Epochs of all phases."""
        return sum(phase.epochs for phase in self.phases)


def load_recipe(path: str | Path, overrides: Sequence[str] = ()) -> Recipe:
    """Read a recipe and apply overrides.

    Args:
        path: YAML file.
        overrides: ``key=value`` with dotted keys and YAML values: ``seed=3``,
            ``phases.0.epochs=2``, ``model.widths=[32,64,128]``.

    Raises:
        UserError: unreadable file, bad YAML, unknown keys or bad values; all are listed.
    """
    where = str(path)
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text file"
        raise UserError([Problem(where, f"cannot read the recipe: {reason}")]) from None
    try:
        content = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date such as 2023-99-99
        raise UserError([Problem(where, f"not valid YAML: {error}")]) from None
    if not isinstance(content, dict):
        raise UserError([Problem(where, "a recipe is a mapping of keys to values")])
    problems = [p for p in (_override(content, item) for item in overrides) if p is not None]
    if problems:
        raise UserError(problems)
    try:
        return Recipe.model_validate(content)
    except ValidationError as error:
        raise UserError(validation_problems(error, where)) from None


def _override(content: dict[str, Any], item: str) -> Problem | None:
    """Apply one ``key=value`` in place; returns what is wrong with it, if anything."""
    key, equals, text = item.partition("=")
    where = f"--set {item}"
    if not equals or not key:
        return Problem(where, "not of the form key=value")
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):
        return Problem(where, f"'{text}' is not a YAML value")
    *parents, last = key.split(".")
    node: Any = content
    try:
        for part in parents:
            node = node[int(part)] if isinstance(node, list) else node.setdefault(part, {})
        if isinstance(node, list):
            node[int(last)] = value
        else:
            node[last] = value
    except (ValueError, IndexError, TypeError, AttributeError):
        return Problem(where, "no such place in the recipe")
    return None
