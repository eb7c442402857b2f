// A window of the HLS engine as its C++ writes it (acs_window.hpp, acs_lanes.hpp): the half of
// every bank, the turn by whole segments and the move by pixels in choices of four, the padding,
// and the pairs of pixels for the multipliers.  Only for counting.
`default_nettype none

module hls_window #(
  parameter int unsigned Segments = 8,
  parameter int unsigned Pixels   = 8
) (
  input  wire logic                                          clk_i,
  input  wire logic [1:0][Segments-1:0][Pixels-1:0][7:0]     data_i,
  input  wire logic [Segments-1:0]                           upper_i,
  // By position in the plane: the segment is no padding.
  input  wire logic [Segments-1:0]                           inside_i,
  input  wire logic [$clog2(Segments)-1:0]                   turn_i,
  input  wire logic [$clog2(Pixels)-1:0]                     part_i,
  input  wire logic [Segments-1:0][Pixels-1:0]               in_columns_i,
  input  wire logic [7:0]                                    pad_i,
  input  wire logic                                          signed_i,
  // Pairs of lanes: the upper pixel, less one where the lower one is negative; and the lower one.
  output logic signed [Segments*Pixels/2-1:0][8:0]           upper_o,
  output logic signed [Segments*Pixels/2-1:0][8:0]           lower_o
);
  localparam int unsigned TwoBits = 2 * 8 * Pixels;
  typedef logic [Pixels-1:0][7:0] segment_t;
  segment_t [Segments-1:0] by_one_q, turned_q, moved_q;
  logic [Segments*Pixels-1:0][7:0] lanes_q;

  always_ff @(posedge clk_i) begin
    for (int i = 0; i < Segments; i++) begin
      by_one_q[i] <= turn_i[0] ? data_i[upper_i[(i+1)%Segments]][(i+1)%Segments]
          : data_i[upper_i[i]][i];
      turned_q[i] <= by_one_q[(i+2*int'(turn_i[$clog2(Segments)-1:1]))%Segments];
      moved_q[i]  <= TwoBits'({turned_q[(i+1)%Segments], turned_q[i]}) >> (8 * part_i[1:0]);
      for (int j = 0; j < Pixels; j++) begin
        if (in_columns_i[i][j] && (j + int'(part_i) < Pixels ? inside_i[i]
            : inside_i[(i+1)%Segments])) begin
          lanes_q[i*Pixels+j] <= !part_i[2] ? moved_q[i][j]
              : j < Pixels / 2 ? moved_q[i][j+Pixels/2] : moved_q[(i+1)%Segments][j-Pixels/2];
        end else begin
          lanes_q[i*Pixels+j] <= pad_i;
        end
      end
    end
    for (int i = 0; i < Segments * Pixels / 2; i++) begin
      lower_o[i] <= {signed_i & lanes_q[2*i][7], lanes_q[2*i]};
      upper_o[i] <= $signed({signed_i & lanes_q[2*i+1][7], lanes_q[2*i+1]})
          - $signed({8'b0, signed_i & lanes_q[2*i][7]});
    end
  end

  if (Pixels != 8) begin : gen_check
    $error("a move by up to three pixels, and one by four");
  end
endmodule

`default_nettype wire
