"""Scales by channel go into the constants of their readers: real values stay what they were."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
import torch

from acsgen.frontend import run_layer
from acsgen.ir import layers as fl
from acsgen.ir.format import Format
from acsgen.ir.integer import IntFlatten, IntLayer
from acsgen.ir.ranges import WEIGHT_MAX
from acsgen.quant.golden.operators import operator, totals
from acsgen.quant.kinds import kind_of
from acsgen.quant.kinds.base import WeightedT
from acsgen.quant.scales import Floats, IntWeights, integer_bias
from acsgen.support.errors import UserError

CHANNELS = 4

#: Scales that differ a thousandfold, which one scale for all could not hold in 8 bits.
SPREAD = tuple(float(s) for s in 0.02 * np.logspace(-1.5, 1.5, CHANNELS))


@dataclass
class SoFar:
    """Sources with integer values, in place of a quantization that has come to them."""

    formats: dict[str, Format]
    shape: tuple[int, ...] = (CHANNELS, 6, 6)
    largest: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rng = np.random.default_rng(0)
        self.done: dict[str, IntLayer] = {}
        self.values: dict[str, torch.Tensor] = {}
        for name, format_ in self.formats.items():
            shape = self.shape[:1] if name == "v" else self.shape
            self.done[name] = IntFlatten(name, "", shape, format_, x="")
            low, high = (-128, 128) if format_.any_signed else (0, 256)
            self.values[name] = torch.from_numpy(rng.integers(low, high, (2, *shape))).short()
        self.normalization = (np.ones(3), np.zeros(3))
        self.weight_max = WEIGHT_MAX

    def reals(self) -> dict[str, torch.Tensor]:
        return {name: self.real(self.done[name], v) for name, v in self.values.items()}

    @staticmethod
    def real(layer: IntLayer, values: torch.Tensor) -> torch.Tensor:
        scales = torch.as_tensor(layer.format.scales(layer.shape[0]).copy())
        return values * scales.view(-1, *(1,) * (len(layer.shape) - 1))

    def result_scale(self, layer: fl.Layer, signed: bool, at_least: float) -> float:
        exact = run_layer(layer, self.reals(), torch.zeros(2, 3, 6, 6), torch.float64)
        return max(float(exact.abs().max()) / (127 if signed else 255), at_least)

    def channel_format(self, layer: fl.Layer, signed: bool, at_least: Floats) -> Format:
        return Format(self.result_scale(layer, signed, float(at_least.max())), signed)

    def scale_beside(self, layer: fl.Layer, units: Floats, signed: bool) -> float:
        exact = run_layer(layer, self.reals(), torch.zeros(2, 3, 6, 6), torch.float64)
        largest = exact.abs().reshape(*exact.shape[:2], -1).amax(dim=(0, 2)).numpy()
        return float((largest / units).max()) / (127 if signed else 255)

    def fitted(self, draft: WeightedT, integers: IntWeights) -> WeightedT:
        # The bias as it is: there is no other network whose mean is to be met.
        sums = kind_of(draft).sums
        assert sums is not None
        each = sums.operator(draft, self.done)(self.values)
        whole = each.flatten(2).sum(dim=(0, 2)) if each.dim() > 2 else each.sum(dim=0)
        assert torch.equal(totals(draft, self.done)(self.values), whole)
        return draft


def check(layer: fl.Layer, so_far: SoFar) -> IntLayer:
    """Quantize a layer, and require that its result is the exact one to its own resolution."""
    integer = kind_of(layer).quantize(layer, so_far)
    found = so_far.real(integer, operator(integer, so_far.done)(so_far.values))
    exact = run_layer(layer, so_far.reals(), torch.zeros(2, 3, 6, 6), torch.float64)
    scales = torch.as_tensor(integer.format.scales(layer.shape[0]).copy())
    units = scales.view(-1, *(1,) * (len(layer.shape) - 1))
    # Rounding of the result, and of weights that are 8 bits of the largest product.
    limit = torch.maximum(4 * units, 0.01 * exact.abs().max() * isinstance(layer, fl.Logits))
    assert bool(((found - exact).abs() <= limit).all())
    return integer


def conv(residual: str | None = None, relu: bool = False) -> fl.Conv:
    rng = np.random.default_rng(1)
    # A channel of large values has small weights, as training makes them.
    weight = rng.normal(0, 1, (CHANNELS, CHANNELS, 3, 3)) / np.array(SPREAD)[:, None, None]
    return fl.Conv(
        "y",
        "",
        (CHANNELS, 6, 6),
        x="x",
        weight=weight,
        bias=rng.normal(0, 10, CHANNELS),
        masked_bias=np.zeros(CHANNELS),
        stride=1,
        pad=1,
        groups=1,
        relu=relu,
        residual=residual,
    )


def test_a_convolution_takes_the_scales_into_its_weights() -> None:
    integer = check(conv(), SoFar({"x": Format(SPREAD, False)}))
    assert integer.format.one_scale is not None
    # Every input channel uses its weights' range, however small its values are.
    reach = np.abs(integer.weight.astype(int)).max(axis=(0, 2, 3))
    assert reach.min() > 50


def test_a_grouped_convolution_knows_which_inputs_a_weight_meets() -> None:
    rng = np.random.default_rng(2)
    weight = (
        rng.normal(0, 1, (CHANNELS, 2, 1, 1))
        / np.array(SPREAD).reshape(2, 2)[[0, 0, 1, 1]][:, :, None, None]
    )
    zeros = np.zeros(CHANNELS)
    layer = fl.Conv(
        "y", "", (CHANNELS, 6, 6), "x", weight, zeros, zeros, 1, 0, groups=2, relu=False
    )
    check(layer, SoFar({"x": Format(SPREAD, True)}))


def test_a_sum_is_scaled_like_its_residual() -> None:
    integer = check(
        conv("r", relu=True), SoFar({"x": Format(SPREAD, False), "r": Format(SPREAD, True)})
    )
    ratios = integer.format.scales(CHANNELS) / np.array(SPREAD)
    np.testing.assert_allclose(ratios, ratios[0])


@pytest.mark.parametrize("signed", [False, True])
def test_layers_with_one_multiplier_keep_the_ratios(signed: bool) -> None:
    for layer in (
        fl.Pool("y", "", (CHANNELS, 3, 3), "x", "max", 2, 2, 0),
        fl.Pool("y", "", (CHANNELS, 3, 3), "x", "avg", 2, 2, 0),
        fl.GlobalAvg("y", "", (CHANNELS,), "x"),
        fl.Flatten("y", "", (CHANNELS * 36,), "x"),
        fl.Eltwise("y", "", (CHANNELS, 6, 6), "x", relu=signed),
        fl.Scale("y", "", (CHANNELS, 6, 6), "x", "v"),
    ):
        so_far = SoFar({"x": Format(SPREAD, signed), "v": Format(1 / 256, False)})
        integer = check(layer, so_far)
        assert len(set(integer.format.scales(layer.shape[0]).tolist())) == CHANNELS


def test_vectors_are_absorbed_by_linear_layers_and_gates() -> None:
    rng = np.random.default_rng(3)
    weight = rng.normal(0, 1, (5, CHANNELS)) / np.array(SPREAD)
    zeros = np.zeros(5)
    formats = {"x": Format(SPREAD, False)}
    check(fl.Linear("y", "", (5,), "x", weight, zeros, "none"), SoFar(formats, (CHANNELS,)))
    check(fl.Logits("y", "", (5,), "x", weight, zeros), SoFar(formats, (CHANNELS,)))
    so_far = SoFar(formats, (CHANNELS,))
    gate = kind_of(fl.Gate("y", "", (5,), "x", weight, zeros, 0.5)).quantize(
        fl.Gate("y", "", (5,), "x", weight, zeros, 0.5), so_far
    )
    logits = operator(gate, so_far.done)(so_far.values).numpy() * gate.acc_scale
    exact = so_far.reals()["x"].numpy() @ weight.T
    assert np.abs(logits - exact).max() < 0.02 * np.abs(exact).max()
    assert integer_bias(zeros, gate.acc_scale).tolist() == [0] * 5


def test_maps_of_unequal_ratios_cannot_be_added() -> None:
    so_far = SoFar({"x": Format(SPREAD, False), "r": Format(SPREAD[::-1], False)})
    layer = fl.Eltwise("y", "body.add", (CHANNELS, 6, 6), "x", relu=False, residual="r")
    with pytest.raises(UserError, match=r"body\.add: adds two maps whose channels are scaled"):
        kind_of(layer).quantize(layer, so_far)


def test_a_concatenation_keeps_the_format_of_every_channel() -> None:
    so_far = SoFar({"x": Format(0.5, False), "r": Format(SPREAD, True)})
    integer = check(fl.Concat("y", "", (2 * CHANNELS, 6, 6), ("r", "x")), so_far)
    assert integer.format == Format((*SPREAD, *(0.5,) * CHANNELS), (True,) * 4 + (False,) * 4)
