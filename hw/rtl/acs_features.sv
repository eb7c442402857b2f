// The feature memory and the modules that use it: the array, which reads blocks and adds them up,
// the clearing of masked channels, and the order in which port B serves them.
`default_nettype none

module acs_features
  import acs_isa_pkg::*;
  import acs_pkg::*;
#(
  parameter int unsigned LaneGroups    = 4,
  parameter int unsigned FeatureBlocks = 4096,
  parameter int unsigned BankWords     = 1024,
  parameter int unsigned MultiplierBits = multiplier_bits(LaneGroups)
) (
  input  wire logic         clk_i,
  input  wire logic         rst_ni,
  input  wire logic         clear_i,        // a run begins or ends
  input  wire instruction_t op_i,           // stable while iterations are under way
  input  wire logic         tail_i,         // results of the instruction before are written
  // Iterations.
  input  wire logic         iteration_valid_i,
  output      logic         iteration_ready_o,
  input  wire iteration_t   iteration_i,
  // Masked channels of exact zeros, at the end of the list of outputs.
  input  wire logic         clear_start_i,
  input  wire channels_t    clear_channels_i,
  input  wire logic [15:0]  clear_blocks_i, // of a channel
  output      logic         clear_busy_o,
  input  wire logic         list_ready_i,
  output      listed_t      list_addr_o,
  input  wire channel_t     list_channel_i,
  // Writes: of results, always accepted; behind one that another one does not follow at once come
  // three cycles without any.  Of the image, where there is none of a result; it waits until then.
  input  wire logic         result_valid_i,
  input  wire logic [7:0]   result_there_i, // copies of it
  input  wire logic         result_follows_i,  // another one comes in the next cycle
  input  wire block_write_t result_i,
  input  wire logic         loading_i,      // the image comes
  input  wire logic         image_valid_i,
  input  wire logic [7:0]   image_there_i,  // copies of image_valid_i
  input  wire block_write_t image_i,
  // Reads of blocks as stored; data four cycles later.  Residuals and copies never meet.
  input  wire logic         residual_valid_i,
  input  wire logic [15:0]  residual_addr_i,
  input  wire logic         copy_valid_i,
  input  wire logic [15:0]  copy_addr_i,
  output      logic         read_ready_o,
  output      logic         read_data_valid_o,
  output      segments_t    read_data_o,
  // Writes to the weight banks.
  input  wire logic [LaneGroups-1:0]        weight_write_i,
  input  wire logic                         weight_set_i,
  input  wire logic [$clog2(BankWords)-1:0] weight_addr_i,
  input  wire logic [63:0]                  weight_data_i,
  // Sum of a channel's pixels.
  output      logic               total_valid_o,
  output      logic signed [31:0] total_o,
  // Sums by lane group.
  output      logic  [LaneGroups-1:0] sums_valid_o,
  output      logic  [LaneGroups-1:0][SUMS_COPIES-1:0] sums_there_o,
  output      sums_t [LaneGroups-1:0] sums_o,
  output      pixels_t                maxima_o
);
  logic clear_valid, clear_ready, clears, read_valid, free;
  logic [15:0] clear_addr;
  logic comes, stored_valid, stored_valid_q, waited_q, must_q, goes;
  (* keep *) logic [7:0] stored_there_q;  // copies of stored_valid_q, one for each segment
  block_write_t stored_q, write;

  // Writes take a register, so that who has port B is decided among registers, and so that blocks
  // have a cycle to travel.  There they give way to iterations and reads, for two cycles at most:
  // taps that find their segments in place soon leave the port alone.  Writes of the instruction
  // before give way to nobody, and none does while the image comes, whose words follow.
  assign free  = !read_valid && (!iteration_i.use_b || iteration_i.again);
  assign goes  = must_q || free;
  assign comes = result_valid_i || image_valid_i;
  assign stored_valid = rst_ni && (comes || (stored_valid_q && !goes));
  for (genvar copy = 0; copy < 8; copy++) begin : gen_there
    (* keep *) always_ff @(posedge clk_i) stored_there_q[copy] <= stored_valid;
  end
  always_ff @(posedge clk_i) begin
    stored_valid_q <= stored_valid;
    waited_q       <= stored_valid_q && !comes;
    must_q         <= rst_ni && (comes ? tail_i || loading_i || result_follows_i :
                                         stored_valid_q && !goes && (tail_i || waited_q));
    if (comes) begin
      stored_q.address <= result_valid_i ? result_i.address : image_i.address;
      stored_q.banks   <= result_valid_i ? result_i.banks : image_i.banks;
    end
    for (int segment = 0; segment < 8; segment++) begin
      if (image_there_i[segment] || result_there_i[segment]) begin
        stored_q.data[segment] <= result_there_i[segment] ? result_i.data[segment]
                                                          : image_i.data[segment];
      end
    end
  end

  // Clearing comes last at port B, and after all results of the instruction before.
  assign read_valid  = residual_valid_i || copy_valid_i;
  assign clear_ready = !stored_valid_q && !tail_i && free;
  assign clears      = clear_valid && clear_ready;
  // What is written does not depend on who else wants the port.
  always_comb begin
    write = stored_q;
    if (!stored_valid_q) begin
      write.address = {2{clear_addr}};
      write.banks   = '1;
    end
  end

  acs_clear u_clear (
    .clk_i,
    .rst_ni,
    .clear_i,
    .start_i       (clear_start_i),
    .op_i,
    .channels_i    (clear_channels_i),
    .blocks_i      (clear_blocks_i),
    .busy_o        (clear_busy_o),
    .list_ready_i,
    .list_addr_o,
    .list_channel_i,
    .write_valid_o (clear_valid),
    .write_ready_i (clear_ready),
    .write_addr_o  (clear_addr)
  );

  // The instruction is there some cycles before its first iteration.
  logic windowed_q, raw_q, banks_q, maximum_q;
  always_ff @(posedge clk_i) begin
    windowed_q <= moves_window(op_i);
    raw_q      <= pixelwise(op_i);
    banks_q    <= op_i.opcode == OP_CONV;
    maximum_q  <= op_i.opcode == OP_POOL && op_i.pool_max;
  end

  acs_array #(
    .LaneGroups(LaneGroups),
    .FeatureBlocks(FeatureBlocks),
    .BankWords(BankWords),
    .MultiplierBits(MultiplierBits)
  ) u_array (
    .clk_i,
    .rst_ni,
    .op_i,
    .windowed_i       (windowed_q),
    .raw_i            (raw_q),
    .banks_i          (banks_q),
    .maximum_i        (maximum_q),
    .valid_i          (iteration_valid_i),
    .ready_o          (iteration_ready_o),
    .iteration_i,
    .write_valid_i    (clears || (stored_valid_q && goes)),
    .write_stored_i   (stored_there_q),
    .write_must_i     (must_q),
    .write_i          (write),
    .write_zeros_i    (clears),
    .read_valid_i     (read_valid),
    .read_ready_o,
    .read_addr_i      (residual_valid_i ? residual_addr_i : copy_addr_i),
    .read_data_valid_o,
    .read_data_o,
    .weight_write_i,
    .weight_set_i,
    .weight_addr_i,
    .weight_data_i,
    .total_valid_o,
    .total_o,
    .sums_valid_o,
    .sums_there_o,
    .sums_o,
    .maxima_o
  );

`ifndef SYNTHESIS
  writes_have_place :
  assert property (@(posedge clk_i) disable iff (!rst_ni) comes |-> !stored_valid_q || goes)
  else $error("a write in the place of one that waits");
  only_own_iterations_first :
  assert property (@(posedge clk_i) disable iff (!rst_ni) stored_valid_q && !goes |-> !tail_i)
  else $error("a write gives way to an iteration of another instruction");
`endif

endmodule

`default_nettype wire
