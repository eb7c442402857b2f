// Mask registers and channel orders, made into the lists of channels that the flat loop walks.
#pragma once

#include "acs_params.hpp"

namespace acs {

// A channel: where it lies in its map, and its position in the weights (column of a row within its
// group, or row).
struct Entry {
  unsigned_t<bits_for(acs_isa::MAX_CHANNELS - 1)> channel;
  unsigned_t<bits_for(acs_isa::MAX_CHANNELS - 1)> index;
};

// The lists of one instruction, group after group.  A side without mask and table has no list: its
// channels are simply counted.
struct Lists {
  Entry inputs[acs_isa::MAX_CHANNELS];   // active
  Entry outputs[acs_isa::MAX_CHANNELS];  // active
  Entry masked[acs_isa::MAX_CHANNELS];   // outputs that are not

  // Active channels of every group, where there are several.
  channel_t group_inputs[acs_isa::MAX_CHANNELS];
  channel_t group_outputs[acs_isa::MAX_CHANNELS];

  // Channel orders read from memory.
  unsigned_t<bits_for(acs_isa::MAX_CHANNELS - 1)> input_table[acs_isa::MAX_CHANNELS];
  unsigned_t<bits_for(acs_isa::MAX_CHANNELS - 1)> output_table[acs_isa::MAX_CHANNELS];
};

// Lengths of the lists over all groups.
struct ListCounts {
  channel_t inputs;
  channel_t outputs;
  channel_t masked;
  uint32_t pairs;  // active input times active output, summed over the groups
};

// Whether the channels of a CONV come from lists rather than from counting.
bool lists_inputs(const Instruction &op);
bool lists_outputs(const Instruction &op);

// Reads the channel orders of a CONV that has a table.  False where an entry is too large.
bool read_tables(const Instruction &op, params_port params, Lists &lists);

// Makes the lists of a CONV.
void make_lists(const Instruction &op, const Memories &memories, Lists &lists, ListCounts &counts);

}  // namespace acs
