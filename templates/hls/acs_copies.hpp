// Instructions and traces that move words as they are.  The fields have been checked.
#pragma once

#include "acs_params.hpp"
#include "acs_products.hpp"

namespace acs {

// LOAD: the image into the feature memory.
void run_load(const Instruction &op, const Products &products, const word_t *image,
              Memories &memories);

// `words` words of a map whose first block is `base`: into the vectors, for FLATTEN, or else to the
// result port, which has been asked for them.
void copy_map(const Instruction &op, int base, int words, bool flattens, Memories &memories,
              result_port result);

// Copies a traced vector of `words` words to the result buffer.
void trace_vector(const Instruction &op, int words, const Memories &memories, result_port result);

}  // namespace acs
