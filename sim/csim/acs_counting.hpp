// The probes of acs_probe.hpp as a clock: iterations of every loop, and the cycles that they take.
//
// An iteration takes its loop's claimed interval, a run of a loop its claimed depth besides.  Words
// that come through a memory port take the memory's latency and bandwidth; the cycles that the
// engine waits for them are counted where it waits.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "acs_claims.hpp"

namespace acs_counting {

#define ACS_NUMBER(label, interval, depth) label,
enum Loop { ACS_CLAIMS(ACS_NUMBER) LOOPS };
#undef ACS_NUMBER

#define ACS_INTERVAL(label, interval, depth) interval,
static const uint32_t INTERVAL[LOOPS] = {ACS_CLAIMS(ACS_INTERVAL)};
#undef ACS_INTERVAL

// Of one loop under one instruction.
struct LoopCount {
  uint64_t iterations;
  uint64_t runs;
  uint64_t waits;  // cycles that it stood still for memory
};

// The clock of the one engine of this library.
struct Clock {
  uint64_t now;
  LoopCount *current;  // counts of the loop that runs
  int loop;
};

extern Clock simulated;

// Another loop begins to run.
void enter(int loop);

// A burst in one piece: the memory's latency, and its words beyond one a cycle.
void burst(uint64_t words);

// A request for words that are taken later, and the moment when the next of them is taken.
void request(uint64_t words);
void take();

// A word that leaves, and the moment when the answer to its burst is awaited.
void write();
void write_response();

inline void iterate(int loop) {
  // An outer loop begins anew with every iteration: it is not pipelined, and others ran in it.
  if (loop != simulated.loop || loop == PROGRAM_STEPS) enter(loop);
  ++simulated.current->iterations;
  simulated.now += INTERVAL[loop];
}

}  // namespace acs_counting

#define ACS_LOOP(label) ::acs_counting::iterate(::acs_counting::label);
#define ACS_RUN() ::acs_counting::simulated.loop = ::acs_counting::LOOPS;
#define ACS_BURST(words) ::acs_counting::burst(uint64_t(words));
