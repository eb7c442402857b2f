// Shares the read master: requests are served in the order in which they were accepted, and every
// word goes to the user that asked for it.
//
// Users, memory and this module meet at registers only.  Who may ask is decided a cycle ahead: the
// first of those who want to has the grant for the next cycle, and the last user has it while
// nobody does, so that its requests need not wait.  Words leave through a register, with a second
// one for the word that was already on its way when the user was not ready.
//
// A user that asks early leaves its words in the read master's buffer until it takes them.  It must
// therefore be able to take them without any word that was asked for later.
`default_nettype none

module acs_read_share
  import acs_pkg::*;
#(
  parameter int unsigned Users    = 4,   // the first has precedence
  parameter int unsigned Requests = 64   // under way at once
) (
  input  wire logic                    clk_i,
  input  wire logic                    rst_ni,
  input  wire logic                    discard_i,     // drop all that is under way
  output      logic                    idle_o,        // nothing is under way
  // Users.
  input  wire logic [Users-1:0]        req_valid_i,
  output      logic [Users-1:0]        req_ready_o,   // of one user at a time
  input  wire span_t [Users-1:0]       req_i,         // at least one word
  output      logic [Users-1:0]        data_valid_o,
  input  wire logic [Users-1:0]        data_ready_i,
  output      logic [63:0]             data_o,
  output      logic                    data_error_o,
  // Read master.
  output      logic                    req_valid_o,
  input  wire logic                    req_ready_i,
  output      span_t                   req_o,
  output      logic [$clog2(Users)-1:0] req_user_o,
  input  wire logic                    data_valid_i,
  output      logic                    data_ready_o,
  input  wire logic [63:0]             data_i,
  input  wire logic                    data_error_i
);
  localparam int unsigned UW = $clog2(Users);

  if (Users < 2) begin : gen_bad_users
    $error("nothing to share");
  end

  logic [UW-1:0] chosen, granted_q, user, user_q;
  logic [Users-1:0] grant_q;
  logic [31:0] words, left_q;
  logic accepted, pending, begins, take, complete;
  logic active_q, last_q;  // words of a request are left; the next one is the last

  always_comb begin
    chosen = UW'(Users - 1);
    for (int unsigned i = Users; i > 0; i--) begin
      if (req_valid_i[i-1]) chosen = UW'(i - 1);
    end
  end

  // Requests that are accepted and whose words have not begun to come.  That there is room for
  // another one is told two cycles late, and so a little early.
  localparam int unsigned RW = $clog2(Requests) + 1;
  logic accepted_q;  // the request in req_o is new
  logic [RW-1:0] waiting_q;
  logic room_q;

  // There is a grant where the request's registers will be free: another user may come first, or
  // everything be dropped, but a request that was once offered to the read master stays.
  assign accepted    = (grant_q & req_valid_i) != '0 && !discard_i;
  assign req_ready_o = grant_q;

  always_ff @(posedge clk_i) begin
    granted_q <= chosen;
    grant_q   <= '0;
    if (rst_ni && !discard_i && room_q && !accepted && (!req_valid_o || req_ready_i)) begin
      grant_q[chosen] <= 1'b1;
    end
    if (!rst_ni) req_valid_o <= 1'b0;
    else req_valid_o <= accepted || (req_valid_o && !req_ready_i);
    if (grant_q != '0) begin
      req_o      <= req_i[granted_q];
      req_user_o <= granted_q;
    end
  end

  always_ff @(posedge clk_i) begin
    accepted_q <= rst_ni && accepted;
    room_q     <= rst_ni && waiting_q < RW'(Requests - 2);
    waiting_q  <= rst_ni ? waiting_q + RW'(accepted) - RW'(begins && pending) : '0;
  end

  logic place;
  acs_fifo #(
    .Width(UW + 32),
    .Depth(Requests),
    .OutputRegister(1'b1)
  ) u_requests (
    .clk_i,
    .rst_ni,
    .in_valid_i (accepted_q),
    .in_ready_o (place),
    .in_data_i  ({req_user_o, req_o.words}),
    .out_valid_o(pending),
    .out_ready_i(begins),
    .out_data_o ({user, words})
  );

  // The request whose words come now, counted down.
  assign begins   = !active_q || complete;
  assign take     = data_valid_i && data_ready_o;
  assign complete = take && last_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) active_q <= 1'b0;
    else if (begins) active_q <= pending;
    if (begins) begin
      user_q <= user;
      left_q <= words;
      last_q <= words == 32'd1;
    end else if (take) begin
      left_q <= left_q - 32'd1;
      last_q <= left_q == 32'd2;
    end
  end

  // The word on offer, by user, and the one behind it.
  logic [Users-1:0] valid_q, arriving;
  logic leaves;
  logic spare_valid_q;
  logic [Users-1:0] spare_user_q;
  logic [64:0] word_q, spare_q;
  assign data_ready_o = active_q && !spare_valid_q;
  assign data_valid_o = valid_q & {Users{!discard_i}};
  assign {data_error_o, data_o} = word_q;
  assign leaves       = (valid_q & ~data_ready_i) == '0;
  always_comb begin
    arriving         = '0;
    arriving[user_q] = take;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni || discard_i) begin
      valid_q       <= '0;
      spare_valid_q <= 1'b0;
    end else begin
      if (leaves) valid_q <= spare_valid_q ? spare_user_q : arriving;
      spare_valid_q <= !leaves && (spare_valid_q || take);
    end
    if (leaves) word_q <= spare_valid_q ? spare_q : {data_error_i, data_i};
    if (!spare_valid_q) begin
      spare_user_q <= arriving;
      spare_q      <= {data_error_i, data_i};
    end
  end

  assign idle_o = !accepted_q && !pending && !active_q && valid_q == '0;

`ifndef SYNTHESIS
  word_was_asked_for :
  assert property (@(posedge clk_i) disable iff (!rst_ni) data_valid_i |-> pending || active_q)
  else $error("a word that no user asked for");
  request_has_words :
  assert property (@(posedge clk_i) disable iff (!rst_ni) accepted |-> req_i[granted_q].words != 0)
  else $error("a request for no words");
  request_has_place :
  assert property (@(posedge clk_i) disable iff (!rst_ni) accepted |-> !req_valid_o || req_ready_i)
  else $error("a request without a place");
  request_has_room :
  assert property (@(posedge clk_i) disable iff (!rst_ni) accepted_q |-> place)
  else $error("a request is lost");
`endif

endmodule

`default_nettype wire
