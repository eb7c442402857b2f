// Shares the read master: requests are served in the order in which they were accepted, and every
// word goes to the user that asked for it.
//
// A user that asks early leaves its words in the read master's buffer until it takes them.  It must
// therefore be able to take them without any word that was asked for later.
`default_nettype none

module acs_read_share
  import acs_pkg::*;
#(
  parameter int unsigned Users    = 4,   // the first has precedence
  parameter int unsigned Requests = 32   // under way at once
) (
  input  wire logic                    clk_i,
  input  wire logic                    rst_ni,
  input  wire logic                    discard_i,     // drop all that is under way
  output      logic                    idle_o,        // nothing is under way
  // Users.
  input  wire logic [Users-1:0]        req_valid_i,
  output      logic [Users-1:0]        req_ready_o,
  input  wire span_t [Users-1:0]       req_i,         // at least one word
  output      logic [Users-1:0]        data_valid_o,
  input  wire logic [Users-1:0]        data_ready_i,
  // Read master.
  output      logic                    req_valid_o,
  input  wire logic                    req_ready_i,
  output      span_t                   req_o,
  output      logic [$clog2(Users)-1:0] req_user_o,
  input  wire logic                    data_valid_i,
  output      logic                    data_ready_o
);
  localparam int unsigned UW = $clog2(Users);

  if (Users < 2) begin : gen_bad_users
    $error("nothing to share");
  end

  logic [UW-1:0] chosen, user;
  logic [31:0] words, taken_q;
  logic place, accepted, pending, take, complete;
  logic single, first_q, last_q;  // the request has one word; the next word is its first, its last

  always_comb begin
    chosen = '0;
    for (int unsigned i = Users; i > 0; i--) begin
      if (req_valid_i[i-1]) chosen = UW'(i - 1);
    end
  end

  // The chosen request is held in registers: another user may come first, or everything be dropped,
  // but a request that was once offered to the read master stays until it is taken.
  assign accepted = req_valid_i != '0 && place && !discard_i && (!req_valid_o || req_ready_i);
  always_comb begin
    req_ready_o         = '0;
    req_ready_o[chosen] = accepted;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) req_valid_o <= 1'b0;
    else if (!req_valid_o || req_ready_i) req_valid_o <= accepted;
    if (accepted) begin
      req_o      <= req_i[chosen];
      req_user_o <= chosen;
    end
  end

  acs_fifo #(
    .Width(UW + 33),
    .Depth(Requests),
    .OutputRegister(1'b1)
  ) u_requests (
    .clk_i,
    .rst_ni,
    .in_valid_i (accepted),
    .in_ready_o (place),
    .in_data_i  ({chosen, req_i[chosen].words == 32'd1, req_i[chosen].words}),
    .out_valid_o(pending),
    .out_ready_i(complete),
    .out_data_o ({user, single, words})
  );

  always_comb begin
    data_valid_o       = '0;
    data_valid_o[user] = pending && data_valid_i && !discard_i;
  end
  assign data_ready_o = pending && (discard_i || data_ready_i[user]);
  assign take         = data_valid_i && data_ready_o;
  assign complete     = take && (first_q ? single : last_q);
  assign idle_o       = !pending;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      taken_q <= '0;
      first_q <= 1'b1;
    end else if (take) begin
      taken_q <= complete ? '0 : taken_q + 32'd1;
      first_q <= complete;
    end
    // Whether the word that follows this one is the last.
    if (take) last_q <= taken_q + 32'd2 == words;
  end

`ifndef SYNTHESIS
  word_was_asked_for :
  assert property (@(posedge clk_i) disable iff (!rst_ni) data_valid_i |-> pending)
  else $error("a word that no user asked for");
  request_has_words :
  assert property (@(posedge clk_i) disable iff (!rst_ni) accepted |-> req_i[chosen].words != 0)
  else $error("a request for no words");
`endif

endmodule

`default_nettype wire
