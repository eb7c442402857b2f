// Keeps the log of acs_probe_hooks.hpp, and hands it to Python.

#include <string>
#include <vector>

#include "acs_probe_hooks.hpp"

namespace acs_probe {

namespace {

static_assert(sizeof(Access) == 32, "Python reads the log as an array");

const uint16_t NO_LOOP = 0;

std::vector<std::string> names(1, "");  // number 0: outside every loop
std::vector<uint64_t> iterations(1, 0);
std::vector<Access> accesses;
uint16_t loop = NO_LOOP;
uint32_t run = 0;

}  // namespace

uint16_t number_of(const char *name) {
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i] == name) return uint16_t(i);
  }
  names.push_back(name);
  iterations.push_back(0);
  return uint16_t(names.size() - 1);
}

void go_on(uint16_t number) {
  if (number != loop) {
    loop = number;
    ++run;
  }
}

void begin_iteration(uint16_t number) {
  go_on(number);
  ++iterations[number];
}

void log_access(uint16_t memory, unsigned bank, uint16_t site, bool is_write, unsigned address) {
  Access access = {iterations[loop], run, address, loop, memory, uint16_t(bank), site, is_write, 0};
  accesses.push_back(access);
}

}  // namespace acs_probe

extern "C" {

// Begins a new log; the numbers of names stay.
void acs_probe_clear() {
  acs_probe::accesses.clear();
  acs_probe::loop = acs_probe::NO_LOOP;
  ++acs_probe::run;
  for (uint64_t &count : acs_probe::iterations) {
    count = 0;
  }
}

uint64_t acs_probe_count() { return acs_probe::accesses.size(); }
const acs_probe::Access *acs_probe_accesses() { return acs_probe::accesses.data(); }
uint32_t acs_probe_names() { return uint32_t(acs_probe::names.size()); }
const char *acs_probe_name(uint32_t number) { return acs_probe::names[number].c_str(); }
uint64_t acs_probe_iterations(uint32_t number) { return acs_probe::iterations[number]; }
}
