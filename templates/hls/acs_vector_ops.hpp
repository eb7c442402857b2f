// Operations on the vector memory: what gates and classifiers are made of.  All take instructions
// whose fields have been checked.
#pragma once

#include "acs_types.hpp"

namespace acs {

// GAVG: mean of each channel's map into a byte of the vector memory.
void run_gavg(const Instruction &op, Memories &memories);

// FLATTEN: the map's segments, as stored, into consecutive words of the vector memory.
void run_flatten(const Instruction &op, Memories &memories);

// LINEAR: a fully connected layer; results go where linear_mode says.
void run_linear(const Instruction &op, const word_t *params, Memories &memories, word_t *result,
                Counters &counters);

// Copies `words` words of a traced vector to the result buffer.
void trace_vector(const Instruction &op, int words, const Memories &memories, word_t *result,
                  Counters &counters);

}  // namespace acs
