// The walker: rounds to iterations, a tap of an active input channel each.
#pragma once

#include "acs_dealer.hpp"

namespace acs {

// A byte of a row, its record included.
constexpr int ROW_BYTES = (BANK_WORDS + acs_isa::RECORD_WORDS) * acs_isa::WORD_BYTES;
typedef count_t<ROW_BYTES> row_byte_t;

struct Walker {
  bool busy;
  Round round;
  channel_t input;  // of the round's active ones
  unsigned_t<4> x;  // tap
  unsigned_t<4> y;
  count_t<acs_isa::MAX_KERNEL * acs_isa::MAX_KERNEL> tap;
  row_byte_t byte;  // of the rows, that is used next where inputs are in order
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

// True where a round waits for words of its rows: those of a stripe count all at once.
inline bool lacks_words(const Loader &loader, const Walker &walker) {
#pragma HLS INLINE
  const int stripe_bytes = BURST_WORDS * acs_isa::WORD_BYTES;
  return walker.round.growing && int(walker.byte) / stripe_bytes >= int(loader.stripes);
}

// True where all taps of a row find their words in one read: those of the first window are kept.
inline bool shares_reads(const Job &job, const Walker &walker) {
#pragma HLS INLINE
  return job.shares_reads && !walker.round.second;
}

// True where the iteration reads the feature memory; a round of no inputs looks at no pixel.
inline bool reads_window(const Job &job, const Walker &walker) {
#pragma HLS INLINE
  return !walker.round.blank && !(shares_reads(job, walker) && walker.x != 0u);
}

// Goes on by one iteration.
inline void next_tap(const Job &job, Walker &walker) {
#pragma HLS INLINE
  walker.tap = walker.tap + 1;
  walker.byte = walker.byte + 1;
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
  walker.byte = unsigned(acs_isa::RECORD_WORDS * acs_isa::WORD_BYTES);
  dealer.full = false;
}

// How the lanes see their source under a tap.
struct Tap {
  block_t base;        // first block of the plane
  unsigned_t<8> rows;  // valid rows and columns; outside is padding
  count_t<acs_isa::MAX_WIDTH> columns;
  unsigned_t<2> row_log2;  // of the segments in a row
  unsigned_t<3> turn;      // banks by which the plane's segments are displaced
  signed_t<5> dy;          // how far the window moves
  signed_t<5> dx;
  uint8_t pad;
  count_t<BANK_WORDS * acs_isa::WORD_BYTES> weight;  // byte of the weight in its row
};

// Where the odd columns of a split map begin in their block.
constexpr int ODD_COLUMNS_TURN = acs_isa::SEGMENTS / 2;

inline Tap locate_tap(const Job &job, const Lists &lists, const Walker &walker) {
#pragma HLS INLINE
  const Instruction &op = job.op;
  const bool looks = walker.busy && !walker.round.blank;
  const int position = looks ? int(walker.round.first_input) + int(walker.input) : 0;
  channel_number_t channel = unsigned(position);
  channel_number_t column = unsigned(walker.input);
  if (job.lists_in && looks) {
    const int place = int(job.list) * acs_isa::MAX_LISTED + position;
    ACS_PORT_TRACE(inputs, 0, locate_tap, false, place);
    channel = unsigned(lists.inputs[place].channel);
    column = unsigned(lists.inputs[place].column);
  }
  const int y = job.moves ? int(walker.y) - int(op.pad) : 0;
  const int x = job.moves ? int(walker.x) - int(op.pad) : 0;
  const bool padded_low = op.pool_max && op.src_signed;  // padding must not win a maximum
  const bool split = job.moves && op.stride == 2;
  const int phase_y = split ? y & 1 : 0;
  const int phase_x = split ? x & 1 : 0;

  Tap tap;
  tap.weight = unsigned(int(column) * int(job.taps) + int(walker.tap));
  tap.pad = job.conv ? uint8_t(acs_isa::padding_value(op, unsigned(channel)))
                     : uint8_t(padded_low ? 0x80 : 0);
  const int plane = (phase_y ? 2 * int(op.src_plane) : 0) + (phase_x ? int(op.src_plane) : 0);
  tap.base = unsigned(int(op.src_base) + int(channel) * int(op.src_step) + plane);
  tap.row_log2 = op.row_log2;
  tap.turn = unsigned(phase_x * ODD_COLUMNS_TURN);
  tap.rows = unsigned(split ? phase_size(int(job.source_rows), phase_y) : int(job.source_rows));
  tap.columns =
      unsigned(split ? phase_size(int(job.source_columns), phase_x) : int(job.source_columns));
  tap.dy = split ? y >> 1 : y;
  tap.dx = split ? x >> 1 : x;
  return tap;
}

}  // namespace acs
