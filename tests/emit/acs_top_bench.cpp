// Runs a program on the top with the ports of the HLS engine: a memory behind every bundle, each with
// only the buffers that belong there, so that a read through the wrong one is stray.

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "Vacs_engine_top.h"
#include "axi_memory.hpp"
#include "verilated.h"

double sc_time_stamp() { return 0; }

static std::string stopped_at;
void vl_stop(const char *filename, int linenum, const char *) {
  stopped_at = std::string(filename) + ":" + std::to_string(linenum);
}

namespace {

constexpr int kBundles = 3;

struct Outcome {
  uint64_t cycles;
  uint64_t read_beats[kBundles], write_beats[kBundles], stray_beats[kBundles];
  uint32_t status, fault_index, finished;
};

// The pins of a bundle under one name, whichever bundle it is.
#define ACS_BUNDLE(n)                                                                               \
  acs::EnginePins sample##n(const Vacs_engine_top &m) {                                             \
    return {bool(m.m_axi_gmem##n##_ARVALID), bool(m.m_axi_gmem##n##_AWVALID),                       \
            bool(m.m_axi_gmem##n##_WVALID),  bool(m.m_axi_gmem##n##_WLAST),                         \
            m.m_axi_gmem##n##_WSTRB == 0xff,                                                        \
            bool(m.m_axi_gmem##n##_RREADY),  bool(m.m_axi_gmem##n##_BREADY),                        \
            m.m_axi_gmem##n##_ARADDR,        m.m_axi_gmem##n##_AWADDR,                              \
            m.m_axi_gmem##n##_WDATA,         m.m_axi_gmem##n##_ARLEN,                               \
            m.m_axi_gmem##n##_AWLEN};                                                               \
  }                                                                                                 \
  void drive##n(Vacs_engine_top &m, const acs::MemoryPins &p) {                                     \
    m.m_axi_gmem##n##_ARREADY = p.ar_ready;                                                         \
    m.m_axi_gmem##n##_RVALID = p.r_valid;                                                           \
    m.m_axi_gmem##n##_RDATA = p.r_data;                                                             \
    m.m_axi_gmem##n##_RRESP = p.r_resp;                                                             \
    m.m_axi_gmem##n##_RLAST = p.r_last;                                                             \
    m.m_axi_gmem##n##_AWREADY = p.aw_ready;                                                         \
    m.m_axi_gmem##n##_WREADY = p.w_ready;                                                           \
    m.m_axi_gmem##n##_BVALID = p.b_valid;                                                           \
    m.m_axi_gmem##n##_BRESP = p.b_resp;                                                             \
  }                                                                                                 \
  bool steady##n(const Vacs_engine_top &m) {                                                        \
    return m.m_axi_gmem##n##_ARSIZE == 3 && m.m_axi_gmem##n##_ARBURST == 1 &&                       \
           m.m_axi_gmem##n##_AWSIZE == 3 && m.m_axi_gmem##n##_AWBURST == 1 &&                       \
           (!m.m_axi_gmem##n##_WVALID || m.m_axi_gmem##n##_WSTRB == 0xff ||                         \
            m.m_axi_gmem##n##_WSTRB == 0);                                                          \
  }
ACS_BUNDLE(0)
ACS_BUNDLE(1)
ACS_BUNDLE(2)

class Bench {
 public:
  acs::AxiMemory memories[kBundles];
  std::string violation;

  Bench() : context_(new VerilatedContext), model_(new Vacs_engine_top(context_.get())) {
    model_->ap_rst_n = 0;
    for (int i = 0; i < 4; ++i) tick();
    model_->ap_rst_n = 1;
    tick();
  }

  void write(uint8_t address, uint32_t value) {
    model_->s_axi_control_AWVALID = model_->s_axi_control_WVALID = 1;
    model_->s_axi_control_AWADDR = address;
    model_->s_axi_control_WDATA = value;
    model_->s_axi_control_WSTRB = 15;
    model_->s_axi_control_BREADY = 1;
    for (int i = 0; i < 1000; ++i) {
      model_->eval();
      const bool aw = model_->s_axi_control_AWREADY, w = model_->s_axi_control_WREADY;
      const bool b = model_->s_axi_control_BVALID;
      tick();
      if (aw) model_->s_axi_control_AWVALID = 0;
      if (w) model_->s_axi_control_WVALID = 0;
      if (b) return;
    }
    violation = "no answer to a register write";
  }

  uint32_t read(uint8_t address) {
    model_->s_axi_control_ARVALID = 1;
    model_->s_axi_control_ARADDR = address;
    model_->s_axi_control_RREADY = 1;
    for (int i = 0; i < 1000; ++i) {
      model_->eval();
      const bool ar = model_->s_axi_control_ARREADY, r = model_->s_axi_control_RVALID;
      const uint32_t value = model_->s_axi_control_RDATA;
      tick();
      if (ar) model_->s_axi_control_ARVALID = 0;
      if (r) return value;
    }
    violation = "no answer to a register read";
    return 0;
  }

  uint64_t wait(uint64_t cycles) {
    for (uint64_t done = 1; done <= cycles; ++done) {
      tick();
      // Verilator's name for a port that is called like a word of C++.
      if (model_->__SYM__interrupt || !violation.empty()) return done;
    }
    return 0;
  }

 private:
  void tick() {
    drive0(*model_, memories[0].pins());
    drive1(*model_, memories[1].pins());
    drive2(*model_, memories[2].pins());
    model_->eval();
    const acs::EnginePins pins[kBundles] = {sample0(*model_), sample1(*model_), sample2(*model_)};
    if (model_->ap_rst_n && !(steady0(*model_) && steady1(*model_) && steady2(*model_))) {
      violation = "a burst of another kind than words in order";
    }
    model_->ap_clk = 1;
    model_->eval();
    model_->ap_clk = 0;
    for (int i = 0; i < kBundles; ++i) {
      if (!model_->ap_rst_n) {
        memories[i].reset();
        continue;
      }
      const std::string found = memories[i].edge(now_, pins[i]);
      if (!found.empty()) violation = "gmem" + std::to_string(i) + ": " + found;
    }
    ++now_;
    if (!stopped_at.empty()) violation = "an assertion failed: " + stopped_at;
  }

  std::unique_ptr<VerilatedContext> context_;
  std::unique_ptr<Vacs_engine_top> model_;
  uint64_t now_ = 0;
};

}  // namespace

#pragma GCC visibility push(default)
extern "C" {

void *acs_top_new() { return new Bench; }

const char *acs_top_violation(void *handle) { return static_cast<Bench *>(handle)->violation.c_str(); }

// `buffers`: program, params, image, result; `options`: of each bundle; `registers`: offsets of the
// four pointers, the four sizes, control, GIE, IER, ISR, status and fault index.
void acs_top_run(void *handle, uint64_t *const buffers[4], const uint32_t words[4],
                 const acs::MemoryOptions options[kBundles], const uint8_t registers[14],
                 uint64_t max_cycles, Outcome *outcome) {
  Bench &bench = *static_cast<Bench *>(handle);
  const uint64_t bases[4] = {0x10'0000'0f00, 0x20'0000'0d38, 0x30'0000'0fe8, 0x40'0000'0fc0};
  const int bundle[4] = {0, 1, 2, 0};
  for (int i = 0; i < kBundles; ++i) bench.memories[i].configure(options[i]);
  for (int i = 0; i < 4; ++i) {
    bench.memories[bundle[i]].map(bases[i], buffers[i], words[i], i == 3);
    bench.write(registers[i], uint32_t(bases[i]));
    bench.write(registers[i] + 4, uint32_t(bases[i] >> 32));
    bench.write(registers[4 + i], words[i]);
  }
  bench.write(registers[9], 1);   // GIE
  bench.write(registers[10], 1);  // IER
  bench.write(registers[8], 1);   // start
  outcome->cycles = bench.wait(max_cycles);
  outcome->finished = outcome->cycles != 0 && bench.violation.empty();
  bench.write(registers[11], 1);  // ISR
  bench.read(registers[8]);
  outcome->status = bench.read(registers[12]);
  outcome->fault_index = bench.read(registers[13]);
  for (int i = 0; i < kBundles; ++i) {
    const acs::MemoryCounters &counters = bench.memories[i].counters();
    outcome->read_beats[i] = counters.read_beats;
    outcome->write_beats[i] = counters.write_beats;
    outcome->stray_beats[i] = counters.stray_beats;
  }
  for (int i = 0; i < 4; ++i) bench.memories[bundle[i]].unmap(bases[i]);
}
}
#pragma GCC visibility pop
