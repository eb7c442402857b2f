#include "acs_channels.hpp"

namespace acs {

void split_channels(const Memories &memories, int mask, const uint16_t table[acs_isa::MAX_CHANNELS],
                    int first, int count, ChannelList &active, ChannelList &masked) {
  active.count = 0;
  masked.count = 0;
  for (int i = first; i < first + count; ++i) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_TRIPCOUNT min=1 max=TRIP_CHANNELS
    const uint16_t channel = table[i];
    if (channel_active(memories, mask, channel)) {
      active.channel[active.count] = channel;
      active.index[active.count] = uint16_t(i);
      ++active.count;
    } else {
      masked.channel[masked.count] = channel;
      masked.index[masked.count] = uint16_t(i);
      ++masked.count;
    }
  }
}

}  // namespace acs
