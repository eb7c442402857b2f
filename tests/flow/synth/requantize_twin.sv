// The requantizer as written, its netlist, and its definition in wide integers, on the same inputs.
`default_nettype none

module requantize_twin
  import acs_pkg::*;
(
  input  wire logic   clk_i,
  output logic [31:0] compared_o,
  output logic [31:0] wrong_o
);
  localparam int Latency = 4;

  logic signed [31:0] acc;
  logic [15:0] mult, res_mult;
  logic [5:0] shift;
  logic [7:0] residual;
  logic is_signed, res_signed;
  factor_t factor;
  places_t places;

  logic signed [31:0] wide, netlist_wide;
  logic [7:0] narrow, netlist_narrow;

  assign factor = factor_of(res_mult, res_signed);

  // As acs_places has it.
  logic [4:0] number_q;
  always_ff @(posedge clk_i) begin
    number_q      <= 5'(shift - 6'd14);
    places.number <= number_q;
    for (int i = 0; i < 24; i++) places.below[i] <= i < int'(number_q);
  end

  acs_requantize #(
    .Wide(`WIDE),
    .Dsp (`DSP)
  ) u_rtl (
    .clk_i,
    .acc_i     (acc),
    .mult_i    (mult),
    .residual_i(residual ^ {res_signed, 7'b0}),
    .factor_i  (factor),
    .places_i  (places),
    .signed_i  (is_signed),
    .wide_o    (wide),
    .narrow_o  (narrow)
  );
  acs_requantize_netlist u_netlist (
    .clk_i,
    .acc_i     (acc),
    .mult_i    (mult),
    .residual_i(residual ^ {res_signed, 7'b0}),
    .factor_i  (factor),
    .places_i  (places),
    .signed_i  (is_signed),
    .wide_o    (netlist_wide),
    .narrow_o  (netlist_narrow)
  );

  // Division by 2^shift, rounded half away from zero, in 96 bits.
  function automatic logic signed [95:0] divided(
    input logic signed [31:0] acc, input logic [15:0] by, input logic [5:0] places,
    input logic signed [8:0] plus, input logic [15:0] plus_by);
    logic signed [95:0] value, half;
    value = 96'(acc) * signed'({80'b0, by}) +
            ((96'(plus) * signed'({80'b0, plus_by})) <<< (places - 6'd14));
    half = 96'sd1 <<< (places - 6'd1);
    return value < 0 ? -((half - value) >>> places) : (value + half) >>> places;
  endfunction

  logic signed [Latency-1:0][95:0] expected_q;
  logic [31:0] cycle_q;

  // Everything random; large and small numbers, and exact halves, are as frequent.
  function automatic logic [31:0] spread();
    logic [31:0] bits;
    bits = $urandom;
    case ($urandom % 4)
      0: return bits;
      1: return 32'(signed'(bits) >>> ($urandom % 32));
      2: return {bits[31:16], 16'b0} >> ($urandom % 16);
      default: return {bits[31], {31{bits[30]}}};
    endcase
  endfunction

  logic signed [95:0] result;
  logic [7:0] saturated;
  assign result    = expected_q[Latency-1];
  assign saturated = is_signed ? (result < -128 ? 8'h80 : result > 127 ? 8'h7f : result[7:0])
                               : (result < 0 ? 8'h00 : result > 255 ? 8'hff : result[7:0]);

  always_ff @(posedge clk_i) begin
    cycle_q   <= cycle_q + 1;
    acc       <= spread();
    mult      <= $urandom % 8 == 0 ? 16'hffff : 16'($urandom >> ($urandom % 16));
    shift     <= 6'(14 + $urandom % 25);
    residual  <= $urandom % 3 == 0 ? '0 : 8'($urandom);
    // Within an instruction these stay.
    if (cycle_q % 64 == 0) begin
      is_signed  <= 1'($urandom);
      res_signed <= 1'($urandom);
      res_mult   <= $urandom % 8 == 0 ? 16'hffff : 16'($urandom >> ($urandom % 16));
    end
    expected_q <= {
      expected_q[Latency-2:0],
      divided(acc, mult, shift, signed'({res_signed & residual[7], residual}), res_mult)
    };
    if (cycle_q > 64 && cycle_q % 64 > 8) begin
      compared_o <= compared_o + 1;
      if ((`WIDE && wide != result[31:0]) || netlist_wide != wide || narrow != saturated ||
          netlist_narrow != narrow) begin
        wrong_o <= wrong_o + 1;
      end
    end
  end
  initial begin
    cycle_q = 0;
    compared_o = 0;
    wrong_o = 0;
  end
endmodule

`default_nettype wire
