// The sequencer: fetch, check, execute, count.
#pragma once

#include "acs_lists.hpp"

namespace acs {

// Where a program came to its end.
struct Stop {
  acs_isa::Status status;
  uint32_t index;
  bool unanswered;  // results are written, and the memory has not confirmed it
};

// Runs a program up to END, to an EXIT that is taken, or to the first instruction that cannot run,
// and counts.
Stop run_program(const word_t *program, params_port params, const word_t *image, result_port result,
                 const BufferSizes &sizes, bool trace, Memories &memories, Lists &lists,
                 Counters &counters);

}  // namespace acs
