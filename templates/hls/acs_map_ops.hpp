// Operations on whole maps other than convolution.  The fields of their instructions have been
// checked.
#pragma once

#include "acs_types.hpp"

namespace acs {

// LOAD: the image into the feature memory.
void run_load(const Instruction &op, const word_t *image, Memories &memories, Counters &counters);

// ELTWISE: dst = requantize(src * mult + residual); a masked channel's source counts as zero.
void run_eltwise(const Instruction &op, Memories &memories);

// POOL: maximum or scaled sum under the window, channel by channel.
void run_pool(const Instruction &op, Memories &memories);

// SCALE: dst = requantize(src * vector[channel] * mult).
void run_scale(const Instruction &op, Memories &memories);

// Copies a traced map to the result buffer, as stored.
void trace_map(const Instruction &op, int channels, const Memories &memories, word_t *result,
               Counters &counters);

}  // namespace acs
