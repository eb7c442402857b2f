// The macros of acs_probe.hpp as a log of every access to an on-chip memory.
#pragma once

#include <stdint.h>

// The simulator counts cycles by the same probes; it goes on to.
#if __has_include("acs_counting.hpp")
#include "acs_counting.hpp"
#undef ACS_LOOP
#define ACS_PROBE_COUNT(label) ::acs_counting::iterate(::acs_counting::label);
#else
#define ACS_PROBE_COUNT(label)
#endif

namespace acs_probe {

// One access.  `iteration` counts those of the loop `loop` from the start of the program; `run`
// grows whenever another loop begins: iterations of different runs do not overlap.
struct Access {
  uint64_t iteration;
  uint32_t run;
  uint32_t address;
  uint16_t loop;
  uint16_t memory;
  uint16_t bank;
  uint16_t site;
  uint32_t is_write;
  uint32_t reserved;
};

uint16_t number_of(const char *name);
void begin_iteration(uint16_t loop);
void go_on(uint16_t loop);
void log_access(uint16_t memory, unsigned bank, uint16_t site, bool is_write, unsigned address);

}  // namespace acs_probe

// Blocks: they stand with a semicolon behind them, or without.
#define ACS_LOOP(label)                                                    \
  {                                                                        \
    static const uint16_t acs_probe_loop = ::acs_probe::number_of(#label); \
    ::acs_probe::begin_iteration(acs_probe_loop);                          \
    ACS_PROBE_COUNT(label)                                                 \
  }
#define ACS_LOOP_AROUND(label)                                             \
  {                                                                        \
    static const uint16_t acs_probe_loop = ::acs_probe::number_of(#label); \
    ::acs_probe::go_on(acs_probe_loop);                                    \
  }
#define ACS_PORT_TRACE(memory, bank, site, is_write, address)                                 \
  {                                                                                           \
    static const uint16_t acs_probe_memory = ::acs_probe::number_of(#memory);                 \
    static const uint16_t acs_probe_site = ::acs_probe::number_of(#site);                     \
    ::acs_probe::log_access(acs_probe_memory, unsigned(bank), acs_probe_site, bool(is_write), \
                            unsigned(address));                                               \
  }
