"""The steps from a model file to a program; nothing is written yet."""

from __future__ import annotations

import warnings

from acsgen.compiler import check_fit, compile_graph
from acsgen.flow.agreement import WARN_BELOW, complaint
from acsgen.flow.build.images import choose_images
from acsgen.flow.build.work import Work
from acsgen.flow.doubts import warn_of_doubts
from acsgen.flow.evaluate import measure
from acsgen.flow.thresholds import require_gates, with_alpha
from acsgen.frontend import front_end
from acsgen.ir.ungate import without_gates
from acsgen.quant.noise import NOISE_IMAGES, layer_noise
from acsgen.quant.outline import outline
from acsgen.quant.quantize import quantize_and_judge
from acsgen.support.errors import CheckFailed
from acsgen.support.progress import OnStage


def read_network(work: Work, on_stage: OnStage) -> None:
    """Read the model file, and choose images that suit the network.

    Raises:
        UserError: a network that cannot be read, lowered or held by the board's engine, or
            that has no gates to set a threshold of.
    """
    request = work.plan.request
    work.layers, source = front_end(request.model)
    require_gates(work.layers, request.alpha)
    # Shapes tell whether the board can hold the network, long before quantization is done.
    check_fit(outline(work.layers), work.plan.engine)
    work.rewrites = source.rewrites
    work.images = choose_images(
        source, request.dataset, request.data_root, request.images, request.seed
    )
    images = work.images
    warn_of_doubts(work.layers, images.source, images.calibration, images.test, images.labels)
    work.log.layers(work.layers, work.rewrites)


def quantize_network(work: Work, on_stage: OnStage) -> None:
    """Make the integer network."""
    work.integers, work.refinement = quantize_and_judge(
        work.layers,
        work.images.calibration,
        weight_bits=work.plan.request.weight_bits,
        finer_averages=work.plan.request.finer_averages,
    )


def compile_network(work: Work, on_stage: OnStage) -> None:
    """Compile the integer network, with the thresholds that are asked for, and without gates."""
    alpha = work.plan.request.alpha
    if alpha is not None:
        work.layers, work.integers = (
            with_alpha(work.layers, alpha),
            with_alpha(work.integers, alpha),
        )
    work.log.integers(work.integers)
    work.program = compile_graph(work.integers, work.plan.engine)
    work.ungated = compile_graph(without_gates(work.integers), work.plan.engine)
    work.log.program(work.program)


def compare_networks(work: Work, on_stage: OnStage) -> None:
    """Run the float and the integer network over the test images.

    Raises:
        CheckFailed: they predict the same on fewer images than the request wants.

    Warns:
        UserWarning: they predict the same on few images.
    """
    images = work.images
    work.measured = measure(
        work.layers, work.integers, images.test, images.labels, on_stage=on_stage
    )
    work.noise = layer_noise(work.layers, work.integers, images.test[:NOISE_IMAGES])
    agreement = {name: out.prediction_agreement for name, out in work.measured.outputs.items()}
    required = work.plan.request.require_agreement
    if required is not None:
        failure = complaint(agreement, work.measured.images, work.noise, required)
        if failure is not None:
            raise CheckFailed(failure)
    doubt = complaint(agreement, work.measured.images, work.noise, WARN_BELOW)
    if doubt is not None:
        warnings.warn(doubt, stacklevel=2)
