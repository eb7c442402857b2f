// The Verilator model with a clock, its memory and an AXI4-Lite master: an engine as hosts see it.

#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "Vacs_engine_pins.h"
#include "axi_memory.hpp"
#include "verilated.h"
#if VM_TRACE_FST
#include "verilated_fst_c.h"
#endif

namespace acs {

// The engine broke a rule: an assertion, the AXI protocol, no answer on a bus.
struct Fault : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Session {
 public:
  AxiMemory memory;

  // `waves`: an FST file to write, or null.
  explicit Session(const char *waves) : context_(new VerilatedContext) {
    activate();
    // No worker threads: they would not survive fork(), and one model does not use them.
    context_->threads(1);
    context_->randReset(0);
    model_.reset(new Vacs_engine_pins(context_.get()));
#if VM_TRACE_FST
    if (waves != nullptr) {
      context_->traceEverOn(true);
      waves_.reset(new VerilatedFstC);
      model_->trace(waves_.get(), 99);
      waves_->open(waves);
      if (!waves_->isOpen()) throw Fault(std::string(waves) + " cannot be written");
    }
#else
    if (waves != nullptr) throw Fault("this model was built without waves");
#endif
    reset();
  }

  // Several engines may live in a thread: each call begins with this.
  void activate() {
    Verilated::threadContextp(context_.get());
    active = this;
  }

  // The engine, of the session that is active, ends instruction `index` of a program.
  void instruction_ended(uint32_t index, uint64_t cycles) {
    if (index == 0) ends_.clear();
    ends_.push_back(cycles);
  }

  ~Session() {
    activate();
    model_->final();
#if VM_TRACE_FST
    if (waves_) waves_->close();
#endif
  }

  // Holds reset for a few edges.  Memories of the engine, regions and counters stay.
  void reset() {
    model_->s_axil_awvalid = model_->s_axil_wvalid = model_->s_axil_arvalid = 0;
    model_->s_axil_bready = model_->s_axil_rready = 0;
    model_->rst_n = 0;
    for (int i = 0; i < 4; ++i) tick();
    model_->rst_n = 1;
    tick();
  }

  void write_register(uint8_t address, uint32_t value, uint8_t strobe) {
    model_->s_axil_awvalid = model_->s_axil_wvalid = 1;
    model_->s_axil_awaddr = address;
    model_->s_axil_wdata = value;
    model_->s_axil_wstrb = strobe;
    model_->s_axil_bready = 1;
    for (int wait = 0;; ++wait) {
      tick();
      if (aw_taken_) model_->s_axil_awvalid = 0;
      if (w_taken_) model_->s_axil_wvalid = 0;
      if (aw_taken_ || w_taken_) written_at_ = edges_ - 1;
      if (b_taken_) break;
      if (wait == kMaxWait) throw Fault("no answer to a write of register " + hex(address));
    }
    model_->s_axil_bready = 0;
  }

  uint32_t read_register(uint8_t address) {
    model_->s_axil_arvalid = 1;
    model_->s_axil_araddr = address;
    model_->s_axil_rready = 1;
    for (int wait = 0;; ++wait) {
      tick();
      if (ar_taken_) model_->s_axil_arvalid = 0;
      if (r_taken_) break;
      if (wait == kMaxWait) throw Fault("no answer to a read of register " + hex(address));
    }
    model_->s_axil_rready = 0;
    return read_value_;
  }

  // Up to `edges` rising edges; stops after one at which the interrupt was seen, if wanted.
  uint64_t advance(uint64_t edges, bool stop_at_interrupt) {
    uint64_t done = 0;
    while (done < edges && !(stop_at_interrupt && interrupt_)) {
      tick();
      ++done;
    }
    return done;
  }

  uint64_t edges() const { return edges_; }
  uint64_t written_at() const { return written_at_; }
  uint64_t interrupted_at() const { return interrupted_at_; }
  bool interrupt() const { return interrupt_; }

  // Cycles from the start of the last program to the end of each of its instructions but END.
  const std::vector<uint64_t> &ends() const { return ends_; }

 private:
  static constexpr int kMaxWait = 1000;

  // One rising edge: sample all pins, clock the model, then let the memory answer.
  void tick() {
    const MemoryPins &pins = memory.pins();
    model_->m_axi_arready = pins.ar_ready;
    model_->m_axi_rvalid = pins.r_valid;
    model_->m_axi_rdata = pins.r_data;
    model_->m_axi_rresp = pins.r_resp;
    model_->m_axi_rlast = pins.r_last;
    model_->m_axi_awready = pins.aw_ready;
    model_->m_axi_wready = pins.w_ready;
    model_->m_axi_bvalid = pins.b_valid;
    model_->m_axi_bresp = pins.b_resp;
    model_->eval();
    const EnginePins engine = {
        bool(model_->m_axi_arvalid), bool(model_->m_axi_awvalid), bool(model_->m_axi_wvalid),
        bool(model_->m_axi_wlast),   model_->m_axi_wstrb == 0xFF, bool(model_->m_axi_rready),
        bool(model_->m_axi_bready),  model_->m_axi_araddr,        model_->m_axi_awaddr,
        model_->m_axi_wdata,         model_->m_axi_arlen,         model_->m_axi_awlen};
    aw_taken_ = model_->s_axil_awvalid && model_->s_axil_awready;
    w_taken_ = model_->s_axil_wvalid && model_->s_axil_wready;
    b_taken_ = model_->s_axil_bvalid && model_->s_axil_bready;
    ar_taken_ = model_->s_axil_arvalid && model_->s_axil_arready;
    r_taken_ = model_->s_axil_rvalid && model_->s_axil_rready;
    read_value_ = model_->s_axil_rdata;
    if (model_->irq && !interrupt_) interrupted_at_ = edges_;
    interrupt_ = model_->irq;
    dump();
    model_->clk = 1;
    model_->eval();
    dump();
    model_->clk = 0;
    const uint64_t now = edges_++;
    if (model_->rst_n) {
      const std::string violation = memory.edge(now, engine);
      if (!violation.empty()) throw Fault("AXI: " + violation);
    } else {
      memory.reset();
    }
    if (context_->gotError()) {
      context_->gotError(false);
      context_->gotFinish(false);
      throw Fault("an assertion of the engine failed: " + stopped_at);
    }
  }

  void dump() {
#if VM_TRACE_FST
    if (waves_) waves_->dump(dumps_++);
#endif
  }

  static std::string hex(unsigned value) {
    char text[16];
    snprintf(text, sizeof text, "0x%02x", value);
    return text;
  }

 public:
  // Where the model stopped last, by vl_stop.
  static thread_local std::string stopped_at;
  // The session whose clock runs in this thread.
  static thread_local Session *active;

 private:
  std::vector<uint64_t> ends_;
  std::unique_ptr<VerilatedContext> context_;
  std::unique_ptr<Vacs_engine_pins> model_;
#if VM_TRACE_FST
  std::unique_ptr<VerilatedFstC> waves_;
  uint64_t dumps_ = 0;
#endif
  uint64_t edges_ = 0, written_at_ = 0, interrupted_at_ = 0;
  uint32_t read_value_ = 0;
  bool aw_taken_ = false, w_taken_ = false, b_taken_ = false, ar_taken_ = false, r_taken_ = false;
  bool interrupt_ = false;
};

}  // namespace acs
