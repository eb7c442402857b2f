// C interface of the C simulation: the rendered HLS sources as a shared library.
//
// Built by acsgen with g++ and the ap_types headers; called from Python.  One library, one engine:
// its on-chip memories live on between calls, as block RAM does on the board.

#include "acs_engine.hpp"

static_assert(sizeof(acs::word_t) == sizeof(uint64_t), "buffers are passed as plain 64-bit words");

extern "C" {

void acs_count_clear();

struct AcsRegisters {
  uint32_t spec_hash;
  uint32_t configuration;
  uint32_t status;
  uint32_t fault_index;
};

void acs_csim_run(const uint64_t *program, uint32_t program_words, const uint64_t *params,
                  uint32_t params_words, const uint64_t *image, uint32_t image_words,
                  uint64_t *result, uint32_t result_words, uint32_t trace,
                  AcsRegisters *registers) {
  acs::EngineCall call;
  call.program = reinterpret_cast<const acs::word_t *>(program);
  call.params = const_cast<acs::word_t *>(reinterpret_cast<const acs::word_t *>(params));
  call.image = reinterpret_cast<const acs::word_t *>(image);
  call.result = reinterpret_cast<acs::word_t *>(result);
  call.program_words = program_words;
  call.params_words = params_words;
  call.image_words = image_words;
  call.result_words = result_words;
  call.trace = trace;
  call.spec_hash = &registers->spec_hash;
  call.configuration = &registers->configuration;
  call.status = &registers->status;
  call.fault_index = &registers->fault_index;
  acs_count_clear();
  acs::call_engine(call);
  hls::burst_ended();
}
}
