"""The cost of quantization and the savings of skipping: a network in floats and in integers.

:func:`evaluate` is ``acsgen eval``; :func:`measure` is its core, for networks already in memory.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from acsgen.cost.macs import count_macs
from acsgen.data.dataset import Images
from acsgen.data.load import load_images
from acsgen.data.remedies import require_images
from acsgen.flow.agreement import WARN_BELOW, complaint
from acsgen.flow.difficulty import DifficultyFigures, difficulty_figures
from acsgen.flow.doubts import warn_of_doubts
from acsgen.flow.exits import ExitEval, answers_of, exit_figures, with_entropy
from acsgen.flow.thresholds import (
    ThresholdRange,
    measure_thresholds,
    require_gates,
    with_alpha,
)
from acsgen.frontend import front_end, run_layers
from acsgen.ir.integer import IntGraph
from acsgen.ir.layers import LayerGraph
from acsgen.ir.mask_statistics import MaskStatistics, mask_statistics
from acsgen.ir.ranges import WEIGHT_BITS
from acsgen.quant.golden import GoldenModel
from acsgen.quant.noise import NOISE_IMAGES, layer_noise
from acsgen.quant.quantize import quantize
from acsgen.support.errors import Problem, UserError
from acsgen.support.progress import OnStage, ignore_stages

#: Images of the training split that ranges are measured on: enough for them to settle.
CALIBRATION_IMAGES = 256

_BATCH = 32


@dataclass(frozen=True)
class OutputEval:
    """One output of both networks over the same images.  Shares are in [0, 1].

    Attributes:
        float_accuracy: of the network in floats; NaN without labels.
        int8_accuracy: of the integer network; NaN without labels.
        prediction_agreement: share of images with the same prediction.
    """

    float_accuracy: float
    int8_accuracy: float
    prediction_agreement: float

    @classmethod
    def of(
        cls,
        floating: NDArray[np.int64],
        integer: NDArray[np.int64],
        labels: NDArray[np.int64] | None,
    ) -> OutputEval:
        """Compare the predictions ``[N]`` of both networks, and with the labels ``[N]``."""
        return cls(
            _accuracy(floating, labels),
            _accuracy(integer, labels),
            float(np.mean(floating == integer)),
        )


@dataclass(frozen=True)
class EvalResult:
    """Float network and integer network over the same images.  Shares are in [0, 1].

    Attributes:
        images: how many.
        float_accuracy: of the network in floats; NaN without labels.
        int8_accuracy: of the integer network; NaN without labels.
        prediction_agreement: share of images with the same prediction.
        outputs: the same figures of each output, by name; those above are of the answer: of the
            last output, or of the one at which an exit ended the run.
        exits: which outputs answered; empty for a network without exits.
        exit_agreement: share of images that both networks answer at the same exit; None without.
        gate_agreement: share of equal gate bits, over all gates and images; None without gates.
        agreement_by_gate: the same for each gate, by name.
        macs_dense: per image, nothing skipped and no gating work (:mod:`acsgen.cost.macs`).
        macs_mean: executed by the integer network, mean over images, gating work included.
        macs_std: their standard deviation over images.
        macs_gates: gating work alone, mean over images.
        masks: statistics of the integer network's masks; None without gates.
        difficulty: whether its MACs follow difficulty; None without gates and exits.
        thresholds: the integer network at other thresholds, where they were tried.
        twin_accuracy: of the static twin in floats, where one was given.
        macs: int64 ``[N]``, executed for each image.
        wrong: bool ``[N]``, the images that the integer network gets wrong; None without labels.
        bits: the integer network's masks, uint8 ``[N, C]`` by gate name.
    """

    images: int
    float_accuracy: float
    int8_accuracy: float
    prediction_agreement: float
    outputs: dict[str, OutputEval]
    gate_agreement: float | None
    agreement_by_gate: dict[str, float]
    macs_dense: int
    macs_mean: float
    macs_std: float
    macs_gates: float
    masks: MaskStatistics | None
    difficulty: DifficultyFigures | None
    macs: NDArray[np.int64] = field(repr=False, compare=False)
    wrong: NDArray[np.bool_] | None = field(repr=False, compare=False)
    bits: dict[str, NDArray[np.uint8]] = field(repr=False, compare=False)
    exits: tuple[ExitEval, ...] = ()
    exit_agreement: float | None = None
    thresholds: ThresholdRange | None = None
    twin_accuracy: float | None = None

    @property
    def skipped_share(self) -> float:
        """Share of the dense MACs that is saved, gating work counted against it."""
        return 1.0 - self.macs_mean / self.macs_dense


def evaluate(
    model: str | Path,
    dataset: str,
    limit: int | None = None,
    *,
    alpha: float | None = None,
    exit_entropy: float | None = None,
    thresholds: bool = False,
    twin: str | Path | None = None,
    weight_bits: int = WEIGHT_BITS,
    finer_averages: bool = True,
    data_root: str | Path | None = None,
    calibration_images: int = CALIBRATION_IMAGES,
    on_stage: OnStage = ignore_stages,
) -> EvalResult:
    """Quantize a model file on a data set's training images and measure it on its test images.

    Args:
        model: checkpoint or export program.
        dataset: as :func:`acsgen.data.load_images` names it; without labels, accuracies are NaN.
        limit: use only the first so many test images.
        alpha: threshold of all gates of the integer network, and of the float one; None as trained.
        exit_entropy: threshold of all exits of both networks, in nats; None as trained.
        thresholds: try other thresholds of all gates, too, and find the range of use.
        twin: model file of the network's static twin, for its accuracy and its errors.
        weight_bits: width of the integer network's weights.
        finer_averages: as :func:`acsgen.quant.quantize.quantize_and_judge` takes it.
        data_root: folder of data sets that are files.
        calibration_images: how many training images to measure ranges on.
        on_stage: told of the progress.

    Raises:
        UserError: a model or data set that cannot be used, or that do not fit each other.
    """
    on_stage("read the model")
    layers, _ = front_end(model)
    if thresholds:
        _require_own_thresholds(layers, alpha)
    else:
        require_gates(layers, alpha)
    twin_layers = None if twin is None else front_end(twin)[0]
    on_stage("read the data set")
    calibration = load_images(dataset, "train", data_root, calibration_images)
    test = load_images(dataset, "test", data_root, limit)
    if test.labels is None:
        _refuse_without_labels(test.name, {"--thresholds": thresholds, "--twin": twin is not None})
    require_images(test, layers.input.shape)
    if twin_layers is not None:
        require_images(test, twin_layers.input.shape)
    warn_of_doubts(layers, test.name, calibration.images, test.images, test.labels)
    on_stage("quantize")
    integers = quantize(
        layers, calibration.images, weight_bits=weight_bits, finer_averages=finer_averages
    )
    if alpha is not None:
        layers, integers = with_alpha(layers, alpha), with_alpha(integers, alpha)
    if exit_entropy is not None:
        layers, integers = with_entropy(layers, exit_entropy), with_entropy(integers, exit_entropy)
    result = measure(layers, integers, test.images, test.labels, test.difficulty, on_stage=on_stage)
    _warn_of_disagreement(layers, integers, result, test.images)
    if test.labels is None:
        return result
    if twin_layers is not None:
        on_stage("run the static twin")
        result = _beside_twin(result, twin_layers, test)
    if thresholds:
        found = measure_thresholds(
            integers, test.images, test.labels, result.int8_accuracy, on_stage=on_stage
        )
        result = replace(result, thresholds=found)
    return result


def _warn_of_disagreement(
    layers: LayerGraph, integers: IntGraph, result: EvalResult, images: NDArray[np.uint8]
) -> None:
    """Warn as a build does where the two networks often predict otherwise."""
    agreement = {name: out.prediction_agreement for name, out in result.outputs.items()}
    if min(agreement.values()) < WARN_BELOW:
        noise = layer_noise(layers, integers, images[:NOISE_IMAGES])
        doubt = complaint(agreement, result.images, noise, WARN_BELOW)
        if doubt is not None:
            warnings.warn(doubt, stacklevel=3)


def _require_own_thresholds(layers: LayerGraph, alpha: float | None) -> None:
    """Refuse to look for the range of thresholds where there is none to be found."""
    problems = []
    if not layers.gates:
        problems.append(Problem("--thresholds", f"{layers.name} has no gates", "leave it out"))
    if alpha is not None:
        what = "tries thresholds around those that the gates were trained with, and --alpha is one"
        problems.append(Problem("--thresholds", what, "give one of the two"))
    if problems:
        raise UserError(problems)


def _refuse_without_labels(name: str, asked: Mapping[str, bool]) -> None:
    """Refuse the options, of those that were asked for, that compare with labels."""
    what, remedy = f"compares with labels, and {name} has none", "add labels, or leave it out"
    problems = [Problem(option, what, remedy) for option, given in asked.items() if given]
    if problems:
        raise UserError(problems)


def _beside_twin(result: EvalResult, twin: LayerGraph, test: Images) -> EvalResult:
    """Add what the static twin, in floats, has to do with the network's MACs."""
    predictions = [
        run_layers(twin, torch.from_numpy(np.array(test.images[start : start + _BATCH])))[
            twin.outputs[-1]
        ]
        .numpy()
        .argmax(axis=1)
        for start in range(0, len(test), _BATCH)
    ]
    wrong = np.concatenate(predictions) != test.labels
    figures = result.difficulty
    if figures is not None:
        figures = difficulty_figures(result.macs, result.wrong, test.difficulty, wrong)
    return replace(result, difficulty=figures, twin_accuracy=float(1.0 - wrong.mean()))


def measure(
    layers: LayerGraph,
    integers: IntGraph,
    images: NDArray[np.uint8],
    labels: NDArray[np.int64] | None = None,
    difficulty: NDArray[np.floating] | None = None,
    *,
    on_stage: OnStage = ignore_stages,
) -> EvalResult:
    """Run both networks on the same images and compare them.

    Args:
        layers: the network in floats.
        integers: its integer form.
        images: uint8 ``[N, C, H, W]``.
        labels: classes ``[N]``, if known.
        difficulty: of each image ``[N]``, larger for harder ones, if known.
        on_stage: told of the progress.

    Raises:
        UserError: images of another shape or type than the network takes, or none.
    """
    golden = GoldenModel(integers)
    gates = [gate.name for gate in integers.gates]
    float_parts: dict[str, list[NDArray[np.int64]]] = {name: [] for name in integers.outputs}
    int_parts: dict[str, list[NDArray[np.int64]]] = {name: [] for name in integers.outputs}
    masks: dict[str, list[NDArray[np.uint8]]] = {name: [] for name in gates}
    equal: dict[str, list[NDArray[np.bool_]]] = {name: [] for name in gates}
    ran: dict[str, list[NDArray[np.bool_]]] = {}
    float_answers: list[NDArray[np.int64]] = []
    int_answers: list[NDArray[np.int64]] = []
    for start in range(0, max(len(images), 1), _BATCH):
        on_stage("compare float and integer network", start, len(images))
        part = np.array(images[start : start + _BATCH])
        integer = golden.run(part, keep="outputs")
        floating = run_layers(layers, torch.from_numpy(part))
        for name in integers.outputs:
            float_parts[name].append(floating[name].numpy().argmax(axis=1))
            int_parts[name].append(integer.outputs[name].argmax(axis=1))
        float_answers.append(answers_of(layers, {k: v.numpy() for k, v in floating.items()}))
        names = list(integers.outputs)
        int_answers.append(np.array([names.index(name) for name in integer.answers], np.int64))
        for name, went in integer.ran.items():
            ran.setdefault(name, []).append(went)
        for name in gates:
            masks[name].append(integer.masks[name])
            equal[name].append(integer.masks[name] == floating[name].numpy())
    outputs = {
        name: OutputEval.of(
            np.concatenate(float_parts[name]), np.concatenate(int_parts[name]), labels
        )
        for name in integers.outputs
    }
    floats, ints = np.concatenate(float_answers), np.concatenate(int_answers)
    float_predicted = _chosen(float_parts, floats)
    predicted = _chosen(int_parts, ints)
    answer = OutputEval.of(float_predicted, predicted, labels)
    exits = exit_figures(layers, floats, ints)
    bits = {name: np.concatenate(parts) for name, parts in masks.items()}
    same = {name: np.concatenate(parts) for name, parts in equal.items()}
    executed = {name: np.concatenate(parts) for name, parts in ran.items()}
    macs = count_macs(integers, bits, len(images), executed)
    wrong = None if labels is None else predicted != labels
    return EvalResult(
        images=len(images),
        float_accuracy=answer.float_accuracy,
        int8_accuracy=answer.int8_accuracy,
        prediction_agreement=answer.prediction_agreement,
        outputs=outputs,
        gate_agreement=float(np.mean(np.concatenate([*same.values()], axis=1))) if same else None,
        agreement_by_gate={name: float(parts.mean()) for name, parts in same.items()},
        macs_dense=macs.dense,
        macs_mean=float(macs.executed.mean()),
        macs_std=float(macs.executed.std()),
        macs_gates=float(macs.gates.mean()),
        masks=_statistics(bits),
        difficulty=difficulty_figures(macs.executed, wrong, difficulty) if bits or exits else None,
        exits=exits,
        exit_agreement=float(np.mean(floats == ints)) if exits else None,
        macs=macs.executed,
        wrong=wrong,
        bits=bits,
    )


def _chosen(
    parts: dict[str, list[NDArray[np.int64]]], answers: NDArray[np.int64]
) -> NDArray[np.int64]:
    """The prediction of every image at its answer, ``[N]``."""
    by_output = np.stack([np.concatenate(found) for found in parts.values()])
    return np.asarray(by_output[answers, np.arange(len(answers))], np.int64)


def _accuracy(predictions: NDArray[np.int64], labels: NDArray[np.int64] | None) -> float:
    return float("nan") if labels is None else float(np.mean(predictions == labels))


def _statistics(bits: dict[str, NDArray[np.uint8]]) -> MaskStatistics | None:
    if not bits:
        return None
    return mask_statistics(np.concatenate([*bits.values()], axis=1))
