// Convolution over active channels: a skipped channel is a skipped loop, on both sides.
#pragma once

#include "acs_types.hpp"

namespace acs {

// Runs a CONV instruction whose fields have been checked.  Returns OK, BAD_FIELD (a table entry or
// channel record outside its range) with the result map then undefined.
acs_isa::Status run_conv(const Instruction &op, const word_t *params, Memories &memories,
                         Counters &counters);

}  // namespace acs
