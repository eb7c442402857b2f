// C interface of the RTL simulation: the Verilator model with an AXI memory, as a shared library.
//
// Functions that run the clock return 0, or 1 where the engine broke a rule: acs_rtlsim_message()
// then says which, until the next call from the same thread.

#include <cstdint>
#include <cstdio>
#include <exception>
#include <string>

#include "session.hpp"

double sc_time_stamp() { return 0; }

thread_local std::string acs::Session::stopped_at;
thread_local acs::Session *acs::Session::active = nullptr;

// The engine calls it (hw/rtl/acs_control.sv, with ACS_PROFILE) as an instruction ends.
extern "C" void acs_instruction_ended(unsigned int index, unsigned long long cycles) {
  acs::Session::active->instruction_ended(index, cycles);
}

// Failed assertions end here, instead of in abort(): tick() looks at gotError().
void vl_stop(const char *filename, int linenum, const char *hier) {
  acs::Session::stopped_at = std::string(filename) + ":" + std::to_string(linenum) + " in " + hier;
  Verilated::threadContextp()->gotError(true);
}

namespace {

thread_local std::string message;

template <typename Function>
int guarded(Function function) {
  try {
    function();
    return 0;
  } catch (const std::exception &error) {
    message = error.what();
    return 1;
  }
}

struct Counters {
  uint64_t edges;           // since the session began
  uint64_t written_at;      // edge at which the last register write was taken
  uint64_t interrupted_at;  // edge at which the interrupt was first seen, the last time it rose
  uint64_t read_beats;      // since the memory was configured
  uint64_t write_beats;
  uint64_t stray_beats;
  uint64_t interrupt;
};

acs::Session &session(void *handle) {
  acs::Session &found = *static_cast<acs::Session *>(handle);
  found.activate();
  return found;
}

}  // namespace

#pragma GCC visibility push(default)
extern "C" {

const char *acs_rtlsim_message() { return message.c_str(); }

int acs_rtlsim_new(const char *waves, void **handle) {
  return guarded([&] { *handle = new acs::Session(waves); });
}

void acs_rtlsim_delete(void *handle) { delete &session(handle); }

int acs_rtlsim_reset(void *handle) {
  return guarded([&] { session(handle).reset(); });
}

void acs_rtlsim_configure(void *handle, const acs::MemoryOptions *options) {
  session(handle).memory.configure(*options);
}

void acs_rtlsim_map(void *handle, uint64_t base, uint64_t *words, uint64_t count, int writable) {
  session(handle).memory.map(base, words, count, writable != 0);
}

void acs_rtlsim_unmap(void *handle, uint64_t base) { session(handle).memory.unmap(base); }

int acs_rtlsim_write(void *handle, uint32_t offset, uint32_t value) {
  return guarded([&] { session(handle).write_register(uint8_t(offset), value, 15); });
}

int acs_rtlsim_read(void *handle, uint32_t offset, uint32_t *value) {
  return guarded([&] { *value = session(handle).read_register(uint8_t(offset)); });
}

int acs_rtlsim_advance(void *handle, uint64_t edges, int stop_at_interrupt, uint64_t *done) {
  return guarded([&] { *done = session(handle).advance(edges, stop_at_interrupt != 0); });
}

void acs_rtlsim_counters(void *handle, Counters *counters) {
  const acs::Session &s = session(handle);
  const acs::MemoryCounters &m = s.memory.counters();
  *counters = {s.edges(),     s.written_at(), s.interrupted_at(), m.read_beats,
               m.write_beats, m.stray_beats,  s.interrupt()};
}

// Copies up to `room` of the session's ends(); returns how many there are.
uint64_t acs_rtlsim_ends(void *handle, uint64_t *ends, uint64_t room) {
  const std::vector<uint64_t> &found = session(handle).ends();
  for (uint64_t i = 0; i < found.size() && i < room; ++i) ends[i] = found[i];
  return found.size();
}
}
#pragma GCC visibility pop
