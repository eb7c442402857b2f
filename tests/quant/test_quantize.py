"""The quantizer: valid for every network, close to the float one for sane networks."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from acsgen.frontend import run_layers
from acsgen.ir import integer as ir
from acsgen.ir import layers as fl
from acsgen.quant.golden import GoldenModel
from acsgen.quant.quantize import QuantizationWarning, quantize
from acsgen.quant.thresholds import force_masks
from acsgen.support.errors import UserError
from tests.nets.images import slopes
from tests.nets.layer_graphs import NetBuilder, every_kind

from . import slow_integers as slow

SEEDS = st.integers(0, 2**32 - 1)


def _change(graph: fl.LayerGraph, name: str, **changes: object) -> fl.LayerGraph:
    layers = (replace(la, **changes) if la.name == name else la for la in graph)
    return replace(graph, layers=tuple(layers))


def _scaled(graph: fl.LayerGraph, rng: np.random.Generator) -> fl.LayerGraph:
    """The graph with each output channel's weights and biases blown up or down without measure."""
    layers = []
    for layer in graph:
        if hasattr(layer, "weight"):
            outs = len(layer.bias)
            factor = 10.0 ** rng.uniform(-12, 6, outs) * rng.choice([0, 1, 1, 1], outs)
            bias = layer.bias * 10.0 ** rng.uniform(-6, 6, outs)
            weight = layer.weight * factor.reshape(-1, *[1] * (layer.weight.ndim - 1))
            layer = replace(layer, weight=weight, bias=bias)
        layers.append(layer)
    return replace(graph, layers=tuple(layers))


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, wild=st.booleans(), count=st.integers(1, 5))
@example(seed=145, wild=True, count=3)  # A channel that is dead, and of no weight in a reader.
@pytest.mark.filterwarnings("ignore::acsgen.quant.quantize.QuantizationWarning")
def test_every_network_keeps_the_contract(seed: int, wild: bool, count: int) -> None:
    graph = every_kind(seed)
    if wild:
        graph = _scaled(graph, np.random.default_rng(seed))
    # A graph that leaves the ranges cannot be built.
    assert quantize(graph, slopes(seed, count)).outputs == graph.outputs


@settings(max_examples=4, deadline=None)
@given(seed=SEEDS)
def test_quantized_networks_run_as_plain_integers_do(seed: int) -> None:
    graph = quantize(every_kind(seed), slopes(seed, 8))
    model, rng = GoldenModel(graph), np.random.default_rng(seed)
    channels = {gate.name: gate.shape[0] for gate in graph.gates}
    extremes = slopes(seed + 1, 3)
    extremes[1:] = np.array([0, 255]).reshape(2, 1, 1, 1)
    settings_of_gates = [
        None,
        force_masks(graph, dict.fromkeys(channels, True)),
        force_masks(graph, dict.fromkeys(channels, False)),
        force_masks(graph, {name: rng.random(c) < 0.5 for name, c in channels.items()}),
        {name: rng.integers(-9000, 9000, c) for name, c in channels.items()},
    ]
    for thresholds in settings_of_gates:
        result = model.run(extremes, thresholds)
        for n, image in enumerate(extremes):
            for name, expected in slow.run(graph, image, thresholds).items():
                np.testing.assert_array_equal(
                    result.values[name][n], expected.astype(np.int64), name
                )


def test_sane_networks_stay_close() -> None:
    errors, agreements = [], []
    for seed in range(12):
        graph = every_kind(seed)
        integers = quantize(graph, slopes(seed, 64))
        test = slopes(seed + 1000, 64)
        floating = run_layers(graph, torch.from_numpy(test))
        result = GoldenModel(integers).run(test)
        for gate in integers.gates:
            agreements.append((result.masks[gate.name] == floating[gate.name].numpy()).mean())
        exact = floating["logits"].numpy()
        errors.append(
            np.std(result.logits * integers["logits"].format.one_scale - exact) / np.std(exact)
        )
    assert np.median(errors) < 0.08
    assert np.mean(agreements) > 0.99


def test_every_bit_of_the_weights_brings_the_network_closer() -> None:
    """Fewer bits are a smaller range of weights in every kind of layer, and a larger error."""
    errors = []
    for bits in (8, 6, 4):
        of_networks = []
        for seed in range(6):
            graph = every_kind(seed)
            integers = quantize(graph, slopes(seed, 32), weight_bits=bits)
            for layer in integers:
                if hasattr(layer, "weight"):
                    assert np.abs(layer.weight.astype(int)).max() <= 2 ** (bits - 1) - 1
            test = slopes(seed + 1000, 32)
            exact = run_layers(graph, torch.from_numpy(test))["logits"].numpy()
            found = GoldenModel(integers).run(test).logits * integers["logits"].format.one_scale
            of_networks.append(np.std(found - exact) / np.std(exact))
        errors.append(float(np.median(of_networks)))
    assert errors[0] * 1.5 < errors[1]
    assert errors[1] * 1.5 < errors[2]


@pytest.mark.parametrize("seed", range(6))
def test_every_layer_stays_close(seed: int) -> None:
    """With the float network's own masks, no result is off by more than some 2 % of its range."""
    graph, calibration = every_kind(seed), slopes(seed, 64)
    integers = quantize(graph, calibration)
    model = GoldenModel(integers)
    squares = {layer.name: 0.0 for layer in integers}
    floating = run_layers(graph, torch.from_numpy(calibration))
    for n in range(8):
        masks = {gate.name: floating[gate.name][n].numpy() > 0 for gate in integers.gates}
        result = model.run(calibration[n : n + 1], force_masks(integers, masks))
        for layer in integers.layers[1:]:
            if layer.name not in floating:  # a convolution before an average, and that average
                continue
            error = result.values[layer.name] * _units(layer) - floating[layer.name][n].numpy()
            squares[layer.name] += np.mean((error / _range(layer)) ** 2) / 8
    for layer in integers.layers[1:-1]:
        assert np.sqrt(squares[layer.name]) < 0.02, layer.name


def _units(layer: ir.IntLayer) -> np.ndarray:
    """The scale of each channel of a result, to multiply its integers with."""
    scales = layer.format.scales(layer.shape[0])
    return scales.reshape(-1, *(1 for _ in layer.shape[1:]))


def _range(layer: ir.IntLayer) -> np.ndarray:
    """The highest real value of each channel of a result."""
    levels = np.where(layer.format.signs(layer.shape[0]), 127, 255)
    return _units(layer) * levels.reshape(-1, *(1 for _ in layer.shape[1:]))


def test_the_border_is_the_pixel_that_normalizes_to_zero() -> None:
    """An image of that pixel gives the same result at the border as inside."""
    net = NetBuilder(0)
    net.layers["image"] = replace(
        net.layers["image"], scale=np.full(3, 1 / 64), offset=np.array([-2.0, -1.5, -1.0])
    )
    graph = net.graph(net.mean("mean", net.conv("stem", "image", 6)))
    integers = quantize(graph, slopes(0, 16))
    assert integers.input.pad_value.tolist() == [128, 96, 64]
    image = np.broadcast_to(integers.input.pad_value[:, None, None], (1, 3, 8, 8))
    stem = GoldenModel(integers).run(image).values["stem"]
    assert (stem == stem[:, :, :1, :1]).all()


def test_biases_make_the_means_equal() -> None:
    graph, calibration = every_kind(1), slopes(1, 32)
    integers = quantize(graph, calibration)
    result = GoldenModel(integers).run(calibration)
    hidden, layer = integers["hidden"], graph["hidden"]
    assert isinstance(layer, fl.Linear)
    floating = run_layers(graph, torch.from_numpy(calibration))["hidden"].numpy()
    scales = hidden.format.scales(hidden.shape[0])
    means = (result.values["hidden"] * scales).mean(axis=0)
    assert np.all(np.abs(means - floating.mean(axis=0)) <= scales / 2)


def test_dead_channels_are_constants() -> None:
    graph = every_kind(2)
    stem = graph["stem"]
    assert isinstance(stem, fl.Conv)
    weight, bias = stem.weight.copy(), stem.bias.copy()
    weight[:3] = 0
    weight[3] *= 1e-30
    bias[:4] = [0.0, 0.5, -0.5, 1.0]
    graph = _change(graph, "stem", weight=weight, bias=bias)
    integers = quantize(graph, slopes(2, 16))
    values = (
        GoldenModel(integers).run(slopes(9, 4)).values["stem"] * integers["stem"].format.one_scale
    )
    step = integers["stem"].format.one_scale
    for channel, expected in enumerate([0.0, 0.5, 0.0, 1.0]):
        assert np.abs(values[:, channel] - expected).max() <= step


@pytest.mark.parametrize("pixel", [0, 128, 255])
@pytest.mark.filterwarnings("ignore::acsgen.quant.quantize.QuantizationWarning")
def test_constant_calibration_images_are_taken(pixel: int) -> None:
    graph = every_kind(4)
    integers = quantize(graph, np.full((1, 3, 8, 8), pixel, np.uint8))
    image = np.full((1, 3, 8, 8), pixel, np.uint8)
    exact = run_layers(graph, torch.from_numpy(image))["logits"].numpy()
    logits = GoldenModel(integers).run(image).logits * integers["logits"].format.one_scale
    np.testing.assert_allclose(logits, exact, atol=0.05 * np.abs(exact).max())


@pytest.mark.parametrize("bias", [-1e30, 1e30])
def test_a_bias_that_decides_alone_does_not_spoil_the_other_logits(bias: float) -> None:
    """A bias of -1e30 takes a class out; no scale holds it beside the other logits."""
    graph, images = every_kind(4), slopes(4, 64)
    logits = graph["logits"]
    assert isinstance(logits, fl.Logits)
    biases = np.array(logits.bias, np.float64)
    rest = np.arange(1, len(biases))
    floating = run_layers(graph, torch.from_numpy(images))["logits"].numpy()[:, rest]

    biases[0] = bias
    with pytest.warns(QuantizationWarning, match=r"\(class 0\): predictions stay"):
        integers = quantize(_change(graph, "logits", bias=biases), images)
    found = GoldenModel(integers).run(images)
    others = found.logits[:, rest] * integers["logits"].format.one_scale
    assert np.abs(others - floating).mean() < 0.05 * floating.std()
    answers = found.logits[:, rest].argmax(axis=1) + 1 if bias < 0 else 0
    np.testing.assert_array_equal(found.predictions, answers)


def test_large_biases_that_decide_nothing_alone_are_kept() -> None:
    graph, images = every_kind(4), slopes(4, 64)
    biases = np.full(len(graph["logits"].bias), 1e6)  # type: ignore[attr-defined]
    biases[1] += 1e3
    integers = quantize(_change(graph, "logits", bias=biases), images)
    assert (GoldenModel(integers).run(images).predictions == 1).all()


def test_a_result_that_is_always_zero_is_pointed_out() -> None:
    graph = _change(every_kind(5), "stem", weight=np.zeros((6, 3, 3, 3)), bias=-np.ones(6))
    with pytest.warns(QuantizationWarning, match=r"net\.stem: zero for every calibration image"):
        quantize(graph, slopes(5, 2))


def test_the_average_of_a_map_that_was_always_closed_has_the_scale_of_the_map() -> None:
    """At another threshold it is not zero, and has to mean something."""
    net = NetBuilder(3)
    stem = net.conv("stem", "image", 6)
    gate = net.gate("gate", net.mean("mean", stem), 5, alpha=1.0)
    graph = net.graph(net.mean("closed", net.conv("masked", stem, 5, mask=gate)))
    with warnings.catch_warnings():
        warnings.simplefilter("error", QuantizationWarning)
        integers = quantize(graph, slopes((3, 8, 8), 4))
    assert integers["closed"].format == integers["masked"].format
    opened = force_masks(integers, {"gate": np.ones(5, bool)})
    assert GoldenModel(integers).run(slopes((3, 8, 8), 4), opened).values["closed"].any()


def test_a_border_that_pixels_cannot_express_is_pointed_out() -> None:
    graph = _change(every_kind(6), "image", offset=np.array([-2.0, 0.5, -0.5]))
    with pytest.warns(QuantizationWarning, match=r"outside 0\.\.255 \(channel 1: -"):
        quantize(graph, slopes(6, 2))


def test_pixels_in_use_warn_of_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        quantize(every_kind(7), slopes(7, 16))


def test_max_pool_and_masks_keep_the_scale() -> None:
    integers = quantize(every_kind(8), slopes(8, 16))
    assert integers["max"].format == integers["clipped"].format
    assert integers["masked"].format == integers["total"].format
    masked = integers["masked"]
    assert isinstance(masked, ir.IntEltwise)
    assert masked.mult == 1 << masked.shift


def test_quantizing_twice_gives_the_same_integers() -> None:
    first, second = (quantize(every_kind(9), slopes(9, 20)) for _ in range(2))
    for a, b in zip(first, second, strict=True):
        for name, value in vars(a).items():
            np.testing.assert_array_equal(value, vars(b)[name])


def _nan_weights(graph: fl.LayerGraph) -> fl.LayerGraph:
    stem, logits = graph["stem"], graph["logits"]
    assert isinstance(stem, fl.Conv)
    assert isinstance(logits, fl.Logits)
    weight, bias = stem.weight.copy(), logits.bias.copy()
    weight[1, 2, 0, 0] = np.nan
    bias[0] = np.inf
    return _change(_change(graph, "stem", weight=weight), "logits", bias=bias)


def _pool_reads_image(graph: fl.LayerGraph) -> fl.LayerGraph:
    net = NetBuilder(0)
    return net.graph(net.mean("mean", net.pool("first", "image", "max")))


def _many_borders(graph: fl.LayerGraph) -> fl.LayerGraph:
    net = NetBuilder(0, (5, 8, 8))
    return net.graph(net.mean("mean", net.conv("stem", "image", 4)))


@pytest.mark.parametrize(
    ("spoil", "messages"),
    [
        (_nan_weights, ["net.stem: weight has 1 value", "net.logits: bias has 1 value"]),
        (_pool_reads_image, ["net.first: reads the image itself"]),
        (_many_borders, ["net.stem: pads image channels 3 and above with different values"]),
        (
            lambda graph: _change(graph, "image", scale=np.array([1.0, 0.0, 1.0])),
            ["multiplies an image channel by zero"],
        ),
    ],
)
def test_networks_without_an_integer_form_are_refused(
    spoil: Callable[[fl.LayerGraph], fl.LayerGraph], messages: list[str]
) -> None:
    graph = spoil(every_kind(0))
    with pytest.raises(UserError) as caught:
        quantize(graph, slopes(0, 2, graph.layers[0].shape))
    assert len(caught.value.problems) == len(messages)
    for message in messages:
        assert message in str(caught.value)


@pytest.mark.parametrize(
    "calibration",
    [
        np.zeros((2, 3, 8, 9), np.uint8),
        np.zeros((2, 3, 8, 8), np.float32),
        np.zeros((0, 3, 8, 8), np.uint8),
    ],
)
def test_wrong_calibration_images_are_refused(calibration: np.ndarray) -> None:
    with pytest.raises(UserError, match=r"expected uint8 \[N, 3, 8, 8\]"):
        quantize(every_kind(0), calibration)
