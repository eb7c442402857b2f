"""A harness of four pins around the engine, so that the whole of it fits on a part with few pins.

Inputs come from a shift register. Outputs go into registers, and these into a signature that turns
by a bit every cycle: so no tool can leave out any part of the engine.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: The module's name.
HARNESS = "acs_harness"

_CLOCKS = ("clk", "rst_n")


def render_harness(
    module: str, ports: Mapping[str, Mapping[str, Any]], parameters: Mapping[str, int]
) -> str:
    """Return the SystemVerilog of the harness.

    Args:
        module: inside, with the inputs ``clk`` and ``rst_n``.
        ports: its ports, as Yosys writes them: name, ``direction`` and ``bits``.
        parameters: its parameters.
    """
    sizes: dict[str, int] = {"input": 0, "output": 0}
    pins = []
    for name, port in ports.items():
        if name in _CLOCKS:
            pins.append(f"    .{name}({name})")
            continue
        first, width = sizes[port["direction"]], len(port["bits"])
        bits = "in_q" if port["direction"] == "input" else "outputs"
        pins.append(f"    .{name}({bits}[{first}+:{width}])")
        sizes[port["direction"]] += width
    values = ", ".join(f".{name}({value})" for name, value in parameters.items())
    inputs, outputs = sizes["input"], sizes["output"]
    listed = ",\n".join(pins)
    return f"""// A harness of four pins; made by acsgen synth --timing.
module {HARNESS} (
  input  wire logic clk,
  input  wire logic rst_n,
  input  wire logic in_i,
  output      logic out_o
);
  logic [{inputs - 1}:0] in_q;
  logic [{outputs - 1}:0] outputs, outputs_q, signature_q;
  always_ff @(posedge clk) begin
    in_q        <= {{in_q[{inputs - 2}:0], in_i}};
    outputs_q   <= outputs;
    signature_q <= {{signature_q[{outputs - 2}:0], signature_q[{outputs - 1}]}} ^ outputs_q;
    out_o       <= signature_q[0];
  end
  {module} #({values}) u_top (
{listed}
  );
endmodule
"""
