// Everything an instruction may touch is checked before it runs: the engine stops with a status
// code instead of hanging, and never reads or writes outside its memories and buffers.
#pragma once

#include "acs_products.hpp"

namespace acs {

// OK, or why the instruction cannot run, and its products.  `words` is the undecoded instruction.
acs_isa::Status check_instruction(const Instruction &op,
                                  const uint64_t words[acs_isa::INSTRUCTION_WORDS],
                                  const BufferSizes &sizes, Products &products);

}  // namespace acs
