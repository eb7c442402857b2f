// A sum of two operands as a carry chain of its own, for Yosys' techmap: Vitis HLS writes every sum
// so, while Yosys would join a tree of sums into one with more tables.  Only for counting.
(* techmap_celltype = "$add $sub" *)
module two_operands (A, B, Y);
  parameter A_SIGNED = 0;
  parameter B_SIGNED = 0;
  parameter A_WIDTH = 1;
  parameter B_WIDTH = 1;
  parameter Y_WIDTH = 1;
  parameter _TECHMAP_CELLTYPE_ = "";
  input [A_WIDTH-1:0] A;
  input [B_WIDTH-1:0] B;
  output [Y_WIDTH-1:0] Y;

  localparam Empty = A_WIDTH == 0 || B_WIDTH == 0;
  wire _TECHMAP_FAIL_ = Empty;
  generate
    if (!Empty) begin
      localparam Subtracts = _TECHMAP_CELLTYPE_ == "$sub";
      wire [Y_WIDTH-1:0] x, co;
      \$alu #(
        .A_SIGNED(A_SIGNED), .B_SIGNED(B_SIGNED),
        .A_WIDTH(A_WIDTH), .B_WIDTH(B_WIDTH), .Y_WIDTH(Y_WIDTH)
      ) sum (.A(A), .B(B), .CI(Subtracts), .BI(Subtracts), .Y(Y), .X(x), .CO(co));
    end
  endgenerate
endmodule
