// The walker: rounds to iterations, a tap of an active input channel each.
#pragma once

#include "acs_dealer.hpp"

namespace acs {

struct Walker {
  bool busy;
  Round round;
  channel_t input;  // of the round's active ones
  unsigned_t<4> x;  // tap
  unsigned_t<4> y;
  count_t<acs_isa::MAX_KERNEL * acs_isa::MAX_KERNEL> tap;
};

inline bool at_last_tap(const Job &job, const Walker &walker) {
#pragma HLS INLINE
  return walker.x + 1 == job.taps_x && walker.y + 1 == job.taps_y;
}

// True in a round's last iteration.  A round of no inputs has one.
inline bool at_last_iteration(const Job &job, const Walker &walker) {
#pragma HLS INLINE
  return walker.round.blank ||
         (at_last_tap(job, walker) && walker.input + 1 == walker.round.inputs);
}

// Goes on by one iteration.
inline void next_tap(const Job &job, Walker &walker) {
#pragma HLS INLINE
  walker.tap = walker.tap + 1;
  if (walker.x + 1 != job.taps_x) {
    walker.x = walker.x + 1;
    return;
  }
  walker.x = 0;
  if (walker.y + 1 != job.taps_y) {
    walker.y = walker.y + 1;
    return;
  }
  walker.y = 0;
  walker.tap = 0;
  walker.input = walker.input + 1;
}

// Takes the round that the dealer has ready, if there is one.
inline void take_round(Dealer &dealer, Walker &walker) {
#pragma HLS INLINE
  walker.busy = dealer.full;
  if (!dealer.full) return;
  walker.round = dealer.round;
  walker.input = 0;
  walker.x = 0;
  walker.y = 0;
  walker.tap = 0;
  dealer.full = false;
}

// How the lanes see their source under a tap.
struct Tap {
  int base;  // first block of the plane
  int rows;  // valid rows and columns; outside is padding
  int columns;
  int turn;  // banks by which the plane's segments are displaced
  int dy;    // how far the window moves
  int dx;
  uint8_t pad;
  int weight;  // byte of the weight in its row
  bool first;  // of the round
};

// Where the odd columns of a split map begin in their block.
constexpr int ODD_COLUMNS_TURN = acs_isa::SEGMENTS / 2;

inline Tap locate_tap(const Job &job, const Lists &lists, const Walker &walker) {
#pragma HLS INLINE
  const Instruction &op = job.op;
  const int position = walker.round.blank ? 0 : int(walker.round.first_input) + int(walker.input);
  int channel = position;
  int column = int(walker.input);
  if (job.lists_in && !walker.round.blank) {
    const int place = int(job.list) * acs_isa::MAX_CHANNELS + position;
    ACS_PORT_TRACE(inputs, 0, locate_tap, false, place);
    channel = int(lists.inputs[place].channel);
    column = int(lists.inputs[place].column);
  }
  const int channel_base = int(op.src_base) + channel * int(op.src_step);
  const int y = job.moves ? int(walker.y) - int(op.pad) : 0;
  const int x = job.moves ? int(walker.x) - int(op.pad) : 0;
  const bool padded_low = op.pool_max && op.src_signed;  // padding must not win a maximum

  Tap tap;
  tap.weight = column * int(op.kernel * op.kernel) + int(walker.tap);
  tap.first = walker.input == 0u && walker.tap == 0u;
  tap.pad = job.conv ? uint8_t(acs_isa::padding_value(op, unsigned(channel)))
                     : uint8_t(padded_low ? 0x80 : 0);
  tap.base = channel_base;
  tap.turn = 0;
  if (job.moves && op.stride == 2) {
    const int phase_y = y & 1;
    const int phase_x = x & 1;
    tap.base += (phase_y ? 2 * int(op.src_plane) : 0) + (phase_x ? int(op.src_plane) : 0);
    tap.rows = phase_size(int(op.src_height), phase_y);
    tap.columns = phase_size(int(op.src_width), phase_x);
    tap.turn = phase_x * ODD_COLUMNS_TURN;
    tap.dy = y >> 1;
    tap.dx = x >> 1;
  } else {
    tap.rows = int(job.moves ? op.src_height : op.dst_height);
    tap.columns = int(job.moves ? op.src_width : op.dst_width);
    tap.dy = y;
    tap.dx = x;
  }
  return tap;
}

}  // namespace acs
