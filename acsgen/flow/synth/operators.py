"""The large operators of the HLS engine through Yosys, as a basis for the estimate of the whole.

``hw/hls`` has them in SystemVerilog as the C++ writes them, with the widths that its types state;
the widths are computed here from the specification.  The result is recorded in
``benchmarks/hls_operators.json``, from which :mod:`acsgen.cost.resources` adds up an engine.

``python -m acsgen.flow.synth.operators`` writes the record.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from acsgen.cost.operators import RECORD, Operator
from acsgen.flow.synth.netlist import Figures, count_cells
from acsgen.flow.synth.yosys import read_command, run_yosys, yosys_version
from acsgen.isa.generated import (
    MULT_MAX,
    SEGMENT_PIXELS,
    SEGMENTS,
    SHIFT_MAX,
    SHIFT_MIN,
)
from acsgen.support.assets import asset, asset_root
from acsgen.support.errors import UserError

#: Accumulators and biases.
SUM_BITS = 32

#: A pixel of either sign: -128..255.
PIXEL_BITS = 9

#: Weights of a convolution have 8 bits; constant ones of other operations go up to 128.
WEIGHT_BITS = 9

MULT_BITS = MULT_MAX.bit_length()

#: Two pixels side by side: the upper one stands above a product and its sign.
LOW_BITS = 8 + 8


def operators() -> dict[str, tuple[str, dict[str, int]]]:
    """Return the modules to count, each with its parameters, by the name in the record."""
    pair = {
        "PixelBits": PIXEL_BITS,
        "WeightBits": WEIGHT_BITS,
        "LowBits": LOW_BITS,
        "SumBits": SUM_BITS,
    }
    post = {
        "SumBits": SUM_BITS,
        "MultBits": MULT_BITS,
        "ResidualBits": PIXEL_BITS,
        "ShiftMin": SHIFT_MIN,
        "ShiftMax": SHIFT_MAX,
    }
    return {
        Operator.PAIR.value: ("hls_lane_pair", {**pair, "HasMax": 0}),
        Operator.PAIR_WITH_MAXIMUM.value: ("hls_lane_pair", {**pair, "HasMax": 1}),
        Operator.FIRST_PAIR.value: ("hls_lane_pair", {**pair, "HasMax": 1, "HasChoice": 0}),
        Operator.POST_LANE.value: ("hls_post_lane", post),
        Operator.WINDOW.value: ("hls_window", {"Segments": SEGMENTS, "Pixels": SEGMENT_PIXELS}),
    }


def count_operator(module: str, parameters: Mapping[str, int]) -> Figures:
    """Return the resources that Yosys needs for one module of ``hw/hls``.

    Raises:
        SynthesisError: Yosys refused it.
        UserError: Yosys is not installed.
    """
    folder = asset("hw", "hls")
    source = folder / f"{module}.sv"
    with tempfile.TemporaryDirectory(prefix="acsgen-synth-") as scratch:
        netlist = Path(scratch) / "netlist.json"
        run_yosys(
            [
                [
                    read_command([source], module, parameters.items(), ()),
                    f"synth_xilinx -family xc7 -top {module} -noiopad -noclkbuf",
                    f'write_json "{netlist}"',
                ]
            ],
            folder,
        )
        content = json.loads(netlist.read_text(encoding="utf-8"))
    return count_cells(content["modules"][module], ())


def count_operators() -> dict[str, Any]:
    """Return the content of the record."""
    return {
        "yosys": yosys_version(),
        "operators": {
            name: {
                "module": module,
                "parameters": parameters,
                **asdict(count_operator(module, parameters)),
            }
            for name, (module, parameters) in operators().items()
        },
    }


def main() -> int:
    """Write the record."""
    try:
        content = count_operators()
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    path = asset_root() / RECORD
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    print(f"written to {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
