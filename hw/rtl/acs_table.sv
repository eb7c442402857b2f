// Receives channel tables ahead of their instructions, so that no word behind them has to wait: one
// serves the instruction that runs, the next one lies beside it.  There are four entries in a word,
// first those of the inputs, and one is written a cycle.
`default_nettype none

module acs_table
  import acs_isa_pkg::*;
  import acs_pkg::*;
(
  input  wire logic            clk_i,
  input  wire logic            rst_ni,
  input  wire logic            clear_i,       // a run begins or ends
  // The tables that memory was asked for, in order.
  input  wire logic            job_valid_i,
  input  wire table_job_t      job_i,
  // Words from memory.
  input  wire logic            data_valid_i,
  output      logic            data_ready_o,
  input  wire logic [63:0]     data_i,
  input  wire logic            data_error_i,  // the word came with an error answer
  output      table_write_t    write_o,
  // The oldest table, until it is released.
  output      logic            there_o,
  output      logic            bad_o,         // an entry is too large
  output      logic            error_o,       // a word came with an error answer
  output      logic            half_o,
  input  wire logic            release_i
);
  typedef logic [$bits(channels_t):0] entries_t;  // of both tables

  logic rst_n;
  assign rst_n = rst_ni && !clear_i;

  logic job_valid, job_ready, ends;
  table_job_t job;
  acs_fifo #(
    .Width($bits(table_job_t)),
    .Depth(8),
    .OutputRegister(1'b1)
  ) u_jobs (
    .clk_i,
    .rst_ni     (rst_n),
    .in_valid_i (job_valid_i),
    .in_ready_o (job_ready),
    .in_data_i  (job_i),
    .out_valid_o(job_valid),
    .out_ready_i(ends),
    .out_data_o (job)
  );

  logic known_q;  // what follows is of the job
  entries_t last_entry_q, entry_q;
  logic word_valid_q;
  logic [63:0] word_q;
  logic [15:0] entry;
  logic of_outputs, take, too_large;
  logic write_half_q;
  logic [1:0] tables_q, bad_q, error_q;  // complete ones; by half

  assign data_ready_o = known_q && tables_q != 2'd2 && !word_valid_q;
  assign take         = data_valid_i && data_ready_o;
  assign entry        = word_q[16*entry_q[1:0]+:16];
  assign of_outputs   = entry_q >= entries_t'(job.inputs);
  assign too_large    = entry >= (of_outputs ? 16'(job.outputs) : 16'(job.inputs));
  assign ends         = word_valid_q && entry_q == last_entry_q;
  assign write_o      = '{
      inputs: word_valid_q && !of_outputs,
      outputs: word_valid_q && of_outputs,
      half: write_half_q,
      address: listed_t'(of_outputs ? entry_q - entries_t'(job.inputs) : entry_q),
      earlier: listed_t'(entry_q - entries_t'(job.of_group)),
      channel: listed_t'(entry)
    };
  assign there_o = tables_q != 0;
  assign bad_o   = bad_q[half_o];
  assign error_o = error_q[half_o];

  always_ff @(posedge clk_i) begin
    last_entry_q <= entries_t'(job.inputs) + entries_t'(job.outputs) - 1'b1;
    if (take) word_q <= data_i;
    if (!rst_n) begin
      known_q      <= 1'b0;
      entry_q      <= '0;
      word_valid_q <= 1'b0;
      write_half_q <= 1'b0;
      half_o       <= 1'b0;
      tables_q     <= '0;
      bad_q        <= '0;
      error_q      <= '0;
    end else begin
      known_q  <= job_valid && !ends;
      tables_q <= tables_q + 2'(ends) - 2'(release_i);
      if (release_i) half_o <= !half_o;
      if (take) begin
        word_valid_q          <= 1'b1;
        error_q[write_half_q] <= data_error_i || (entry_q != 0 && error_q[write_half_q]);
      end
      if (word_valid_q) begin
        entry_q             <= entry_q + 1'b1;
        bad_q[write_half_q] <= too_large || (entry_q != 0 && bad_q[write_half_q]);
        if (&entry_q[1:0]) word_valid_q <= 1'b0;
      end
      if (ends) begin
        entry_q      <= '0;
        word_valid_q <= 1'b0;
        write_half_q <= !write_half_q;
      end
    end
  end

`ifndef SYNTHESIS
  job_has_place :
  assert property (@(posedge clk_i) disable iff (!rst_n) job_valid_i |-> job_ready)
  else $error("a table without a place");
  released_when_there :
  assert property (@(posedge clk_i) disable iff (!rst_n) release_i |-> there_o)
  else $error("a table released before it was there");
`endif

endmodule

`default_nettype wire
