"""The training loop: phases of SGD, resumable, writing metrics and a model file."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from acsgen_host.jsontext import without_noise
from torch import Tensor, nn

from acsgen.data import Dataset, load_dataset
from acsgen.nn.checkpoint import build_model, round_weights, save_checkpoint
from acsgen.nn.gates.dgconv import DGConv2d
from acsgen.nn.mac_counter import MacCounter
from acsgen.nn.torch_files import save_plain
from acsgen.support.errors import Problem, UserError
from acsgen.support.fsutil import check_folder
from acsgen.support.pickles import check_pickles
from acsgen.train.batches import Batches
from acsgen.train.batchnorm import settle_batch_norm
from acsgen.train.gate_modes import GATE_MODES, gates_in_mode
from acsgen.train.losses import LOSSES, Forward
from acsgen.train.memory import memory_format
from acsgen.train.recipe import PhaseRecipe, Recipe
from acsgen.train.start import start_from
from acsgen.train.stepper import Stepper
from acsgen.train.trained_part import training_only
from acsgen.train.validate import Validation, validate

#: Called after each epoch with the line of metrics that was written.
Report = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class TrainingResult:
    """The results of a finished run."""

    checkpoint: Path
    metrics: Path
    validation: Validation


def train(
    recipe: Recipe,
    device: str = "cpu",
    out: str | Path = ".",
    resume: bool = False,
    command: str = "",
    report: Report | None = None,
) -> TrainingResult:
    """Train ``recipe`` and write ``<name>.pt`` and ``<name>.metrics.jsonl`` into ``out``.

    After every epoch ``<name>.state.pt`` holds the state from which ``resume`` continues, bit for
    bit as if the run had not been interrupted; it is removed at the end.

    Args:
        recipe: the training recipe.
        device: ``cpu``, ``cuda`` or ``cuda:N``.
        out: folder, made if absent.
        resume: continue from the state file of an interrupted run of the same recipe.
        command: the command line, recorded in the model file.
        report: called after every epoch.

    Raises:
        UserError: bad model configuration, folder, data set, device or state file; or the loss
            diverged.
    """
    # Checked first: the data set takes its time.
    place, folder = _device(device), Path(out)
    check_folder(folder)
    if resume and not _state_path(folder, recipe).is_file():
        raise UserError(_nothing_to_resume(folder, recipe))
    run = _Run(recipe, place, folder, command)
    if resume:
        run.load_state()
    elif run.metrics_path.exists():
        run.metrics_path.unlink()
    for index, phase in enumerate(recipe.phases):
        run.run_phase(index, phase, report)
    return run.finish()


def _state_path(out: Path, recipe: Recipe) -> Path:
    return out / f"{recipe.name}.state.pt"


def _checkpoint_path(out: Path, recipe: Recipe) -> Path:
    return out / f"{recipe.name}.pt"


def _device(name: str) -> torch.device:
    try:
        device = torch.device(name)
    except RuntimeError:
        raise UserError([Problem(f"device {name}", "unknown", "use cpu or cuda")]) from None
    if device.type == "cuda" and not torch.cuda.is_available():
        raise UserError([Problem(f"device {name}", "no CUDA device is available", "use cpu")])
    if device.type not in ("cpu", "cuda"):
        raise UserError([Problem(f"device {name}", "not supported", "use cpu or cuda")])
    if device.type == "cuda":
        if device.index is not None:
            torch.cuda.set_device(device)
        torch.backends.cuda.matmul.allow_tf32 = True
        torch.backends.cudnn.allow_tf32 = True
        torch.backends.cudnn.benchmark = True
    return device


class _Run:
    """State of one training run."""

    def __init__(self, recipe: Recipe, device: torch.device, out: Path, command: str) -> None:
        data = recipe.data
        self.recipe = recipe
        self.device = device
        self.command = command
        train_set = load_dataset(data.name, "train", data.root, data.train_limit)
        self.test_set = load_dataset(
            data.test_name or data.name, "test", data.root, data.test_limit
        )
        problems = _data_problems(recipe, train_set, self.test_set)
        if problems:
            raise UserError(problems)
        torch.manual_seed(recipe.seed)
        model, self.config = build_model(
            recipe.arch, _model_config(recipe, train_set), f"recipe {recipe.name}"
        )
        start_from(model, recipe)
        self.model = model.to(device)
        self._arrange(memory_format(device))
        self.counter = MacCounter(self.model)
        self.optimizer = self._make_optimizer()
        self.batches = Batches(
            *_on_device(train_set, device), recipe.batch, data.shift, data.flip, recipe.seed
        )
        self.test_images, self.test_labels = _on_device(self.test_set, device)
        self.epoch = 0
        # Every line of the metrics has the terms of all losses; 0 stands for one that its phase's
        # loss does not have.
        losses = [LOSSES[phase.loss.name] for phase in recipe.phases]
        self.statistics = [name for loss in losses for name in loss.statistics()]
        out.mkdir(parents=True, exist_ok=True)
        self.checkpoint_path = _checkpoint_path(out, recipe)
        self.metrics_path = out / f"{recipe.name}.metrics.jsonl"
        self.state_path = _state_path(out, recipe)

    def _arrange(self, memory_format: torch.memory_format) -> None:
        # torch's own annotations of Module.to leave this documented keyword out.
        self.model.to(memory_format=memory_format)  # type: ignore[call-overload]

    def _make_optimizer(self) -> torch.optim.Optimizer:
        """SGD; weights decay, BatchNorm, biases and DGConv gates do not."""
        gates = {id(m.gate) for m in self.model.modules() if isinstance(m, DGConv2d)}
        parameters = list(self.model.parameters())
        decayed = [p for p in parameters if p.dim() > 1 and id(p) not in gates]
        plain = [p for p in parameters if p.dim() <= 1 or id(p) in gates]
        on_cuda = self.device.type == "cuda"
        optimizer = torch.optim.SGD(
            [
                {"params": decayed, "weight_decay": self.recipe.weight_decay},
                {"params": plain, "weight_decay": 0.0},
            ],
            lr=torch.tensor(0.1, device=self.device) if on_cuda else 0.1,
            momentum=self.recipe.momentum,
            nesterov=self.recipe.nesterov and self.recipe.momentum > 0.0,
            fused=on_cuda,
        )
        if self.recipe.momentum > 0.0:
            # A phase may train a part of the network first. torch's fused step makes momentum for
            # all parameters or for none, and fails where some have it already.
            for parameter in parameters:
                optimizer.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
        return optimizer

    def _set_lr(self, value: float) -> None:
        for group in self.optimizer.param_groups:
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(value)
            else:
                group["lr"] = value

    def run_phase(self, index: int, phase: PhaseRecipe, report: Report | None) -> None:
        """Run the epochs of one phase that are still to do."""
        first = sum(p.epochs for p in self.recipe.phases[:index])
        if self.epoch >= first + phase.epochs:
            return
        autocast = self.recipe.precision == "bfloat16"
        forward = Forward(self.model, self.counter, self.device, autocast)
        loss = LOSSES[phase.loss.name](phase.loss, forward)
        graph = self.device.type == "cuda" and self.recipe.cuda_graph
        stepper = Stepper(loss, self.optimizer, self.device, graph)
        for epoch in range(self.epoch, first + phase.epochs):
            started = time.perf_counter()
            torch.manual_seed(self.recipe.seed * 1_000_003 + epoch)
            self.model.train()
            with self._gates_of(phase), training_only(self.model, self.counter, phase.trains):
                for number, (images, labels) in enumerate(self.batches.epoch(epoch)):
                    done = epoch - first + number / len(self.batches)
                    lr = _learning_rate(phase, done)
                    self._set_lr(lr)
                    loss.set_progress(done / phase.epochs)
                    stepper.step(images, labels)
            statistics = stepper.take_statistics()
            if not math.isfinite(statistics["loss"]):
                where = f"recipe {self.recipe.name}, phase {phase.name}, epoch {epoch + 1}"
                what = f"the loss became {statistics['loss']}"
                raise UserError([Problem(where, what, "lower the phase's lr")])
            self.epoch = epoch + 1
            line = without_noise(self._measure(phase, statistics, lr, started))
            with self.metrics_path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
            self.save_state()
            if report is not None:
                report(line)

    def _gates_of(self, phase: PhaseRecipe) -> AbstractContextManager[None]:
        return gates_in_mode(self.model, GATE_MODES[phase.gates], phase.noise)

    def _measure(
        self, phase: PhaseRecipe, statistics: dict[str, float], lr: float, started: float
    ) -> dict[str, Any]:
        """Validate with the masks applied as this phase trains them; one line of metrics."""
        with self._gates_of(phase):
            result = validate(
                self.model,
                self.counter,
                self.test_images,
                self.test_labels,
                self.test_set.difficulty,
            )
        line: dict[str, Any] = {"epoch": self.epoch, "phase": phase.name, "lr": round(lr, 6)}
        line |= dict.fromkeys(self.statistics, 0.0)
        line |= {key: round(value, 5) for key, value in statistics.items()}
        line |= {"test_acc": result.accuracy, "test_macs_ratio": round(result.macs_ratio, 5)}
        if result.masks is not None:
            line["input_dependent"] = round(result.masks.input_dependent, 4)
            line["mean_entropy"] = round(result.masks.mean_entropy, 4)
        line["seconds"] = round(time.perf_counter() - started, 2)
        return line

    def finish(self) -> TrainingResult:
        """Settle, validate as deployed, write the model file and remove the state file."""
        half = self.recipe.file_precision == "float16"
        if half:
            round_weights(self.model)
        settle_batch_norm(self.model, self.batches.epoch(self.epoch))
        result = validate(
            self.model, self.counter, self.test_images, self.test_labels, self.test_set.difficulty
        )
        meta = {
            "recipe": self.recipe.model_dump(mode="json"),
            "command": self.command,
            "dataset": self.recipe.data.name,
            "seed": self.recipe.seed,
            "device": self.device.type,
            "torch": str(torch.__version__),
            "epochs": self.epoch,
            "metrics": result.as_dict(),
        }
        self._arrange(torch.contiguous_format)
        save_checkpoint(self.checkpoint_path, self.model, self.recipe.arch, self.config, meta, half)
        self.state_path.unlink(missing_ok=True)
        return TrainingResult(self.checkpoint_path, self.metrics_path, result)

    def save_state(self) -> None:
        """Write the state file (atomically)."""
        content = {
            "recipe": self.recipe.model_dump_json(),
            "epoch": self.epoch,
            "model": self.model.state_dict(),
            "momentum": [
                self.optimizer.state[p].get("momentum_buffer") for p in self._parameters()
            ],
        }
        save_plain(self.state_path, content)

    def load_state(self) -> None:
        """Continue from the state file.

        Raises:
            UserError: no state file, a damaged one, or one of another recipe.
        """
        where = str(self.state_path)
        damaged = Problem(where, "not a readable state file", "delete it and start again")
        try:
            check_pickles(self.state_path)
            content = torch.load(self.state_path, map_location=self.device, weights_only=True)
            same = content["recipe"] == self.recipe.model_dump_json()
            epoch, state, momentum = content["epoch"], content["model"], content["momentum"]
        except Exception:  # on a damaged file torch's parsers raise exceptions of any type
            raise UserError([damaged]) from None
        if not same:
            what = "belongs to another recipe, or to other overrides"
            raise UserError([Problem(where, what, "resume with the same recipe and overrides")])
        try:
            self.model.load_state_dict(state)
            for parameter, buffer in zip(self._parameters(), momentum, strict=True):
                self.optimizer.state[parameter]["momentum_buffer"] = buffer
        except (RuntimeError, TypeError, ValueError):
            raise UserError([damaged]) from None
        self.epoch = epoch
        self._drop_metrics_after(epoch)

    def _parameters(self) -> list[nn.Parameter]:
        return [p for group in self.optimizer.param_groups for p in group["params"]]

    def _drop_metrics_after(self, epoch: int) -> None:
        """Drop metrics that the interrupted run wrote for epochs that are now repeated."""
        if self.metrics_path.exists():
            lines = self.metrics_path.read_text(encoding="utf-8").splitlines(keepends=True)
            self.metrics_path.write_text("".join(lines[:epoch]), encoding="utf-8")


def _nothing_to_resume(folder: Path, recipe: Recipe) -> Problem:
    """The reason why there is no state to go on from: the run ended, or it was never begun."""
    what, remedy = "nothing to resume", "run without --resume"
    finished = _checkpoint_path(folder, recipe)
    if finished.is_file():
        what = f"nothing to resume: a run has ended, and {finished} is its model"
        remedy = "take it, or run without --resume to train it anew"
    return Problem(str(_state_path(folder, recipe)), what, remedy)


def _learning_rate(phase: PhaseRecipe, epochs_done: float) -> float:
    """Linear warm-up, then a cosine down to 0 (ACS paper, section 4.1.5) or the phase's drops."""
    if epochs_done < phase.warmup:
        return phase.lr * (epochs_done + 0.01) / phase.warmup
    if phase.drops:
        passed = sum(epochs_done >= share * phase.epochs for share in phase.drops)
        return phase.lr * 0.1**passed
    rest = (epochs_done - phase.warmup) / max(phase.epochs - phase.warmup, 1e-9)
    return phase.lr * 0.5 * (1.0 + math.cos(math.pi * rest))


def _data_problems(recipe: Recipe, train_set: Dataset, test_set: Dataset) -> list[Problem]:
    """The reasons why the recipe's network cannot be trained on this data."""
    where = f"recipe {recipe.name}"
    problems = []
    if len(train_set) < recipe.batch:
        what = f"{len(train_set)} training images do not fill one batch of {recipe.batch}"
        problems.append(Problem(where, what, "lower 'batch' or raise data.train_limit"))
    channels, height, width = train_set.images.shape[1:]
    if test_set.images.shape[1:] != train_set.images.shape[1:]:
        what = (
            f"training images are {list(train_set.images.shape[1:])}, "
            f"test images {list(test_set.images.shape[1:])}"
        )
        problems.append(Problem(where, what, "use images of one shape"))
    if height != width:
        what = f"the training images are {height}x{width}"
        problems.append(Problem(where, what, "crop or pad them to squares"))
    for key, found in (("in_channels", channels), ("image_size", height)):
        if recipe.model.get(key, found) != found:
            what = f"model.{key} is {recipe.model[key]}, but the training images have {found}"
            problems.append(Problem(where, what, "leave it out: it is taken from the data"))
    classes = max(train_set.num_classes, test_set.num_classes)
    given = recipe.model.get("num_classes", train_set.num_classes)
    if isinstance(given, int) and given < classes:
        what = f"{given} outputs, but the data has {classes} classes"
        problems.append(Problem(where, what, f"set model.num_classes to {classes}"))
    return problems


def _model_config(recipe: Recipe, data: Dataset) -> dict[str, Any]:
    """The recipe's model configuration, completed from the training data."""
    mean, std = _pixel_statistics(data)
    return {
        "num_classes": data.num_classes,
        "in_channels": data.images.shape[1],
        "image_size": data.images.shape[2],
        "mean": mean,
        "std": std,
        **recipe.model,
    }


def _pixel_statistics(data: Dataset) -> tuple[list[float], list[float]]:
    """Mean and standard deviation of each channel, of pixels in [0, 1], from their histogram."""
    levels = np.arange(256) / 255.0
    means, deviations = [], []
    for channel in range(data.images.shape[1]):
        counts = np.bincount(data.images[:, channel].reshape(-1), minlength=256)
        mean = float(counts @ levels / counts.sum())
        variance = float(counts @ (levels - mean) ** 2 / counts.sum())
        means.append(round(mean, 4))
        deviations.append(round(max(variance**0.5, 1e-4), 4))
    return means, deviations


def _on_device(data: Dataset, device: torch.device) -> tuple[Tensor, Tensor]:
    return torch.tensor(data.images, device=device), torch.tensor(data.labels, device=device)
