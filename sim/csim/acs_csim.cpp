// C interface of the C simulation: the rendered HLS sources as a shared library.
//
// Built by acsgen with g++ and the ap_types headers; called from Python.  One library, one engine: its
// on-chip memories live on between calls, as block RAM does on the board.

#include "acs_engine.hpp"

static_assert(sizeof(acs::word_t) == sizeof(uint64_t), "buffers are passed as plain 64-bit words");

extern "C" {

struct AcsRegisters {
  uint32_t spec_hash;
  uint32_t configuration;
  uint32_t status;
  uint32_t fault_index;
};

void acs_csim_run(const uint64_t *program, uint32_t program_words, const uint64_t *params,
                  uint32_t params_words, const uint64_t *image, uint32_t image_words, uint64_t *result,
                  uint32_t result_words, uint32_t trace, AcsRegisters *registers) {
  const acs::word_t *program_port = reinterpret_cast<const acs::word_t *>(program);
  const acs::word_t *params_port = reinterpret_cast<const acs::word_t *>(params);
  const acs::word_t *image_port = reinterpret_cast<const acs::word_t *>(image);
  acs::word_t *result_port = reinterpret_cast<acs::word_t *>(result);
  acs_engine(program_port, params_port, image_port, result_port, program_words, params_words,
             image_words, result_words, trace, &registers->spec_hash, &registers->configuration,
             &registers->status, &registers->fault_index);
}
}
