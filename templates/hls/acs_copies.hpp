// Instructions and traces that move words as they are.  The fields have been checked.
#pragma once

#include "acs_params.hpp"

namespace acs {

// LOAD: the image into the feature memory.
void run_load(const Instruction &op, const word_t *image, Memories &memories, Counters &counters);

// FLATTEN: blocks of a map into the vector memory.
void run_flatten(const Instruction &op, Memories &memories);

// Copies a traced map, or a traced vector of `words` words, to the result buffer.
void trace_map(const Instruction &op, const Memories &memories, result_port result,
               Counters &counters);
void trace_vector(const Instruction &op, int words, const Memories &memories, result_port result,
                  Counters &counters);

}  // namespace acs
