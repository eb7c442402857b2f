"""The operators of the HLS engine: counted as recorded, with the widths that the C++ states."""

from __future__ import annotations

import json
import re

import pytest

from acsgen.cost.operators import Operator, operator_counts
from acsgen.flow.synth import operators as flow
from acsgen.flow.synth.netlist import SynthesisError
from acsgen.flow.synth.operators import count_operator, operators
from acsgen.support.assets import asset, asset_root


@pytest.fixture(autouse=True)
def _yosys() -> None:
    pytest.importorskip("pyosys", reason="Yosys is not installed")


@pytest.mark.xdist_group("synthesis")
@pytest.mark.parametrize("name", [operator.value for operator in Operator])
def test_counts_are_those_of_the_record(name: str) -> None:
    recorded = json.loads((asset_root() / flow.RECORD).read_text("utf-8"))
    module, parameters = operators()[name]
    kept = recorded["operators"][name]
    assert (kept["module"], kept["parameters"]) == (module, parameters)
    if recorded["yosys"] != flow.yosys_version():
        pytest.fail(f"the record was made with Yosys {recorded['yosys']}: renew it")
    found = count_operator(module, parameters)
    assert (found.dsp, found.lut, found.ff) == (kept["dsp"], kept["lut"], kept["ff"])


@pytest.mark.xdist_group("synthesis")
def test_types_that_are_too_wide_take_more() -> None:
    """A lane whose numbers have the machine's types: 32-bit multipliers."""
    module, parameters = operators()[Operator.POST_LANE.value]
    wide = count_operator(module, {**parameters, "MultBits": 32})
    recorded = operator_counts()[Operator.POST_LANE]
    assert recorded.dsp == 3
    assert wide.dsp > recorded.dsp
    assert wide.lut > recorded.lut


@pytest.mark.xdist_group("synthesis")
def test_a_pair_of_lanes_is_one_multiplier() -> None:
    """Two products in one DSP, as long as the pixels stand as far apart as a product is wide."""
    assert operator_counts()[Operator.PAIR].dsp == 1
    module, parameters = operators()[Operator.PAIR.value]
    assert count_operator(module, {**parameters, "LowBits": 24}).dsp > 1


def test_a_module_that_is_wrong_is_refused() -> None:
    with pytest.raises(SynthesisError):
        count_operator("hls_post_lane", {"ShiftMin": 0})


def test_widths_hold_every_value() -> None:
    """The bits that are computed from the specification are enough, and none is spare."""
    scaled_bits = flow.SUM_BITS + flow.MULT_BITS
    most = 2 ** (flow.SUM_BITS - 1) * (2**flow.MULT_BITS - 1)
    residual = 255 * (2**flow.MULT_BITS - 1)
    assert 2 ** (scaled_bits - 2) <= most < 2 ** (scaled_bits - 1)
    assert most + residual < 2**scaled_bits
    assert 2 ** (flow.PIXEL_BITS - 1) >= 256
    assert 2 ** (flow.LOW_BITS - 1) > 255 * 128
    pair_bits = flow.PIXEL_BITS + flow.LOW_BITS
    assert 2 ** (pair_bits - 1) > 255 * (1 << flow.LOW_BITS) + 255


def test_the_sources_state_the_same_widths() -> None:
    folder = asset("templates", "hls")
    text = "".join(
        (folder / f"acs_{name}.hpp").read_text("utf-8") for name in ("arithmetic", "types")
    )
    types = re.findall(r"typedef (?:signed_t|ap_int)<(\d+)> (\w+);", text)
    stated = {name: int(bits) for bits, name in types}
    assert stated["pixel_t"] == flow.PIXEL_BITS
    assert stated["packed_pixels_t"] == flow.PIXEL_BITS + flow.LOW_BITS
    assert stated["weight_t"] == flow.WEIGHT_BITS
    assert stated["packed_product_t"] == flow.PIXEL_BITS + flow.LOW_BITS + flow.WEIGHT_BITS - 1
    assert "signed_t<48> scaled" in text
    assert flow.SUM_BITS + flow.MULT_BITS == 48
    assert stated["acc_t"] == flow.SUM_BITS
