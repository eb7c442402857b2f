// Instructions whose results are vectors, masks or logits.  The fields have been checked.
#pragma once

#include "acs_params.hpp"
#include "acs_products.hpp"

namespace acs {

// GAVG: the average of each channel's map into the vector memory.
void run_gavg(const Instruction &op, const Products &products, Memories &memories);

// Requests all words of a LINEAR.  They wait at the port, so that this may be done while another
// instruction runs that reads no parameters.
void ask_linear(const Instruction &op, const Products &products, params_port params);

// LINEAR, whose words have been asked for.
//
// `unanswered` says whether the memory has still to confirm the last results: its answer is awaited
// where the next ones follow, or by the caller.  `decision` is the first bit of a GATE's mask, and
// as it was after other modes.
void run_linear(const Instruction &op, const Products &products, params_port params,
                Memories &memories, result_port result, bool &unanswered, bool &decision,
                Deeds &deeds);

}  // namespace acs
