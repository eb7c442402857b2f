// AXI4-Lite slave with the register map that Vitis HLS gives the C++ engine.
//
// A run has the arguments that were there when it started: what is written later is for the next
// one.
`default_nettype none

module acs_axil_regs
  import acs_isa_pkg::*;
  import acs_pkg::*;
(
  input  wire logic        clk_i,
  input  wire logic        rst_ni,
  // AXI4-Lite.
  input  wire axil_req_t   axil_i,
  output      axil_rsp_t   axil_o,
  output      logic        interrupt_o,
  // To the engine.
  output      logic        start_o,
  input  wire logic        done_i,
  input  wire logic        abort_i,       // the bus let the run down, at this instruction:
  input  wire logic [31:0] index_i,
  output      buffers_t    buffers_o,     // of the run
  output      logic        trace_o,
  input  wire logic [31:0] configuration_i,
  input  wire logic [31:0] status_i,
  input  wire logic [31:0] fault_index_i
);
  buffers_t buffers_q;
  logic [31:0] trace_q;
  logic start_q, busy_q, done_q, ready_q, auto_q, gie_q;
  logic [1:0] ier_q, isr_q, toggled;
  logic begins, start_written;
  logic gave_up_q;
  logic [31:0] index_q;
  logic b_valid_q, r_valid_q;
  logic [31:0] r_data_q, r_data;
  logic write, read;
  logic [7:0] w_addr, r_addr;
  logic aw_held_q, w_held_q;
  logic [5:0] aw_addr_q;
  logic [31:0] w_data_q;
  logic [3:0] w_strb_q;

  function automatic logic [31:0] merge(input logic [31:0] old, input logic [31:0] data,
                                        input logic [3:0] strobe);
    for (int i = 0; i < 4; i++) merge[8*i+:8] = strobe[i] ? data[8*i+:8] : old[8*i+:8];
  endfunction

  // Address and data come in any order; with both here, the register is written.
  assign write = aw_held_q && w_held_q && (!b_valid_q || axil_i.b_ready);
  assign read  = axil_i.ar_valid && (!r_valid_q || axil_i.r_ready);
  assign axil_o = '{
    aw_ready: !aw_held_q,
    w_ready: !w_held_q,
    b_valid: b_valid_q,
    b_resp: 2'b00,
    ar_ready: read,
    r_valid: r_valid_q,
    r: '{data: r_data_q, resp: 2'b00}
  };
  assign w_addr = {aw_addr_q, 2'b00};
  assign toggled = write && w_addr == REG_ISR && w_strb_q[0] ? w_data_q[1:0] : '0;
  assign r_addr = {axil_i.ar_addr[7:2], 2'b00};

  assign begins        = start_q && !busy_q;
  assign start_written = write && w_addr == REG_CONTROL && w_strb_q[0] && w_data_q[0];
  assign interrupt_o = gie_q && (isr_q & ier_q) != '0;

  always_comb begin
    unique case (r_addr)
      REG_CONTROL:
        r_data = {22'b0, interrupt_o, 1'b0, auto_q, 3'b0, ready_q, !busy_q && !start_q, done_q,
                  start_q};
      REG_GIE:             r_data = {31'b0, gie_q};
      REG_IER:             r_data = {30'b0, ier_q};
      REG_ISR:             r_data = {30'b0, isr_q};
      REG_PROGRAM:         r_data = buffers_q.instructions.address[31:0];
      REG_PROGRAM + 8'd4:  r_data = buffers_q.instructions.address[63:32];
      REG_PARAMS:          r_data = buffers_q.params.address[31:0];
      REG_PARAMS + 8'd4:   r_data = buffers_q.params.address[63:32];
      REG_IMAGE:           r_data = buffers_q.image.address[31:0];
      REG_IMAGE + 8'd4:    r_data = buffers_q.image.address[63:32];
      REG_RESULT:          r_data = buffers_q.result.address[31:0];
      REG_RESULT + 8'd4:   r_data = buffers_q.result.address[63:32];
      REG_PROGRAM_WORDS:   r_data = buffers_q.instructions.words;
      REG_PARAMS_WORDS:    r_data = buffers_q.params.words;
      REG_IMAGE_WORDS:     r_data = buffers_q.image.words;
      REG_RESULT_WORDS:    r_data = buffers_q.result.words;
      REG_TRACE:           r_data = trace_q;
      REG_SPEC_HASH:       r_data = SPEC_HASH;
      REG_CONFIGURATION:   r_data = configuration_i;
      REG_STATUS:          r_data = gave_up_q ? 32'(STATUS_BUS_TIMEOUT) : status_i;
      REG_FAULT_INDEX:     r_data = gave_up_q ? index_q : fault_index_i;
      default:             r_data = '0;
    endcase
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      buffers_q  <= '0;
      trace_q    <= '0;
      start_q    <= 1'b0;
      busy_q     <= 1'b0;
      done_q     <= 1'b0;
      ready_q    <= 1'b0;
      aw_held_q  <= 1'b0;
      w_held_q   <= 1'b0;
      auto_q     <= 1'b0;
      gie_q      <= 1'b0;
      ier_q      <= '0;
      isr_q      <= '0;
      b_valid_q  <= 1'b0;
      r_valid_q  <= 1'b0;
      r_data_q   <= '0;
      start_o    <= 1'b0;
      gave_up_q  <= 1'b0;
    end else begin
      if (write) begin
        aw_held_q <= 1'b0;
        w_held_q  <= 1'b0;
      end
      if (axil_i.aw_valid && axil_o.aw_ready) aw_held_q <= 1'b1;
      if (axil_i.w_valid && axil_o.w_ready) w_held_q <= 1'b1;
      if (axil_i.b_ready) b_valid_q <= 1'b0;
      if (write) b_valid_q <= 1'b1;
      if (axil_i.r_ready) r_valid_q <= 1'b0;
      if (read) begin
        r_valid_q <= 1'b1;
        r_data_q  <= r_data;
        if (r_addr == REG_CONTROL) begin
          done_q  <= 1'b0;
          ready_q <= 1'b0;
        end
      end
      if (write) begin
        unique case (w_addr)
          REG_CONTROL: begin
            if (w_strb_q[0]) auto_q <= w_data_q[7];
          end
          REG_GIE: if (w_strb_q[0]) gie_q <= w_data_q[0];
          REG_IER: if (w_strb_q[0]) ier_q <= w_data_q[1:0];
          REG_ISR: isr_q <= isr_q ^ toggled;
          REG_PROGRAM:
            buffers_q.instructions.address[31:0] <=
              merge(buffers_q.instructions.address[31:0], w_data_q, w_strb_q);
          REG_PROGRAM + 8'd4:
            buffers_q.instructions.address[63:32] <=
              merge(buffers_q.instructions.address[63:32], w_data_q, w_strb_q);
          REG_PARAMS:
            buffers_q.params.address[31:0] <=
              merge(buffers_q.params.address[31:0], w_data_q, w_strb_q);
          REG_PARAMS + 8'd4:
            buffers_q.params.address[63:32] <=
              merge(buffers_q.params.address[63:32], w_data_q, w_strb_q);
          REG_IMAGE:
            buffers_q.image.address[31:0] <=
              merge(buffers_q.image.address[31:0], w_data_q, w_strb_q);
          REG_IMAGE + 8'd4:
            buffers_q.image.address[63:32] <=
              merge(buffers_q.image.address[63:32], w_data_q, w_strb_q);
          REG_RESULT:
            buffers_q.result.address[31:0] <=
              merge(buffers_q.result.address[31:0], w_data_q, w_strb_q);
          REG_RESULT + 8'd4:
            buffers_q.result.address[63:32] <=
              merge(buffers_q.result.address[63:32], w_data_q, w_strb_q);
          REG_PROGRAM_WORDS:
            buffers_q.instructions.words <= merge(buffers_q.instructions.words, w_data_q, w_strb_q);
          REG_PARAMS_WORDS:
            buffers_q.params.words <= merge(buffers_q.params.words, w_data_q, w_strb_q);
          REG_IMAGE_WORDS:
            buffers_q.image.words <= merge(buffers_q.image.words, w_data_q, w_strb_q);
          REG_RESULT_WORDS:
            buffers_q.result.words <= merge(buffers_q.result.words, w_data_q, w_strb_q);
          REG_TRACE:         trace_q    <= merge(trace_q, w_data_q, w_strb_q);
          default: ;
        endcase
      end
      if (begins) busy_q <= 1'b1;
      start_o <= begins;
      if (begins) gave_up_q <= 1'b0;
      if (abort_i) gave_up_q <= 1'b1;
      if (done_i || abort_i) begin
        busy_q  <= 1'b0;
        done_q  <= 1'b1;
        ready_q <= 1'b1;
        start_q <= auto_q;  // a start that is written now is for the next run
        // ISR collects the events that IER enables, also when bits are toggled at the same time.
        isr_q   <= (isr_q ^ toggled) | ier_q;
      end
      if (start_written) start_q <= 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (begins) begin
      buffers_o <= buffers_q;
      trace_o   <= trace_q != 0;
    end
    if (abort_i) index_q <= index_i;
    if (axil_i.aw_valid && axil_o.aw_ready) aw_addr_q <= axil_i.aw_addr[7:2];
    if (axil_i.w_valid && axil_o.w_ready) begin
      w_data_q <= axil_i.w.data;
      w_strb_q <= axil_i.w.strb;
    end
  end

  acs_stream_check #(
    .Width(8)
  ) u_aw (
    .clk_i,
    .rst_ni,
    .valid_i  (axil_i.aw_valid),
    .ready_i  (axil_o.aw_ready),
    .payload_i(axil_i.aw_addr)
  );
  acs_stream_check #(
    .Width($bits(axil_w_t))
  ) u_w (
    .clk_i,
    .rst_ni,
    .valid_i  (axil_i.w_valid),
    .ready_i  (axil_o.w_ready),
    .payload_i(axil_i.w)
  );
  acs_stream_check #(
    .Width(2)
  ) u_b (
    .clk_i,
    .rst_ni,
    .valid_i  (axil_o.b_valid),
    .ready_i  (axil_i.b_ready),
    .payload_i(axil_o.b_resp)
  );
  acs_stream_check #(
    .Width(8)
  ) u_ar (
    .clk_i,
    .rst_ni,
    .valid_i  (axil_i.ar_valid),
    .ready_i  (axil_o.ar_ready),
    .payload_i(axil_i.ar_addr)
  );
  acs_stream_check #(
    .Width($bits(axil_r_t))
  ) u_r (
    .clk_i,
    .rst_ni,
    .valid_i  (axil_o.r_valid),
    .ready_i  (axil_i.r_ready),
    .payload_i(axil_o.r)
  );

endmodule

`default_nettype wire
