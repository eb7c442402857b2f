"""Every operator of the golden model against the contract in plain Python integers."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from acsgen.ir import integer as ir
from acsgen.ir.format import Format
from acsgen.ir.masks import ChannelMask, MaskSlice, mask_names, whole
from acsgen.quant.arithmetic import requantize, round_shift
from acsgen.quant.golden import GoldenModel
from acsgen.quant.golden.operators import operator
from acsgen.quant.thresholds import force_masks, thresholds_for
from acsgen.support.errors import UserError

from . import slow_integers as slow

SEEDS = st.integers(0, 2**32 - 1)
few = settings(max_examples=40, deadline=None)


#: Bits of the masks, more than any map here has channels.
MASK_BITS = 12


def _values(
    rng: np.random.Generator, shape: tuple[int, ...], signed: bool | np.ndarray
) -> np.ndarray:
    """8-bit values ``(N, C, ...)``, the extreme ones often; one sign, or one for each channel."""
    signs = np.broadcast_to(signed, shape[1]).reshape(-1, *(1,) * (len(shape) - 2))
    low, high = np.where(signs, -128, 0), np.where(signs, 127, 255)
    values = rng.integers(low, high + 1, shape)
    extreme = rng.random(shape)
    return np.where(extreme < 0.2, low, np.where(extreme > 0.8, high, values)).astype(np.int16)


def _weights(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    extreme = rng.random(shape) < 0.3
    return np.where(extreme, rng.choice([-127, 127], shape), rng.integers(-127, 128, shape)).astype(
        np.int8
    )


def _constants(rng: np.random.Generator, outs: int) -> dict[str, np.ndarray]:
    return {
        "bias": rng.integers(-(2**30), 2**30 + 1, outs) >> rng.integers(0, 24, outs),
        "mult": rng.integers(0, 65536, outs),
        "shift": rng.integers(14, 39, outs),
    }


def _source(shape: tuple[int, ...], signed: bool | tuple[bool, ...]) -> ir.IntLayer:
    return ir.IntFlatten("x", "", shape, Format(1.0, signed), x="")


def _mask(rng: np.random.Generator, channels: int) -> ChannelMask:
    """A whole mask, or slices of masks and of none, of a map of so many channels."""
    if rng.random() < 0.5:
        return whole("m", channels)
    cuts = sorted({0, channels, *rng.integers(0, channels + 1, 2).tolist()})
    parts = []
    for start, stop in pairwise(cuts):
        name = [None, "m", "n"][rng.integers(0, 3)]
        first = 0 if name is None else int(rng.integers(0, MASK_BITS - (stop - start) + 1))
        parts.append(MaskSlice(name, first, stop - start))
    return tuple(parts) if mask_names(tuple(parts)) else whole("m", channels)


def _bits(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """The bits of two masks for two images."""
    return {name: rng.integers(0, 2, (2, MASK_BITS)).astype(np.uint8) for name in ("m", "n")}


def _format(rng: np.random.Generator, channels: int, signed: bool) -> Format:
    """One sign, or signs by channel."""
    if rng.random() < 0.5:
        return Format(1.0, signed)
    return Format(1.0, tuple((rng.random(channels) < 0.5).tolist()))


def _check(layer: ir.IntLayer, sources: list[ir.IntLayer], inputs: dict[str, np.ndarray]) -> None:
    """Compare operator and plain integers on one batch."""
    run = operator(layer, {source.name: source for source in sources})
    result = run({name: torch.from_numpy(value) for name, value in inputs.items()}).numpy()
    if isinstance(layer, ir.IntGate):
        result = (result > layer.threshold).astype(np.uint8)
    for n in range(len(result)):
        one = {name: value[n].astype(object) for name, value in inputs.items()}
        expected = slow.layer_result(layer, sources[0], one)
        np.testing.assert_array_equal(result[n], expected.astype(np.int64))


@given(
    st.integers(-(2**49), 2**49) | st.integers(-3, 3).map(lambda k: k << 20),
    st.integers(14, 38),
    st.booleans(),
)
def test_requantize_rounds_half_away_from_zero(value: int, shift: int, signed: bool) -> None:
    tensor = torch.tensor([value])
    assert round_shift(tensor, shift).item() == slow.half_away(value, shift)
    assert requantize(tensor, shift, signed).item() == slow.requantize(value, shift, signed)


@pytest.mark.parametrize(
    ("value", "rounded"), [(8191, 0), (8192, 1), (-8191, 0), (-8192, -1), (24576, 2), (-24576, -2)]
)
def test_ties_go_away_from_zero(value: int, rounded: int) -> None:
    assert round_shift(torch.tensor([value]), 14).item() == rounded


@few
@given(
    seed=SEEDS,
    groups=st.integers(1, 3),
    ins=st.integers(1, 3),
    outs=st.integers(1, 3),
    kernel=st.sampled_from([1, 3, 5]),
    stride=st.sampled_from([1, 2]),
    pad=st.integers(0, 2),
    size=st.tuples(st.integers(5, 8), st.integers(5, 8)),
    x_signed=st.booleans(),
    signed=st.booleans(),
    residual=st.booleans(),
    mask=st.booleans(),
    image=st.booleans(),
)
def test_conv(
    seed: int,
    groups: int,
    ins: int,
    outs: int,
    kernel: int,
    stride: int,
    pad: int,
    size: tuple[int, int],
    x_signed: bool,
    signed: bool,
    residual: bool,
    mask: bool,
    image: bool,
) -> None:
    rng = np.random.default_rng(seed)
    ins, outs = ins * groups, outs * groups
    shape = (outs, *((n + 2 * pad - kernel) // stride + 1 for n in size))
    source = _source((ins, *size), _format(rng, ins, x_signed).signed)
    if image:
        pixel = rng.integers(0, 256, ins).astype(np.uint8)
        source = ir.IntInput("x", "", (ins, *size), Format(1.0, False), pad_value=pixel)
    res_signed = bool(rng.random() < 0.5)
    layer = ir.IntConv(
        "y",
        "",
        shape,
        format=_format(rng, outs, signed),
        x="x",
        weight=_weights(rng, (outs, ins // groups, kernel, kernel)),
        masked_bias=rng.integers(-(2**30), 2**30, outs) * (rng.random(outs) < 0.5),
        **_constants(rng, outs),
        stride=stride,
        pad=pad,
        groups=groups,
        residual="r" if residual else None,
        res_mult=int(rng.integers(0, 65536)),
        mask=_mask(rng, shape[0]) if mask else (),
    )
    inputs = {
        "x": _values(rng, (2, *source.shape), source.format.signs(ins)),
        "r": _values(rng, (2, *shape), res_signed),
        **_bits(rng),
    }
    _check(layer, [source], inputs)


def test_conv_sums_beyond_float32_are_exact() -> None:
    """Odd sums above 2^24 and above 2^31 / 255 of them: float32 could not hold them."""
    ins, kernel = 600, 5
    weight = np.full((2, ins, kernel, kernel), 127, np.int8)
    weight[1] = -127
    layer = ir.IntLogits(
        "y",
        "",
        (2,),
        format=Format(1.0, True),
        x="x",
        weight=weight.reshape(2, -1),
        bias=np.array([1, -1]),
        mult=np.array([1 << 15, 1 << 15]),
        shift=np.array([15, 15]),
    )
    x = np.full((1, ins * kernel**2), 255, np.int16)
    x[0, 0] = 254
    total = 127 * 255 * ins * kernel**2 - 127
    run = operator(layer, {"x": _source(x.shape[1:], False)})
    assert run({"x": torch.from_numpy(x)}).tolist() == [[total + 1, -total - 1]]


@few
@given(seed=SEEDS, signed=st.booleans(), residual=st.booleans(), mask=st.booleans())
def test_eltwise(seed: int, signed: bool, residual: bool, mask: bool) -> None:
    rng = np.random.default_rng(seed)
    x_signed, res_signed = rng.random(2) < 0.5
    shape = (3, 4, 5)
    layer = ir.IntEltwise(
        "y",
        "",
        shape,
        format=_format(rng, 3, signed),
        x="x",
        mult=int(rng.integers(0, 65536)),
        shift=int(rng.integers(14, 39)),
        residual="r" if residual else None,
        res_mult=int(rng.integers(0, 65536)),
        mask=_mask(rng, shape[0]) if mask else (),
    )
    inputs = {
        "x": _values(rng, (2, *shape), bool(x_signed)),
        "r": _values(rng, (2, *shape), bool(res_signed)),
        **_bits(rng),
    }
    _check(layer, [_source(shape, bool(x_signed))], inputs)


@few
@given(
    seed=SEEDS,
    mode=st.sampled_from(["max", "avg"]),
    window=st.sampled_from([(2, 2, 0), (3, 2, 1), (3, 1, 1), (2, 1, 1), (5, 2, 2)]),
    size=st.tuples(st.integers(5, 9), st.integers(5, 9)),
    signed=st.booleans(),
)
def test_pool(
    seed: int, mode: Any, window: tuple[int, int, int], size: tuple[int, int], signed: bool
) -> None:
    rng = np.random.default_rng(seed)
    kernel, stride, pad = window
    layer = ir.IntPool(
        "y",
        "",
        (2, *((n + 2 * pad - kernel) // stride + 1 for n in size)),
        format=_format(rng, 2, signed) if mode == "avg" else Format(1.0, signed),
        x="x",
        mode=mode,
        kernel=kernel,
        stride=stride,
        pad=pad,
        mult=int(rng.integers(0, 65536)),
        shift=int(rng.integers(14, 30)),
    )
    _check(layer, [_source((2, *size), signed)], {"x": _values(rng, (2, 2, *size), signed)})


def test_max_pool_padding_never_wins() -> None:
    layer = ir.IntPool(
        "y",
        "",
        (1, 1, 1),
        Format(1.0, True),
        x="x",
        mode="max",
        kernel=3,
        stride=2,
        pad=1,
        mult=0,
        shift=14,
    )
    x = np.full((1, 1, 2, 2), -128, np.int16)
    result = operator(layer, {"x": _source((1, 2, 2), True)})({"x": torch.from_numpy(x)})
    assert result.item() == -128


@few
@given(seed=SEEDS, signed=st.booleans(), vector_signed=st.booleans())
def test_map_to_vector_and_back(seed: int, signed: bool, vector_signed: bool) -> None:
    rng = np.random.default_rng(seed)
    shape = (3, int(rng.integers(1, 9)), int(rng.integers(1, 9)))
    source = _source(shape, signed)
    numbers = {"mult": int(rng.integers(0, 65536)), "shift": int(rng.integers(14, 30))}
    inputs = {
        "x": _values(rng, (2, *shape), signed),
        "v": _values(rng, (2, 3), vector_signed),
    }
    average = ir.IntGlobalAvg("y", "", (3,), _format(rng, 3, signed), x="x", **numbers)
    _check(average, [source], inputs)
    scale = ir.IntScale("y", "", shape, _format(rng, 3, signed), x="x", vector="v", **numbers)
    _check(scale, [source], inputs)
    flat = ir.IntFlatten("y", "", (int(np.prod(shape)),), Format(1.0, signed), x="x")
    _check(flat, [source], inputs)


@few
@given(seed=SEEDS, ins=st.integers(1, 40), outs=st.integers(1, 6), x_signed=st.booleans())
def test_vector_layers(seed: int, ins: int, outs: int, x_signed: bool) -> None:
    rng = np.random.default_rng(seed)
    source = _source((ins,), x_signed)
    inputs = {"x": _values(rng, (3, ins), x_signed)}
    weight, constants = _weights(rng, (outs, ins)), _constants(rng, outs)
    common = ("y", "", (outs,))
    for signed, sigmoid in [(True, False), (False, False), (False, True)]:
        result = Format(1.0, False) if sigmoid else _format(rng, outs, signed)
        linear = ir.IntLinear(*common, result, x="x", weight=weight, sigmoid=sigmoid, **constants)
        _check(linear, [source], inputs)
    _check(
        ir.IntLogits(*common, Format(1.0, True), x="x", weight=weight, **constants),
        [source],
        inputs,
    )
    accumulators = (weight.astype(int) @ inputs["x"][0]) + constants["bias"]
    for threshold in (accumulators, accumulators - 1, np.zeros(outs, int)):
        gate = ir.IntGate(
            *common,
            Format(1.0, False),
            x="x",
            weight=weight,
            bias=constants["bias"],
            threshold=np.clip(threshold, ir.INT32_MIN, ir.INT32_MAX),
            acc_scale=np.ones(outs),
            alpha=0.5,
        )
        _check(gate, [source], inputs)


def test_concat() -> None:
    rng = np.random.default_rng(0)
    sources = [_source((channels, 3, 4), False) for channels in (2, 5)]
    inputs = {name: _values(rng, (2, c, 3, 4), True) for name, c in (("a", 2), ("b", 5))}
    formats = Format.by_channel([1.0] * 9, [True] * 9)
    layer = ir.IntConcat("y", "", (9, 3, 4), formats, ("a", "b", "a"), (2, 5, 2))
    _check(layer, sources, inputs)


def _tiny_graph() -> ir.IntGraph:
    """Image, gate on it, masked convolution with the image's size, classifier."""
    rng = np.random.default_rng(5)
    conv = {
        "weight": _weights(rng, (4, 3, 3, 3)),
        "bias": rng.integers(-500, 500, 4),
        "masked_bias": np.zeros(4, int),
        "mult": np.full(4, 40000),
        "shift": np.full(4, 24),
        "stride": 1,
        "pad": 1,
        "groups": 1,
    }
    four = {"weight": _weights(rng, (4, 4)), "bias": rng.integers(-500, 500, 4)}
    numbers = {"mult": np.full(4, 1 << 15), "shift": np.full(4, 15)}
    layers = (
        ir.IntInput(
            "image", "", (3, 6, 6), Format(1.0, False), pad_value=np.array([1, 2, 3], np.uint8)
        ),
        ir.IntConv("a", "", (4, 6, 6), Format(1.0, False), x="image", **conv),
        ir.IntGlobalAvg("mean", "", (4,), Format(1.0, False), x="a", mult=58254, shift=21),
        ir.IntGate(
            "gate",
            "",
            (4,),
            Format(1.0, False),
            x="mean",
            **four,
            threshold=np.zeros(4, int),
            acc_scale=np.array([0.01, 0.02, 0.5, 1.0]),
            alpha=0.5,
        ),
        ir.IntConv(
            "b", "", (4, 6, 6), Format(1.0, False), x="image", **conv, mask=whole("gate", 4)
        ),
        ir.IntGlobalAvg("pooled", "", (4,), Format(1.0, False), x="b", mult=58254, shift=21),
        ir.IntLogits("logits", "", (4,), Format(1.0, True), x="pooled", **four, **numbers),
    )
    return ir.IntGraph("tiny", layers, ("logits",))


def _images(count: int) -> np.ndarray:
    return np.random.default_rng(7).integers(0, 256, (count, 3, 6, 6)).astype(np.uint8)


def test_a_whole_graph_equals_plain_integers_whatever_the_batch() -> None:
    graph, images = _tiny_graph(), _images(5)
    thresholds = {"gate": np.array([100, -3000, 2000, 0])}
    result = GoldenModel(graph).run(images, thresholds, batch=2)
    for n, image in enumerate(images):
        for name, expected in slow.run(graph, image, thresholds).items():
            np.testing.assert_array_equal(result.values[name][n], expected.astype(np.int64), name)
    assert result.logits.dtype == np.int32
    assert result.masks["gate"].dtype == np.uint8


def test_keeping_logits_only_changes_nothing_else() -> None:
    model, images = GoldenModel(_tiny_graph()), _images(3)
    everything, logits = model.run(images), model.run(torch.from_numpy(images), keep="outputs")
    assert set(logits.values) == {"gate", "logits"}
    np.testing.assert_array_equal(everything.logits, logits.logits)
    np.testing.assert_array_equal(everything.masks["gate"], logits.masks["gate"])


def test_forced_masks_are_the_masks_of_every_image() -> None:
    graph = _tiny_graph()
    wanted = np.array([True, False, False, True])
    result = GoldenModel(graph).run(_images(4), force_masks(graph, {"gate": wanted}))
    assert (result.masks["gate"] == wanted).all()
    assert not result.values["b"][:, ~wanted].any()
    assert result.values["b"][:, wanted].any()
    np.testing.assert_array_equal(result.values["b"][:, wanted], result.values["a"][:, wanted])


def test_thresholds_for_an_alpha() -> None:
    graph = _tiny_graph()
    assert thresholds_for(graph, 0.0)["gate"].tolist() == [ir.INT32_MIN] * 4
    assert thresholds_for(graph, 1.0)["gate"].tolist() == [ir.INT32_MAX] * 4
    assert thresholds_for(graph, 0.5)["gate"].tolist() == [0] * 4
    # logit(0.7) = 0.8473, floor(0.8473 / scale)
    assert thresholds_for(graph, 0.7)["gate"].tolist() == [84, 42, 1, 0]
    assert thresholds_for(graph, 0.3)["gate"].tolist() == [-85, -43, -2, -1]


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((2, 3, 6, 7), np.uint8),
        np.zeros((3, 6, 6), np.uint8),
        np.zeros((2, 3, 6, 6), np.float32),
        np.zeros((0, 3, 6, 6), np.uint8),
    ],
)
def test_wrong_images_are_refused_with_both_shapes(images: np.ndarray) -> None:
    with pytest.raises(UserError, match=r"expected uint8 \[N, 3, 6, 6\].*, got ") as caught:
        GoldenModel(_tiny_graph()).run(images)
    assert str(list(images.shape)) in str(caught.value)


def test_unknown_gates_and_wrong_threshold_shapes_are_refused() -> None:
    graph = _tiny_graph()
    with pytest.raises(ValueError, match="not a gate"):
        GoldenModel(graph).run(_images(1), {"a": np.zeros(4, np.int32)})
    with pytest.raises(ValueError, match="thresholds"):
        GoldenModel(graph).run(_images(1), {"gate": np.zeros(3, np.int32)})
    with pytest.raises(ValueError, match="not a gate"):
        force_masks(graph, {"a": True})
