// Probes for simulation: what the loops do, seen from outside.  Synthesis sees none of them.
//
//   ACS_LOOP(LABEL)
//       stands first in the body of the loop LABEL: one more iteration of it begins.
//   ACS_PORT_TRACE(memory, bank, site, is_write, address)
//       stands beside an access to an on-chip memory: `memory` and `site` are identifiers, `bank`
//       numbers the separate memories of a partitioned array, `address` is the word inside it.
//
// Both are empty unless ACS_PROBE is defined.  The simulator then supplies acs_probe_hooks.hpp,
// which counts iterations and, where asked, logs ports.
#pragma once

#ifdef ACS_PROBE
#include "acs_probe_hooks.hpp"
#else
#define ACS_LOOP(label)
#define ACS_PORT_TRACE(memory, bank, site, is_write, address)
#endif
