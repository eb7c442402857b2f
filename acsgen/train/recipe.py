"""The training recipe: a YAML file that names the network, the data and the phases."""

from __future__ import annotations

import functools
import operator
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails

from acsgen.data.load import known_dataset
from acsgen.nn.networks import ARCHITECTURES
from acsgen.support.errors import Problem, UserError
from acsgen.support.fields import field_problems
from acsgen.support.user_files import read_limited
from acsgen.support.yamltext import load_yaml, yaml_reason
from acsgen.train.gate_modes import GATE_MODES
from acsgen.train.losses import LOSSES, LossParameters
from acsgen.train.losses.cross_entropy import CrossEntropyParameters

#: Recipes have some hundred bytes.
MAX_BYTES = 1_000_000

_PATTERNS = {"name": "letters, digits, dots, hyphens and underscores, a letter or digit first"}


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

    name: Annotated[str, AfterValidator(known_dataset)]
    root: str | None = None
    test_name: Annotated[str, AfterValidator(known_dataset)] | None = None
    train_limit: int | None = Field(default=None, ge=1)
    test_limit: int | None = Field(default=None, ge=1)
    shift: int = Field(default=2, ge=0)
    flip: bool = False


def _loss(value: object) -> LossParameters:
    """A loss as written: its name alone, or a mapping with its name and its parameters."""
    if isinstance(value, LossParameters):
        return value
    content = {"name": value} if isinstance(value, str) else value
    if not isinstance(content, dict) or "name" not in content:
        raise ValueError(f"a loss is its name, or a mapping with its name ({LOSSES.known()})")
    name = LOSSES.require(content["name"])
    return LOSSES[name].parameters_type.model_validate(content)


if TYPE_CHECKING:
    LossRecipe = LossParameters
else:
    # The parameters of any registered loss.
    LossRecipe = Annotated[
        functools.reduce(operator.or_, (loss.parameters_type for loss in LOSSES.values())),
        Field(discriminator="name"),
        BeforeValidator(_loss),
    ]


class PhaseRecipe(_Strict):
    """One phase of training: its own cosine learning rate schedule, its own loss.

    Attributes:
        name: shown in the progress and the metrics.
        epochs: passes over the training data.
        lr: learning rate at the start; falls to 0 along a cosine.
        warmup: epochs over which the learning rate first rises linearly.
        gates: their mode, a key of :data:`acsgen.train.gate_modes.GATE_MODES`: ``open`` forces
            every mask to 1 in the forward pass while gradients still reach the gates (the paper's
            first step, zero skipping); ``learned`` applies the masks; ``sampled`` draws them and
            ``explored`` inverts one decision in ten, for reinforcement learning; ``hashed`` gives
            half of the images a value between 0 and 1, as GaterNet does.
        noise: standard deviation of the Gaussian noise on gate logits.
        trains: ``all`` of the network, its ``gates`` alone or its ``backbone`` alone; the rest
            keeps its weights and its BatchNorm statistics.
        drops: shares of the phase at which the learning rate is divided by 10, in place of the
            cosine: SkipNet has [0.5, 0.75].
        loss: a key of :data:`acsgen.train.losses.LOSSES` as ``name``, and the parameters of that
            loss beside it; the name alone where they have defaults. Recipes from before losses had
            names give the parameters of ``acs`` as ``cost``.
    """

    name: str
    epochs: int = Field(ge=0)
    lr: float = Field(default=0.1, gt=0.0)
    warmup: float = Field(default=0.0, ge=0.0)
    gates: Annotated[str, AfterValidator(GATE_MODES.require)] = "open"
    noise: float = Field(default=0.0, ge=0.0)
    trains: Literal["all", "gates", "backbone"] = "all"
    drops: tuple[Annotated[float, Field(gt=0.0, lt=1.0)], ...] = ()
    loss: LossRecipe = Field(default=CrossEntropyParameters())

    @model_validator(mode="before")
    @classmethod
    def _cost_is_the_loss_acs(cls, content: object) -> object:
        if not isinstance(content, dict) or "cost" not in content:
            return content
        rest = {key: value for key, value in content.items() if key != "cost"}
        cost = content["cost"]
        if cost is None:
            return rest
        if not isinstance(cost, dict) or "loss" in rest:
            raise ValueError("cost is an older way to give a loss; write loss: {name: acs, ...}")
        return {**rest, "loss": {"name": "acs", **cost}}

    @model_validator(mode="after")
    def _loss_fits_the_gates(self) -> PhaseRecipe:
        loss = LOSSES[self.loss.name]
        skipping = [name for name, mode in GATE_MODES.items() if mode.skips]
        if loss.needs_skipping and self.gates not in skipping:
            wanted = loss.gate_modes or skipping
            raise ValueError(
                f"loss {self.loss.name} needs gates: {' or '.join(wanted)} "
                f"(with {self.gates} gates nothing is skipped)"
            )
        if loss.gate_modes and self.gates not in loss.gate_modes:
            modes = " or ".join(loss.gate_modes)
            raise ValueError(f"loss {self.loss.name} needs gates: {modes}, not {self.gates}")
        return self


class Recipe(_Strict):
    """Everything that determines a training run.

    Attributes:
        name: stem of the files written.
        arch: a key of :data:`acsgen.nn.networks.ARCHITECTURES`.
        model: the architecture's configuration. Fields that depend on the data (image size and
            channels, classes, ``mean`` and ``std``) are taken from it where they are left out.
        data: see :class:`DataRecipe`.
        phases: run in order.
        start: a model file of any architecture. Weights of the same name and shape are taken from
            it before the first phase: a pretrained static twin, for example.
        max_first_component: share of the masks' variance in their first principal component above
            which ``acsgen train`` ends with status 1, its files written: masks that are one switch
            (:mod:`acsgen.train.one_switch`). None warns above 0.7, of 16 gate bits or more.
        seed: of initialisation, shuffling, augmentation and gate noise.
        batch: images per step.
        momentum: of SGD.
        nesterov: Nesterov momentum.
        weight_decay: on convolution and linear weights; not on BatchNorm, biases and DGConv gates.
        precision: ``bfloat16`` runs the training passes under autocast (validation stays float32);
            on processors with matrix units it halves the time.
        file_precision: ``float16`` rounds the weights of convolutions and linear layers at the end,
            before the network is measured, and stores them so: half the size of the model file.
        cuda_graph: on CUDA, replay each step as one captured graph (these networks are
            launch-bound).
    """

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    arch: Annotated[str, AfterValidator(ARCHITECTURES.require)] = "resnet"
    model: dict[str, Any] = Field(default_factory=dict)
    data: DataRecipe
    phases: tuple[PhaseRecipe, ...] = Field(min_length=1)
    start: str | None = None
    max_first_component: float | None = Field(default=None, gt=0.0, le=1.0)
    seed: int = Field(default=0, ge=0)
    batch: int = Field(default=128, ge=2)
    momentum: float = Field(default=0.9, ge=0.0, lt=1.0)
    nesterov: bool = True
    weight_decay: float = Field(default=1e-4, ge=0.0)
    precision: Literal["float32", "bfloat16"] = "float32"
    file_precision: Literal["float32", "float16"] = "float32"
    cuda_graph: bool = True

    @field_validator("model")
    @classmethod
    def _fields_are_the_architectures(
        cls, model: dict[str, Any], info: ValidationInfo
    ) -> dict[str, Any]:
        """Refuse unknown and bad fields; whether they fit each other is known with the data."""
        if "arch" not in info.data:
            return model
        try:
            ARCHITECTURES[info.data["arch"]].config.model_validate(model)
        except ValidationError as error:
            wrong = [
                InitErrorDetails(
                    type=item["type"],
                    loc=item["loc"],
                    input=item["input"],
                    ctx=item.get("ctx", {}),
                )
                for item in error.errors()
                if item["loc"] and item["type"] != "missing"
            ]
            if wrong:
                raise ValidationError.from_exception_data("model", wrong) from None
        return model

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
    too_long = Problem(where, "is longer than any recipe", "start from one in models/recipes")
    try:
        text = read_limited(Path(path), MAX_BYTES, too_long).decode()
    except UnicodeDecodeError:
        remedy = "save it as UTF-8; some editors write other encodings"
        raise UserError(Problem(where, "is not UTF-8 text: not a recipe", remedy)) from None
    try:
        content = load_yaml(text)
    except RecursionError:
        raise UserError(Problem(where, "is nested too deeply: not a recipe")) from None
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date such as 2023-99-99
        place, reason = yaml_reason(error)
        where = f"{where}, {place}" if place else where
        raise UserError(Problem(where, f"is not YAML: {reason}")) from None
    if not isinstance(content, dict):
        remedy = "start from a copy of a recipe in models/recipes"
        raise UserError(Problem(where, "does not hold the keys of a recipe", remedy))
    problems = [p for p in (_override(content, item) for item in overrides) if p is not None]
    if problems:
        raise UserError(problems)
    return _validated(content, where)


def recipe_of_file(path: Path, meta: Mapping[str, Any]) -> Recipe:
    """Return the recipe that a model file was trained by.

    Args:
        path: the file, for messages.
        meta: what the file says of itself.

    Raises:
        UserError: it says nothing of a recipe, or what it says is none of this version's.
    """
    content = meta.get("recipe")
    if not isinstance(content, dict):
        remedy = "name a file that acsgen train wrote"
        raise UserError(Problem(str(path), "does not hold the recipe of its training", remedy))
    return _validated(content, f"{path}, recipe")


def _validated(content: dict[str, Any], where: str) -> Recipe:
    """Return the recipe of a mapping.

    Raises:
        UserError: unknown keys or bad values; all are listed, and placed at ``where``.
    """
    try:
        return Recipe.model_validate(content)
    except ValidationError as error:
        arch = content.get("arch", Recipe.model_fields["arch"].default)
        known = isinstance(arch, str) and arch in ARCHITECTURES
        inner = {"model": ARCHITECTURES[arch].config} if known else {}
        problems = field_problems(error, where, Recipe, "recipe", _PATTERNS, inner)
        raise UserError(problems) from None


def _override(content: dict[str, Any], item: str) -> Problem | None:
    """Apply one ``key=value`` in place; return the problem that it has, or None."""
    key, equals, text = item.partition("=")
    where = f"--set {item}"
    if not equals or not key:
        return Problem(where, "not of the form key=value")
    try:
        value = load_yaml(text)
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
