// Mask registers and the compacted lists of active channels that every loop walks.
#pragma once

#include "acs_types.hpp"

namespace acs {

// Channels still to be worked on, in ascending order of `index`.
//   channel: where the channel lies in its map (and its mask bit)
//   index:   its position in the weights (column of a row, or row)
struct ChannelList {
  int count;
  uint16_t channel[acs_isa::MAX_CHANNELS];
  uint16_t index[acs_isa::MAX_CHANNELS];
};

inline bool channel_active(const Memories &memories, int mask, int channel) {
#pragma HLS INLINE
  return mask == acs_isa::MASK_NONE ||
         (memories.masks[mask][channel / acs_isa::WORD_BITS] >> (channel % acs_isa::WORD_BITS) & 1);
}

// Splits `count` channels, numbered from `first`, into active and masked ones.  `table` gives the
// place of each channel in its map; it is the identity where the instruction has no table.
void split_channels(const Memories &memories, int mask, const uint16_t table[acs_isa::MAX_CHANNELS],
                    int first, int count, ChannelList &active, ChannelList &masked);

}  // namespace acs
