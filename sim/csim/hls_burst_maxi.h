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

// The requests of a port.  Copies of a port share them, as they share the wires: a program has one
// port that it reads and one that it writes.
struct BurstQueue {
  static const int MAX_OPEN = 16;  // num_read_outstanding of the ports
  size_t offset[MAX_OPEN];
  size_t left[MAX_OPEN];
  int first;
  int open;
};

inline BurstQueue &burst_reads() {
  static BurstQueue queue = BurstQueue();
  return queue;
}

// Writes: `open` requests have words to come, `unanswered` bursts wait for write_response().
struct BurstWrites {
  size_t offset;
  size_t left;
  int unanswered;
};

inline BurstWrites &burst_writes() {
  static BurstWrites writes = BurstWrites();
  return writes;
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
    BurstQueue &queue = burst_reads();
    burst_demand(words > 0, "a request of no words");
    burst_demand(queue.open < BurstQueue::MAX_OPEN,
                 "more requests are open than num_read_outstanding");
    const int at = (queue.first + queue.open) % BurstQueue::MAX_OPEN;
    queue.offset[at] = offset;
    queue.left[at] = words;
    ++queue.open;
#ifdef ACS_COUNT
    acs_counting::request(words);
#endif
  }

  T read() {
    BurstQueue &queue = burst_reads();
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

  // One burst at a time: the words of a request follow it, then its answer or another request.
  void write_request(size_t offset, size_t words) {
    BurstWrites &writes = burst_writes();
    burst_demand(words > 0, "a request of no words");
    burst_demand(writes.left == 0, "a write request within another");
    writes.offset = offset;
    writes.left = words;
    ++writes.unanswered;
  }

  void write(const T &word) {
    BurstWrites &writes = burst_writes();
    burst_demand(writes.left > 0, "a write without a request");
#ifdef ACS_COUNT
    acs_counting::write();
#endif
    memory_[writes.offset++] = word;
    --writes.left;
  }

  void write_response() {
    BurstWrites &writes = burst_writes();
    burst_demand(writes.left == 0 && writes.unanswered > 0, "no write waits for its answer");
    --writes.unanswered;
#ifdef ACS_COUNT
    acs_counting::write_response();
#endif
  }

 private:
  T *memory_;
};

// Called where a run has ended: every word that was requested has been read or written.
inline void burst_ended() {
  burst_demand(burst_reads().open == 0, "words are left unread");
  burst_demand(burst_writes().left == 0, "words are left unwritten");
  burst_demand(burst_writes().unanswered == 0, "answers to writes are not awaited");
}

}  // namespace hls
