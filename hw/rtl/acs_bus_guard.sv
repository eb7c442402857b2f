// Between the engine and its bus: knows what the bus still owes, also over a reset of the engine
// that the memory does not see.
//
// AXI4 lets nobody take a request back.  Beats and answers that are owed when the engine is reset
// still come, and a write burst that was cut still waits for its words.  So the counters here are
// not reset.  After a reset, owed reads are taken and dropped, and a cut burst is finished with
// words that are not written (no strobes), before a run starts.  Where nothing moves for
// 2**QuietLog2 cycles, the memory was reset too and owes nothing; if it took words of a burst
// whose address it has forgotten, it gets a burst for them, and if it has forgotten words that it
// took before their address, it gets as many again.
//
// A run whose memory is owing and does not move for 2**DeadLog2 cycles is given up: the engine
// behind is reset, and the status says so.
`default_nettype none

module acs_bus_guard
  import acs_pkg::*;
#(
  parameter int unsigned QuietLog2 = 12,
  parameter int unsigned DeadLog2  = 16
) (
  input  wire logic           clk_i,
  input  wire logic           rst_ni,
  // Runs.
  input  wire logic           start_i,
  output      logic           start_o,      // the bus is ready for a run
  output      logic           abort_o,      // the run is given up
  output      logic [2:0]     core_rst_no,  // reset of the engine behind: copies
  // The engine behind.
  input  wire axi_read_req_t  read_i,
  output      axi_read_rsp_t  read_o,
  input  wire axi_write_req_t write_i,
  output      axi_write_rsp_t write_o,
  // AXI4.
  output      axi_read_req_t  axi_read_o,
  input  wire axi_read_rsp_t  axi_read_i,
  output      axi_write_req_t axi_write_o,
  input  wire axi_write_rsp_t axi_write_i
);
  typedef enum logic [1:0] {
    StReset,
    StDrain,    // waits for all that is owed
    StReclaim,  // gives a memory that was reset the address or the words that it lacks
    StPass
  } state_e;

  // Not reset: the bus remembers too.  They are zero when the part is configured.
  state_e state_q = StReset;
  (* keep *) logic [2:0] core_rst_q = '0;
  logic [10:0] owed_q = '0;  // read beats
  logic [5:0] answers_q = '0;  // to write bursts
  logic open_q = 1'b0;  // a write burst is under way:
  logic addressed_q = 1'b0;  // its address was taken
  logic [8:0] left_q = '0;  // words to come
  logic [8:0] early_q = '0;  // words of it that were taken before its address,
  logic [8:0] forgotten_q = '0;  // and before the reset
  logic [8:0] loose_q = '0;  // words offered since the reset for an address taken before
  logic held_q = 1'b0;  // a read address that was offered when the run was given up
  logic ended_q = 1'b0;  // the run was given up
  logic resets_q = 1'b1;  // the engine's reset takes a second cycle
  logic waiting_q = 1'b0;  // a run waits for the bus
  logic clean_q = 1'b0;  // nothing is owed, and nothing more is asked for
  logic [DeadLog2:0] still_q = '0;  // cycles without a transfer

  logic pass, ar, r, aw, w, b, opens, complete, closes, early, clean, owing, still, quiet;
  logic [8:0] left;

  assign pass = state_q == StPass;

  // The channels: the engine's while it runs.
  always_comb begin
    axi_read_o          = read_i;
    axi_read_o.ar_valid = pass ? read_i.ar_valid : held_q && state_q != StReset;
    axi_read_o.r_ready  = !pass || read_i.r_ready;
    read_o              = axi_read_i;
    read_o.ar_ready     = pass && axi_read_i.ar_ready;
    read_o.r_valid      = pass && axi_read_i.r_valid;

    axi_write_o         = write_i;
    axi_write_o.b_ready = !pass || write_i.b_ready;
    write_o             = axi_write_i;
    write_o.b_valid     = pass && axi_write_i.b_valid;
    if (!pass) begin
      axi_write_o.aw_valid  = open_q && !addressed_q && state_q != StReset;
      axi_write_o.w_valid   = open_q && left_q != 0 && state_q != StReset;
      axi_write_o.w.enabled = 1'b0;
      axi_write_o.w.last    = left_q == 9'd1;
      if (state_q == StReclaim) axi_write_o.aw.len = 8'(loose_q - 9'd1);
      write_o.aw_ready = 1'b0;
      write_o.w_ready  = 1'b0;
    end
  end

  assign ar = axi_read_o.ar_valid && axi_read_i.ar_ready;
  assign r  = axi_read_i.r_valid && axi_read_o.r_ready;
  assign aw = axi_write_o.aw_valid && axi_write_i.aw_ready;
  assign w  = axi_write_o.w_valid && axi_write_i.w_ready;
  assign b  = axi_write_i.b_valid && axi_write_o.b_ready;

  // The engine offers the address of a burst and its first word at once.
  assign opens  = pass && write_i.aw_valid && !open_q;
  assign left   = (opens ? 9'(write_i.aw.len) + 9'd1 : left_q) - 9'(w);
  // That no word is left is told without their difference.
  assign complete = opens ? write_i.aw.len == 0 && w : left_q == 9'(w);
  assign early  = w && !aw && (opens || !addressed_q);
  assign closes = (opens || open_q) && (aw || (addressed_q && !opens)) && complete;
  assign clean  = owed_q == 0 && answers_q == 0 && !open_q && !held_q;
  assign owing  = owed_q != 0 || answers_q != 0;
  assign still  = !(ar || r || aw || w || b);
  assign quiet  = still_q[QuietLog2];

  assign abort_o     = ended_q;
  assign core_rst_no = core_rst_q;

  for (genvar copy = 0; copy < 3; copy++) begin : gen_reset
    (* keep *) always_ff @(posedge clk_i) core_rst_q[copy] <= rst_ni && !ended_q && !resets_q;
  end

  always_ff @(posedge clk_i) begin
    // Everybody behind begins by it.
    start_o    <= rst_ni && pass && (start_i || waiting_q);
    // Units behind that see a copy of it, a cycle late, are reset before others go on.
    resets_q   <= !rst_ni || ended_q;
    ended_q    <= 1'b0;
    waiting_q  <= rst_ni && (start_i || waiting_q) && !pass;
    still_q    <= still && (!pass || (owing && !open_q)) ? still_q + 1'b1 : '0;

    // No run starts before the engine is there, and whoever sees its reset late.
    clean_q   <= clean && !ended_q && !resets_q && (state_q == StDrain || state_q == StReclaim);

    owed_q    <= owed_q + (ar ? 11'(axi_read_o.ar.len) + 11'd1 : '0) - 11'(r && owed_q != 0);
    answers_q <= answers_q + 6'(closes) - 6'(b && answers_q != 0);
    left_q    <= left;
    early_q   <= (opens ? '0 : early_q) + 9'(early);
    if (opens) begin
      open_q      <= 1'b1;
      addressed_q <= 1'b0;
    end
    if (aw) addressed_q <= 1'b1;
    if (w && state_q == StDrain && addressed_q) loose_q <= loose_q + 9'd1;
    if (closes) open_q <= 1'b0;
    if (b && answers_q == 6'd1 && !open_q) begin
      // Answered: memory knew the address, and had the words.
      loose_q     <= '0;
      forgotten_q <= '0;
    end
    if (ar && !pass) held_q <= 1'b0;

    unique case (state_q)
      StReset: begin
        still_q <= '0;
        held_q  <= 1'b0;
        // The memory knows nothing of this burst.
        if (!addressed_q && early_q == 0) open_q <= 1'b0;
        forgotten_q <= addressed_q ? '0 : early_q;
        if (rst_ni) state_q <= StDrain;
      end
      StDrain, StReclaim: begin
        if (clean_q) begin
          state_q <= StPass;
        end else if (quiet) begin
          owed_q    <= '0;
          answers_q <= '0;
          still_q   <= '0;
          state_q   <= StPass;
          open_q    <= 1'b0;
          held_q    <= 1'b0;
          if (state_q == StDrain && forgotten_q != 0 && addressed_q) begin
            open_q  <= 1'b1;
            left_q  <= forgotten_q;
            state_q <= StReclaim;
          end else if (state_q == StDrain && (loose_q != 0 || (open_q && addressed_q))) begin
            open_q      <= 1'b1;
            addressed_q <= 1'b0;
            loose_q     <= loose_q + left_q;
            state_q     <= StReclaim;
          end
        end
      end
      default: begin
        loose_q     <= '0;
        forgotten_q <= '0;
        if (still_q[DeadLog2]) begin
          held_q  <= read_i.ar_valid && !axi_read_i.ar_ready;
          ended_q <= 1'b1;
          still_q <= '0;
          state_q <= StDrain;
        end
      end
    endcase
    if (!rst_ni) state_q <= StReset;
  end

`ifndef SYNTHESIS
  // The engine sends no more words than it announced.
  word_is_announced :
  assert property (@(posedge clk_i) disable iff (!rst_ni) w |-> opens || (open_q && left_q != 0))
  else $error("a word of no burst");
`endif

endmodule

`default_nettype wire
