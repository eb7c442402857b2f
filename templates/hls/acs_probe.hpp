// Probes for simulation: the doings of the loops, seen from outside.  Synthesis sees none of them.
//
//   ACS_LOOP(LABEL)
//       stands first in the body of the loop LABEL: one more iteration of it begins.
//   ACS_RUN()
//       stands before a loop that may follow itself, with no other between: another run begins.
//   ACS_LOOP_AROUND(LABEL)
//       stands behind an inner loop: accesses that follow are of the iteration of the loop LABEL.
//   ACS_BURST(words)
//       stands before a loop that moves so many words through a memory port in one burst.
//   ACS_PORT_TRACE(memory, bank, site, is_write, address)
//       stands beside an access to an on-chip memory: `memory` and `site` are identifiers, `bank`
//       numbers the separate memories of a partitioned array, `address` is the word inside it.
//
// ACS_COUNT makes them count iterations and cycles (acs_counting.hpp of the simulator), ACS_PROBE
// makes them log accesses (acs_probe_hooks.hpp of the tool that defines it).  Otherwise they are
// empty.
#pragma once

#if defined(ACS_PROBE)
#include "acs_probe_hooks.hpp"
#elif defined(ACS_COUNT)
#include "acs_counting.hpp"
#endif

#ifndef ACS_LOOP
#define ACS_LOOP(label)
#endif
#ifndef ACS_RUN
#define ACS_RUN()
#endif
#ifndef ACS_LOOP_AROUND
#define ACS_LOOP_AROUND(label)
#endif
#ifndef ACS_BURST
#define ACS_BURST(words)
#endif
#ifndef ACS_PORT_TRACE
#define ACS_PORT_TRACE(memory, bank, site, is_write, address)
#endif
