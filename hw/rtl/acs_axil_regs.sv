// AXI4-Lite slave with the register map that Vitis HLS gives the C++ engine.
`default_nettype none

module acs_axil_regs
  import acs_isa_pkg::*;
(
  input  wire logic        clk_i,
  input  wire logic        rst_ni,
  // AXI4-Lite.
  input  wire logic        s_axil_awvalid_i,
  output      logic        s_axil_awready_o,
  input  wire logic [7:0]  s_axil_awaddr_i,
  input  wire logic        s_axil_wvalid_i,
  output      logic        s_axil_wready_o,
  input  wire logic [31:0] s_axil_wdata_i,
  input  wire logic [3:0]  s_axil_wstrb_i,
  output      logic        s_axil_bvalid_o,
  input  wire logic        s_axil_bready_i,
  output      logic [1:0]  s_axil_bresp_o,
  input  wire logic        s_axil_arvalid_i,
  output      logic        s_axil_arready_o,
  input  wire logic [7:0]  s_axil_araddr_i,
  output      logic        s_axil_rvalid_o,
  input  wire logic        s_axil_rready_i,
  output      logic [31:0] s_axil_rdata_o,
  output      logic [1:0]  s_axil_rresp_o,
  output      logic        interrupt_o,
  // To the engine.
  output      logic        start_o,
  input  wire logic        done_i,
  output      logic [3:0][63:0] pointers_o,   // program, params, image, result
  output      logic [3:0][31:0] sizes_o,      // the same, in words
  output      logic        trace_o,
  input  wire logic [31:0] configuration_i,
  input  wire logic [31:0] status_i,
  input  wire logic [31:0] fault_index_i
);
  logic [3:0][63:0] pointers_q;
  logic [3:0][31:0] sizes_q;
  logic [31:0]      trace_q;
  logic             start_q, busy_q, done_q, ready_q, auto_q, gie_q;
  logic [1:0]       ier_q, isr_q, toggled;
  logic             b_valid_q, r_valid_q;
  logic [31:0]      r_data_q, r_data;
  logic             write, read;
  logic [7:0]       w_addr, r_addr;
  logic             aw_held_q, w_held_q;
  logic [5:0]       aw_addr_q;
  logic [31:0]      w_data_q;
  logic [3:0]       w_strb_q;

  function automatic logic [31:0] merge(input logic [31:0] old, input logic [31:0] data,
                                        input logic [3:0] strobe);
    for (int i = 0; i < 4; i++) merge[8*i+:8] = strobe[i] ? data[8*i+:8] : old[8*i+:8];
  endfunction

  // Address and data come in any order; with both here, the register is written.
  assign write = aw_held_q && w_held_q && (!b_valid_q || s_axil_bready_i);
  assign read  = s_axil_arvalid_i && (!r_valid_q || s_axil_rready_i);
  assign s_axil_awready_o = !aw_held_q;
  assign s_axil_wready_o  = !w_held_q;
  assign s_axil_arready_o = read;
  assign s_axil_bvalid_o  = b_valid_q;
  assign s_axil_rvalid_o  = r_valid_q;
  assign s_axil_rdata_o   = r_data_q;
  assign s_axil_bresp_o   = 2'b00;
  assign s_axil_rresp_o   = 2'b00;
  assign w_addr = {aw_addr_q, 2'b00};
  assign toggled = write && w_addr == REG_ISR && w_strb_q[0] ? w_data_q[1:0] : '0;
  assign r_addr = {s_axil_araddr_i[7:2], 2'b00};

  assign start_o     = start_q && !busy_q;
  assign interrupt_o = gie_q && (isr_q & ier_q) != '0;
  assign pointers_o  = pointers_q;
  assign sizes_o     = sizes_q;
  assign trace_o     = trace_q != 0;

  always_comb begin
    unique case (r_addr)
      REG_CONTROL:
        r_data = {22'b0, interrupt_o, 1'b0, auto_q, 3'b0, ready_q, !busy_q && !start_q, done_q,
                  start_q};
      REG_GIE:             r_data = {31'b0, gie_q};
      REG_IER:             r_data = {30'b0, ier_q};
      REG_ISR:             r_data = {30'b0, isr_q};
      REG_PROGRAM:         r_data = pointers_q[0][31:0];
      REG_PROGRAM + 8'd4:  r_data = pointers_q[0][63:32];
      REG_PARAMS:          r_data = pointers_q[1][31:0];
      REG_PARAMS + 8'd4:   r_data = pointers_q[1][63:32];
      REG_IMAGE:           r_data = pointers_q[2][31:0];
      REG_IMAGE + 8'd4:    r_data = pointers_q[2][63:32];
      REG_RESULT:          r_data = pointers_q[3][31:0];
      REG_RESULT + 8'd4:   r_data = pointers_q[3][63:32];
      REG_PROGRAM_WORDS:   r_data = sizes_q[0];
      REG_PARAMS_WORDS:    r_data = sizes_q[1];
      REG_IMAGE_WORDS:     r_data = sizes_q[2];
      REG_RESULT_WORDS:    r_data = sizes_q[3];
      REG_TRACE:           r_data = trace_q;
      REG_SPEC_HASH:       r_data = SPEC_HASH;
      REG_CONFIGURATION:   r_data = configuration_i;
      REG_STATUS:          r_data = status_i;
      REG_FAULT_INDEX:     r_data = fault_index_i;
      default:             r_data = '0;
    endcase
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      pointers_q <= '0;
      sizes_q    <= '0;
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
    end else begin
      if (write) begin
        aw_held_q <= 1'b0;
        w_held_q  <= 1'b0;
      end
      if (s_axil_awvalid_i && s_axil_awready_o) aw_held_q <= 1'b1;
      if (s_axil_wvalid_i && s_axil_wready_o) w_held_q <= 1'b1;
      if (s_axil_bready_i) b_valid_q <= 1'b0;
      if (write) b_valid_q <= 1'b1;
      if (s_axil_rready_i) r_valid_q <= 1'b0;
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
            if (w_strb_q[0]) begin
              if (w_data_q[0]) start_q <= 1'b1;
              auto_q <= w_data_q[7];
            end
          end
          REG_GIE: if (w_strb_q[0]) gie_q <= w_data_q[0];
          REG_IER: if (w_strb_q[0]) ier_q <= w_data_q[1:0];
          REG_ISR: isr_q <= isr_q ^ toggled;
          REG_PROGRAM:
            pointers_q[0][31:0] <= merge(pointers_q[0][31:0], w_data_q, w_strb_q);
          REG_PROGRAM + 8'd4:
            pointers_q[0][63:32] <= merge(pointers_q[0][63:32], w_data_q, w_strb_q);
          REG_PARAMS:
            pointers_q[1][31:0] <= merge(pointers_q[1][31:0], w_data_q, w_strb_q);
          REG_PARAMS + 8'd4:
            pointers_q[1][63:32] <= merge(pointers_q[1][63:32], w_data_q, w_strb_q);
          REG_IMAGE:
            pointers_q[2][31:0] <= merge(pointers_q[2][31:0], w_data_q, w_strb_q);
          REG_IMAGE + 8'd4:
            pointers_q[2][63:32] <= merge(pointers_q[2][63:32], w_data_q, w_strb_q);
          REG_RESULT:
            pointers_q[3][31:0] <= merge(pointers_q[3][31:0], w_data_q, w_strb_q);
          REG_RESULT + 8'd4:
            pointers_q[3][63:32] <= merge(pointers_q[3][63:32], w_data_q, w_strb_q);
          REG_PROGRAM_WORDS: sizes_q[0] <= merge(sizes_q[0], w_data_q, w_strb_q);
          REG_PARAMS_WORDS:  sizes_q[1] <= merge(sizes_q[1], w_data_q, w_strb_q);
          REG_IMAGE_WORDS:   sizes_q[2] <= merge(sizes_q[2], w_data_q, w_strb_q);
          REG_RESULT_WORDS:  sizes_q[3] <= merge(sizes_q[3], w_data_q, w_strb_q);
          REG_TRACE:         trace_q    <= merge(trace_q, w_data_q, w_strb_q);
          default: ;
        endcase
      end
      if (start_o) busy_q <= 1'b1;
      if (done_i) begin
        busy_q  <= 1'b0;
        done_q  <= 1'b1;
        ready_q <= 1'b1;
        start_q <= auto_q;
        // ISR collects what IER enables, whatever is toggled at the same time.
        isr_q   <= (isr_q ^ toggled) | ier_q;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (s_axil_awvalid_i && s_axil_awready_o) aw_addr_q <= s_axil_awaddr_i[7:2];
    if (s_axil_wvalid_i && s_axil_wready_o) begin
      w_data_q <= s_axil_wdata_i;
      w_strb_q <= s_axil_wstrb_i;
    end
  end

  acs_stream_check #(.Width(8)) u_aw (
    .clk_i,
    .rst_ni,
    .valid_i  (s_axil_awvalid_i),
    .ready_i  (s_axil_awready_o),
    .payload_i(s_axil_awaddr_i)
  );
  acs_stream_check #(.Width(36)) u_w (
    .clk_i,
    .rst_ni,
    .valid_i  (s_axil_wvalid_i),
    .ready_i  (s_axil_wready_o),
    .payload_i({s_axil_wdata_i, s_axil_wstrb_i})
  );
  acs_stream_check #(.Width(2)) u_b (
    .clk_i,
    .rst_ni,
    .valid_i  (s_axil_bvalid_o),
    .ready_i  (s_axil_bready_i),
    .payload_i(s_axil_bresp_o)
  );
  acs_stream_check #(.Width(8)) u_ar (
    .clk_i,
    .rst_ni,
    .valid_i  (s_axil_arvalid_i),
    .ready_i  (s_axil_arready_o),
    .payload_i(s_axil_araddr_i)
  );
  acs_stream_check #(.Width(34)) u_r (
    .clk_i,
    .rst_ni,
    .valid_i  (s_axil_rvalid_o),
    .ready_i  (s_axil_rready_i),
    .payload_i({s_axil_rdata_o, s_axil_rresp_o})
  );

  logic unused;
  assign unused = ^{s_axil_awaddr_i[1:0], s_axil_araddr_i[1:0]};

endmodule

`default_nettype wire
