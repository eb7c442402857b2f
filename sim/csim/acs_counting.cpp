// Keeps the counts of acs_counting.hpp, instruction by instruction, and hands them to Python.

#include "acs_counting.hpp"

#include <deque>
#include <vector>

namespace acs_counting {

namespace {

#define ACS_NAME(label, interval, depth) #label,
const char *const NAME[LOOPS] = {ACS_CLAIMS(ACS_NAME)};
#undef ACS_NAME

#define ACS_DEPTH(label, interval, depth) depth,
const uint32_t DEPTH[LOOPS] = {ACS_CLAIMS(ACS_DEPTH)};
#undef ACS_DEPTH

// Beats of a port that gives one in every cycle, in as many cycles: the unit of a memory's
// bandwidth.
const uint64_t FULL_BANDWIDTH = 256;

// Cycles of the port's adapter, to the bus and back, beside the memory's latency.
const uint64_t ADAPTER = 4;

struct Instruction {
  LoopCount loop[LOOPS];
};

struct Request {
  uint64_t first;  // when its first word can be there, in 1/FULL_BANDWIDTH cycles
  uint64_t left;
};

struct Memory {
  uint64_t latency;
  uint64_t bandwidth;
};

Memory memory = {0, FULL_BANDWIDTH};
std::vector<Instruction> instructions;
std::deque<Request> requests;
uint64_t answer = 0;       // when the burst of writes is confirmed whose last word has left
uint64_t last_write = 0;   // when the word before is taken, in the same unit
uint64_t before_loop = 0;  // cycles that the next loop will have waited before it begins
uint64_t last_beat = 0;    // when the word before is there, in the same unit
int steps = 0;

uint64_t beat() { return FULL_BANDWIDTH * FULL_BANDWIDTH / memory.bandwidth; }

void wait(uint64_t cycles) {
  simulated.current->waits += cycles;
  simulated.now += cycles;
}

}  // namespace

Clock simulated = {0, NULL, LOOPS};

void enter(int loop) {
  // The fetch before the first step belongs to the first instruction.
  if (loop == PROGRAM_STEPS && ++steps > 1) instructions.push_back(Instruction());
  simulated.loop = loop;
  simulated.current = &instructions.back().loop[loop];
  ++simulated.current->runs;
  simulated.now += DEPTH[loop];
  wait(before_loop);
  before_loop = 0;
}

void burst(uint64_t words) {
  // The loop behind it runs at one word a cycle at best.
  const uint64_t beats = (words * beat() + FULL_BANDWIDTH - 1) / FULL_BANDWIDTH;
  before_loop = memory.latency + ADAPTER + (beats > words ? beats - words : 0);
}

void request(uint64_t words) {
  const Request made = {(simulated.now + memory.latency + ADAPTER) * FULL_BANDWIDTH, words};
  requests.push_back(made);
}

void take() {
  Request &oldest = requests.front();
  uint64_t there = last_beat + beat();
  if (there < oldest.first) there = oldest.first;
  last_beat = there;
  if (--oldest.left == 0) requests.pop_front();
  const uint64_t cycle = (there + FULL_BANDWIDTH - 1) / FULL_BANDWIDTH;
  if (cycle > simulated.now) wait(cycle - simulated.now);
}

void write() {
  // Words leave at one a cycle, or as slowly as memory takes.
  uint64_t taken = last_write + beat();
  if (taken < simulated.now * FULL_BANDWIDTH) taken = simulated.now * FULL_BANDWIDTH;
  last_write = taken;
  const uint64_t cycle = (taken + FULL_BANDWIDTH - 1) / FULL_BANDWIDTH;
  if (cycle > simulated.now) wait(cycle - simulated.now);
  answer = simulated.now + memory.latency + ADAPTER;
}

void write_response() {
  if (answer > simulated.now) wait(answer - simulated.now);
}

}  // namespace acs_counting

extern "C" {

// The memory of the next runs: cycles from a request to its first word, beats in 256 cycles.
void acs_count_memory(uint64_t latency, uint64_t bandwidth) {
  acs_counting::memory.latency = latency;
  acs_counting::memory.bandwidth = bandwidth;
}

// Begins to count another run.
void acs_count_clear() {
  acs_counting::instructions.assign(1, acs_counting::Instruction());
  acs_counting::requests.clear();
  acs_counting::last_beat = 0;
  acs_counting::before_loop = 0;
  acs_counting::answer = 0;
  acs_counting::last_write = 0;
  acs_counting::steps = 0;
  acs_counting::simulated.now = 0;
  acs_counting::simulated.loop = acs_counting::LOOPS;
  acs_counting::simulated.current = &acs_counting::instructions.back().loop[0];
}

uint64_t acs_count_cycles() { return acs_counting::simulated.now; }
uint32_t acs_count_instructions() { return uint32_t(acs_counting::instructions.size()); }
const acs_counting::LoopCount *acs_count_loops() { return acs_counting::instructions[0].loop; }

uint32_t acs_claims() { return acs_counting::LOOPS; }
const char *acs_claim_name(uint32_t loop) { return acs_counting::NAME[loop]; }
uint32_t acs_claim_interval(uint32_t loop) { return acs_counting::INTERVAL[loop]; }
uint32_t acs_claim_depth(uint32_t loop) { return acs_counting::DEPTH[loop]; }
}
