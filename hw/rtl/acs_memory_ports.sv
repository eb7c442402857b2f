// The engine's ways to memory: the read master with the readers that share it, and the write
// master, which takes words of the header, of LINEARs and of traces.
`default_nettype none

module acs_memory_ports
  import acs_pkg::*;
(
  input  wire logic        clk_i,
  input  wire logic        rst_ni,
  output      logic [1:0]  core_rst_no,    // reset of the engine, but not of its registers: copies
  // Runs begin when the bus is ready for them, and are given up when it is dead.
  input  wire logic        start_i,
  output      logic        start_o,
  output      logic        abort_o,
  // Readers.
  input  wire logic        discard_i,      // words under way are not wanted any more
  output      logic        read_idle_o,    // nothing is under way
  input  wire logic  [READERS-1:0] read_req_valid_i,
  output      logic  [READERS-1:0] read_req_ready_o,
  input  wire span_t [READERS-1:0] read_req_i,
  output      logic  [READERS-1:0] read_valid_o,
  input  wire logic  [READERS-1:0] read_ready_i,
  output      logic [63:0] read_data_o,
  output      logic        read_error_o,   // the word came with an error answer
  output      logic        image_error_o,  // such a word of the image is taken now
  // Writers: a request, then its words from one of them.
  input  wire logic        write_req_valid_i,
  output      logic        write_req_ready_o,
  input  wire span_t       write_req_i,
  input  wire word_t       header_i,
  input  wire word_t       result_i,
  input  wire word_t       trace_i,
  output      logic        write_ready_o,
  output      logic        write_idle_o,
  input  wire logic        header_next_i,  // words to come are the header's
  output      logic        written_o,      // a word is written
  input  wire logic        clear_error_i,
  output      logic        write_error_o,
  // AXI4.
  output      axi_read_req_t  axi_read_o,
  input  wire axi_read_rsp_t  axi_read_i,
  output      axi_write_req_t axi_write_o,
  input  wire axi_write_rsp_t axi_write_i
);
  logic core_rst_n;
  logic req_valid, req_ready, data_valid, data_ready, data_error, share_idle, master_idle;
  logic [63:0] data;
  span_t req;
  axi_read_req_t read_req;
  axi_read_rsp_t read_rsp;
  axi_write_req_t write_req;
  axi_write_rsp_t write_rsp;
  logic [1:0] req_buffer;
  logic [$clog2(READERS)-1:0] reader;

  // After an error answer nothing but the header is written.
  logic failed_q, fails;
  assign fails = (read_rsp.r_valid && read_rsp.r.resp[1]) ||
                 (write_rsp.b_valid && write_rsp.b_resp[1]);
  always_ff @(posedge clk_i) failed_q <= core_rst_n && !clear_error_i && (failed_q || fails);

  assign read_idle_o = master_idle && share_idle;
  assign image_error_o = read_valid_o[READER_IMAGE] && read_ready_i[READER_IMAGE] && read_error_o;

  acs_read_share #(
    .Users(READERS)
  ) u_share (
    .clk_i,
    .rst_ni      (core_rst_n),
    .discard_i,
    .idle_o      (share_idle),
    .req_valid_i (read_req_valid_i),
    .req_ready_o (read_req_ready_o),
    .req_i       (read_req_i),
    .data_valid_o(read_valid_o),
    .data_ready_i(read_ready_i),
    .data_o      (read_data_o),
    .data_error_o(read_error_o),
    .req_valid_o (req_valid),
    .req_ready_i (req_ready),
    .req_o       (req),
    .req_user_o  (reader),
    .data_valid_i(data_valid),
    .data_ready_o(data_ready),
    .data_i      (data),
    .data_error_i(data_error)
  );

  always_comb begin
    unique case (32'(reader))
      READER_PROGRAM: req_buffer = BUFFER_PROGRAM;
      READER_IMAGE:   req_buffer = BUFFER_IMAGE;
      default:        req_buffer = BUFFER_PARAMS;
    endcase
  end

  acs_axi_read u_read (
    .clk_i,
    .rst_ni      (core_rst_n),
    .req_valid_i (req_valid),
    .req_ready_o (req_ready),
    .req_i       (req),
    .req_user_i  (req_buffer),
    .data_valid_o(data_valid),
    .data_ready_i(data_ready),
    .data_o      (data),
    .data_error_o(data_error),
    .idle_o      (master_idle),
    .axi_o       (read_req),
    .axi_i       (read_rsp)
  );

  acs_axi_write u_write (
    .clk_i,
    .rst_ni      (core_rst_n),
    .req_valid_i (write_req_valid_i),
    .req_ready_o (write_req_ready_o),
    .req_i       (write_req_i),
    .data_valid_i(header_i.valid || result_i.valid || trace_i.valid),
    .data_ready_o(write_ready_o),
    .data_i      (header_i.valid ? header_i.data : result_i.valid ? result_i.data : trace_i.data),
    .mute_i      ((failed_q || fails) && !header_next_i),
    .idle_o      (write_idle_o),
    .written_o,
    .clear_error_i,
    .error_o     (write_error_o),
    .axi_o       (write_req),
    .axi_i       (write_rsp)
  );

  acs_bus_guard u_guard (
    .clk_i,
    .rst_ni,
    .start_i,
    .start_o,
    .abort_o,
    .core_rst_no  ({core_rst_no, core_rst_n}),
    .read_i     (read_req),
    .read_o     (read_rsp),
    .write_i    (write_req),
    .write_o    (write_rsp),
    .axi_read_o,
    .axi_read_i,
    .axi_write_o,
    .axi_write_i
  );

endmodule

`default_nettype wire
