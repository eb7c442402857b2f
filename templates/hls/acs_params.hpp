// The parameter port: manual bursts, so that requests run ahead of the words.
#pragma once

#include <hls_burst_maxi.h>

#include "acs_types.hpp"

namespace acs {

typedef hls::burst_maxi<word_t> params_port;

typedef hls::burst_maxi<word_t> result_port;

// A request is never longer than the longest burst of AXI3, so that one request is one burst, and
// no more of them are open than the port's buffer holds: every word that was asked for has room
// there, and a request never waits for a word that only the loop behind it would take.
constexpr int BURST_WORDS = 16;
constexpr int OPEN_BURSTS = READS_OUTSTANDING;

}  // namespace acs
