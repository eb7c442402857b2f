// The engine with a pin for every signal of its buses, under the names of the AXI specification.
// Simulators and the Verilog top of the IP, which cannot use structs, find the engine here.
`default_nettype none

module acs_engine_pins
  import acs_pkg::*;
#(
  parameter int unsigned LaneGroups    = 4,
  parameter int unsigned FeatureBlocks = 4096,
  parameter int unsigned BankWords     = 1024,
  parameter int unsigned VectorWords   = 1024,
  parameter int unsigned PostLanes     = 16,
  parameter int unsigned MultiplierBits = acs_pkg::multiplier_bits(LaneGroups)
) (
  input  wire logic        clk,
  input  wire logic        rst_n,
  output      logic        irq,
  input  wire logic        s_axil_awvalid,
  output      logic        s_axil_awready,
  input  wire logic [7:0]  s_axil_awaddr,
  input  wire logic        s_axil_wvalid,
  output      logic        s_axil_wready,
  input  wire logic [31:0] s_axil_wdata,
  input  wire logic [3:0]  s_axil_wstrb,
  output      logic        s_axil_bvalid,
  input  wire logic        s_axil_bready,
  output      logic [1:0]  s_axil_bresp,
  input  wire logic        s_axil_arvalid,
  output      logic        s_axil_arready,
  input  wire logic [7:0]  s_axil_araddr,
  output      logic        s_axil_rvalid,
  input  wire logic        s_axil_rready,
  output      logic [31:0] s_axil_rdata,
  output      logic [1:0]  s_axil_rresp,
  output      logic        m_axi_arid,
  output      logic        m_axi_arvalid,
  input  wire logic        m_axi_arready,
  output      logic [63:0] m_axi_araddr,
  output      logic [7:0]  m_axi_arlen,
  output      logic [2:0]  m_axi_arsize,
  output      logic [1:0]  m_axi_arburst,
  output      logic [1:0]  m_axi_aruser,    // number of the buffer that is read
  input  wire logic        m_axi_rid,
  input  wire logic        m_axi_rvalid,
  output      logic        m_axi_rready,
  input  wire logic [63:0] m_axi_rdata,
  input  wire logic [1:0]  m_axi_rresp,
  input  wire logic        m_axi_rlast,
  output      logic        m_axi_awid,
  output      logic        m_axi_awvalid,
  input  wire logic        m_axi_awready,
  output      logic [63:0] m_axi_awaddr,
  output      logic [7:0]  m_axi_awlen,
  output      logic [2:0]  m_axi_awsize,
  output      logic [1:0]  m_axi_awburst,
  output      logic        m_axi_wvalid,
  input  wire logic        m_axi_wready,
  output      logic [63:0] m_axi_wdata,
  output      logic [7:0]  m_axi_wstrb,
  output      logic        m_axi_wlast,
  input  wire logic        m_axi_bid,
  input  wire logic        m_axi_bvalid,
  output      logic        m_axi_bready,
  input  wire logic [1:0]  m_axi_bresp
);
  localparam logic [2:0] WordSize = 3'd3;  // binary logarithm of the bytes of a beat
  localparam logic [1:0] Incrementing = 2'b01;  // kind of burst

  axil_req_t axil_req;
  axil_rsp_t axil_rsp;
  axi_read_req_t axi_read_req;
  axi_read_rsp_t axi_read_rsp;
  axi_write_req_t axi_write_req;
  axi_write_rsp_t axi_write_rsp;

  assign axil_req = '{
    aw_valid: s_axil_awvalid,
    aw_addr: s_axil_awaddr,
    w_valid: s_axil_wvalid,
    w: '{data: s_axil_wdata, strb: s_axil_wstrb},
    b_ready: s_axil_bready,
    ar_valid: s_axil_arvalid,
    ar_addr: s_axil_araddr,
    r_ready: s_axil_rready
  };
  assign s_axil_awready = axil_rsp.aw_ready;
  assign s_axil_wready  = axil_rsp.w_ready;
  assign s_axil_bvalid  = axil_rsp.b_valid;
  assign s_axil_bresp   = axil_rsp.b_resp;
  assign s_axil_arready = axil_rsp.ar_ready;
  assign s_axil_rvalid  = axil_rsp.r_valid;
  assign s_axil_rdata   = axil_rsp.r.data;
  assign s_axil_rresp   = axil_rsp.r.resp;

  // All bursts have one ID, so that they are answered in order.
  assign m_axi_arid    = 1'b0;
  assign m_axi_arvalid = axi_read_req.ar_valid;
  assign m_axi_araddr  = axi_read_req.ar.addr;
  assign m_axi_arlen   = axi_read_req.ar.len;
  assign m_axi_arsize  = WordSize;
  assign m_axi_arburst = Incrementing;
  assign m_axi_aruser  = axi_read_req.ar.user;
  assign m_axi_rready  = axi_read_req.r_ready;
  assign axi_read_rsp = '{
    ar_ready: m_axi_arready,
    r_valid: m_axi_rvalid,
    r: '{data: m_axi_rdata, resp: m_axi_rresp, last: m_axi_rlast}
  };

  assign m_axi_awid    = 1'b0;
  assign m_axi_awvalid = axi_write_req.aw_valid;
  assign m_axi_awaddr  = axi_write_req.aw.addr;
  assign m_axi_awlen   = axi_write_req.aw.len;
  assign m_axi_awsize  = WordSize;
  assign m_axi_awburst = Incrementing;
  assign m_axi_wvalid  = axi_write_req.w_valid;
  assign m_axi_wdata   = axi_write_req.w.data;
  assign m_axi_wstrb   = {8{axi_write_req.w.enabled}};
  assign m_axi_wlast   = axi_write_req.w.last;
  assign m_axi_bready  = axi_write_req.b_ready;
  assign axi_write_rsp = '{
    aw_ready: m_axi_awready,
    w_ready: m_axi_wready,
    b_valid: m_axi_bvalid,
    b_resp: m_axi_bresp
  };

  logic unused_ids;
  assign unused_ids = ^{m_axi_rid, m_axi_bid};

  acs_engine #(
    .LaneGroups(LaneGroups),
    .FeatureBlocks(FeatureBlocks),
    .BankWords(BankWords),
    .VectorWords(VectorWords),
    .PostLanes(PostLanes),
    .MultiplierBits(MultiplierBits)
  ) u_engine (
    .clk_i      (clk),
    .rst_ni     (rst_n),
    .interrupt_o(irq),
    .axil_i     (axil_req),
    .axil_o     (axil_rsp),
    .axi_read_o (axi_read_req),
    .axi_read_i (axi_read_rsp),
    .axi_write_o(axi_write_req),
    .axi_write_i(axi_write_rsp)
  );

endmodule

`default_nettype wire
