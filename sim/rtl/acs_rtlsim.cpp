// C interface of the RTL simulation: the Verilator model with an AXI memory, as a shared library.
//
// The memory answers reads in order, `latency` cycles after their address, one beat a cycle at most
// and `bandwidth` of 256 cycles on average; writes likewise.  With a seed, every channel pauses at
// random.  Buffers lie far apart, so that an access outside all of them is seen, counted, and
// answered with DECERR.

#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>

#include "Vacs_engine.h"
#include "verilated.h"

double sc_time_stamp() { return 0; }

namespace {

struct Buffer {
  uint64_t base;
  uint64_t *words;
  uint64_t count;
};

struct Burst {
  uint64_t address;
  unsigned beats;
  uint64_t ready_at;
};

struct Options {
  uint32_t latency;
  uint32_t bandwidth;      // of 256
  uint32_t seed;           // 0: no pauses
  uint32_t fail_read;      // beat of all that answers with SLVERR, counted from 1; 0: none
  uint32_t fail_write;     // burst of all
  uint64_t max_cycles;
};

struct Outcome {
  uint32_t spec_hash;
  uint32_t configuration;
  uint32_t status;
  uint32_t fault_index;
  uint64_t cycles;         // from the write of start to done
  uint64_t read_beats;
  uint64_t written_beats;
  uint64_t stray;          // beats outside all buffers, or writes outside the result buffer
  uint32_t finished;       // 0: max_cycles passed
};

class Simulation {
 public:
  Simulation() : context_(new VerilatedContext), model_(new Vacs_engine(context_.get())) {
    context_->randReset(0);
    model_->rst_ni = 0;
    model_->clk_i = 0;
    for (int i = 0; i < 4; ++i) tick();
    model_->rst_ni = 1;
    tick();
  }
  ~Simulation() { model_->final(); }

  void run(const Buffer *buffers, uint32_t trace, const Options &options, Outcome &outcome) {
    buffers_ = buffers;
    options_ = options;
    outcome_ = Outcome();
    random_ = options.seed;
    reads_.clear();
    writes_.clear();
    answers_.clear();
    read_credit_ = write_credit_ = 0;
    for (int i = 0; i < 4; ++i) {
      write_register(0x10 + 12 * i, uint32_t(buffers[i].base));
      write_register(0x14 + 12 * i, uint32_t(buffers[i].base >> 32));
      write_register(0x40 + 8 * i, uint32_t(buffers[i].count));
    }
    write_register(0x60, trace);
    write_register(0x0c, read_register(0x0c));
    write_register(0x04, 1);
    write_register(0x08, 1);
    const uint64_t start = cycle_;
    write_register(0x00, 1);
    while (!model_->interrupt_o && cycle_ - start < options.max_cycles) tick();
    outcome_.finished = model_->interrupt_o;
    outcome_.cycles = cycle_ - start;
    if (outcome_.finished) {
      write_register(0x0c, 1);
      outcome_.spec_hash = read_register(0x68);
      outcome_.configuration = read_register(0x78);
      outcome_.status = read_register(0x88);
      outcome_.fault_index = read_register(0x98);
      read_register(0x00);
    } else {
      model_->rst_ni = 0;
      for (int i = 0; i < 4; ++i) tick();
      model_->rst_ni = 1;
      tick();
    }
    outcome = outcome_;
  }

 private:
  bool pause() {
    if (options_.seed == 0) return false;
    random_ = random_ * 1664525u + 1013904223u;
    return (random_ >> 28) < 5;
  }

  uint64_t *locate(uint64_t address, bool write) {
    for (int i = 0; i < 4 && buffers_ != nullptr; ++i) {
      const Buffer &b = buffers_[i];
      if (address >= b.base && (address - b.base) / 8 < b.count) {
        if (write && i != 3) break;
        return b.words + (address - b.base) / 8;
      }
    }
    ++outcome_.stray;
    return nullptr;
  }

  // What the memory shows in this cycle, before the clock's edge.
  void present() {
    model_->m_axi_arready_i = reads_.size() < 16 && !pause();
    model_->m_axi_awready_i = writes_.size() < 4 && !pause();
    read_credit_ += options_.bandwidth;
    if (read_credit_ > 512) read_credit_ = 512;
    write_credit_ += options_.bandwidth;
    if (write_credit_ > 512) write_credit_ = 512;
    model_->m_axi_wready_i = !writes_.empty() && write_credit_ >= 256 && !pause();
    // A valid beat stays until it is taken.
    if (!model_->m_axi_rvalid_i || r_taken_) {
      r_taken_ = false;
      const bool ready = !reads_.empty() && reads_.front().ready_at <= cycle_ &&
                         read_credit_ >= 256 && !pause();
      model_->m_axi_rvalid_i = ready;
      if (ready) {
        read_credit_ -= 256;
        Burst &burst = reads_.front();
        const uint64_t *word = locate(burst.address, false);
        ++outcome_.read_beats;
        model_->m_axi_rdata_i = word ? *word : 0xBADBADBADBADBADBull;
        model_->m_axi_rresp_i = !word ? 3 : outcome_.read_beats == options_.fail_read ? 2 : 0;
        burst.address += 8;
        model_->m_axi_rlast_i = --burst.beats == 0;
        if (burst.beats == 0) reads_.pop_front();
      }
    }
    if (!model_->m_axi_bvalid_i || b_taken_) {
      b_taken_ = false;
      const bool ready = !answers_.empty() && answers_.front().ready_at <= cycle_ && !pause();
      model_->m_axi_bvalid_i = ready;
      if (ready) {
        model_->m_axi_bresp_i = answers_.front().beats;
        answers_.pop_front();
      }
    }
  }

  // What happens at the edge.
  void sample() {
    if (model_->m_axi_arvalid_o && model_->m_axi_arready_i) {
      reads_.push_back({model_->m_axi_araddr_o, model_->m_axi_arlen_o + 1u,
                        cycle_ + options_.latency});
    }
    if (model_->m_axi_awvalid_o && model_->m_axi_awready_i) {
      writes_.push_back({model_->m_axi_awaddr_o, model_->m_axi_awlen_o + 1u, 0});
    }
    if (model_->m_axi_rvalid_i && model_->m_axi_rready_o) r_taken_ = true;
    if (model_->m_axi_bvalid_i && model_->m_axi_bready_o) b_taken_ = true;
    if (model_->m_axi_wvalid_o && model_->m_axi_wready_i) {
      write_credit_ -= 256;
      Burst &burst = writes_.front();
      uint64_t *word = locate(burst.address, true);
      ++outcome_.written_beats;
      if (word) *word = model_->m_axi_wdata_o;
      if (!word) write_failed_ = true;
      burst.address += 8;
      if (--burst.beats == 0) {
        ++bursts_;
        const unsigned response = write_failed_ ? 3 : bursts_ == options_.fail_write ? 2 : 0;
        answers_.push_back({0, response, cycle_ + options_.latency});
        write_failed_ = false;
        writes_.pop_front();
      }
    }
  }

  void tick() {
    present();
    model_->eval();
    sample();
    model_->clk_i = 1;
    model_->eval();
    model_->clk_i = 0;
    ++cycle_;
    if (!model_->rst_ni) {
      reads_.clear();
      writes_.clear();
      answers_.clear();
      model_->m_axi_rvalid_i = model_->m_axi_bvalid_i = 0;
    }
  }

  void write_register(uint8_t address, uint32_t value) {
    model_->s_axil_awvalid_i = model_->s_axil_wvalid_i = 1;
    model_->s_axil_awaddr_i = address;
    model_->s_axil_wdata_i = value;
    model_->s_axil_wstrb_i = 15;
    model_->s_axil_bready_i = 1;
    model_->eval();
    while (!model_->s_axil_awready_o) tick();
    tick();
    model_->s_axil_awvalid_i = model_->s_axil_wvalid_i = 0;
    tick();
  }

  uint32_t read_register(uint8_t address) {
    model_->s_axil_arvalid_i = 1;
    model_->s_axil_araddr_i = address;
    model_->s_axil_rready_i = 0;
    model_->eval();
    while (!model_->s_axil_arready_o) tick();
    tick();
    model_->s_axil_arvalid_i = 0;
    model_->eval();
    while (!model_->s_axil_rvalid_o) tick();
    const uint32_t value = model_->s_axil_rdata_o;
    model_->s_axil_rready_i = 1;
    tick();
    model_->s_axil_rready_i = 0;
    return value;
  }

  std::unique_ptr<VerilatedContext> context_;
  std::unique_ptr<Vacs_engine> model_;
  const Buffer *buffers_ = nullptr;
  Options options_ = {0, 256, 0, 0, 0, 0};
  Outcome outcome_ = Outcome();
  uint32_t random_ = 0;
  std::deque<Burst> reads_, writes_, answers_;
  uint32_t read_credit_ = 0, write_credit_ = 0, bursts_ = 0;
  bool write_failed_ = false, r_taken_ = false, b_taken_ = false;
  uint64_t cycle_ = 0;
};

}  // namespace

extern "C" {

void *acs_rtlsim_new() { return new Simulation; }

void acs_rtlsim_delete(void *simulation) { delete static_cast<Simulation *>(simulation); }

void acs_rtlsim_run(void *simulation, uint64_t *program, uint32_t program_words, uint64_t *params,
                    uint32_t params_words, uint64_t *image, uint32_t image_words, uint64_t *result,
                    uint32_t result_words, uint32_t trace, const Options *options, Outcome *outcome) {
  // Not aligned to 4 KiB, so that bursts meet the boundary.
  const Buffer buffers[4] = {{0x1000000f00ull, program, program_words},
                             {0x2000000d38ull, params, params_words},
                             {0x3000000fe8ull, image, image_words},
                             {0x4000000fc0ull, result, result_words}};
  static_cast<Simulation *>(simulation)->run(buffers, trace, *options, *outcome);
}
}
