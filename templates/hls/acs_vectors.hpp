// Instructions whose results are vectors, masks or logits.  The fields have been checked.
#pragma once

#include "acs_params.hpp"

namespace acs {

// GAVG: the average of each channel's map into the vector memory.
void run_gavg(const Instruction &op, Memories &memories);

// Requests all words of a LINEAR.  They wait at the port, so that this may be done while another
// instruction runs that reads no parameters.
void ask_linear(const Instruction &op, params_port params);

// LINEAR, whose words have been asked for.
//
// `unanswered` says whether the memory has still to confirm the last results: its answer is awaited
// where the next ones follow, or by the caller.
void run_linear(const Instruction &op, params_port params, Memories &memories, result_port result,
                bool &unanswered, Counters &counters);

}  // namespace acs
