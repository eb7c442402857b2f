// hls::burst_maxi for C simulation without Vitis, with the rules that hardware has and the class of
// Vitis does not check: words are read in the order of their requests, none that was not requested,
// and no more requests are open than the port's buffer is made for.
//
// Where the simulator counts cycles (ACS_COUNT), requests and reads are told to its clock.
#pragma once

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef ACS_COUNT
#include "acs_counting.hpp"
#endif

namespace hls {

// Requests of every port of one simulation; copies of a port share them, as they share the wires.
struct BurstQueue {
  static const int MAX_OPEN = 8;
  size_t offset[MAX_OPEN];
  size_t left[MAX_OPEN];
  int first;
  int open;
};

inline BurstQueue &burst_queue() {
  static BurstQueue queue = BurstQueue();
  return queue;
}

inline void burst_demand(bool met, const char *rule) {
  if (!met) {
    fprintf(stderr, "burst_maxi: %s\n", rule);
    abort();
  }
}

template <typename T>
class burst_maxi {
 public:
  burst_maxi(T *memory) : memory_(memory) {}

  void read_request(size_t offset, size_t words) {
    BurstQueue &queue = burst_queue();
    burst_demand(words > 0, "a request of no words");
    burst_demand(queue.open < BurstQueue::MAX_OPEN, "more than 8 requests are open");
    const int at = (queue.first + queue.open) % BurstQueue::MAX_OPEN;
    queue.offset[at] = offset;
    queue.left[at] = words;
    ++queue.open;
#ifdef ACS_COUNT
    acs_counting::request(words);
#endif
  }

  T read() {
    BurstQueue &queue = burst_queue();
    burst_demand(queue.open > 0, "a read without a request");
#ifdef ACS_COUNT
    acs_counting::take();
#endif
    const T word = memory_[queue.offset[queue.first]++];
    if (--queue.left[queue.first] == 0) {
      queue.first = (queue.first + 1) % BurstQueue::MAX_OPEN;
      --queue.open;
    }
    return word;
  }

 private:
  T *memory_;
};

// Called where a run has ended: every word that was requested must have been read.
inline void burst_ended() { burst_demand(burst_queue().open == 0, "words are left unread"); }

}  // namespace hls
