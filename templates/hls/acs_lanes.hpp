// The lanes: sums of every lane group, and their copy that leaves while the next round adds up.
#pragma once

#include "acs_arithmetic.hpp"
#include "acs_window.hpp"

namespace acs {

constexpr int PAIRS = acs_isa::LANES / 2;

// Sums of every lane group: [0] of the even lanes, [1] of the odd ones; a multiplier makes one of
// each.
struct Lanes {
  acc_t sums[LANE_GROUPS][2][PAIRS];
  acc_t leaving[LANE_GROUPS][2][PAIRS];
};

// The weight of every lane group.
inline void read_weights(const Job &job, const Memories &memories, const Walker &walker,
                         const Tap &tap, weight_t weight[LANE_GROUPS]) {
#pragma HLS INLINE
  const Round &round = walker.round;
  weight_t first_weight[LANE_GROUPS];  // by bank
#pragma HLS ARRAY_PARTITION variable=first_weight complete
  weight_t second_weight[LANE_GROUPS];
#pragma HLS ARRAY_PARTITION variable=second_weight complete
  const int word = tap.weight / acs_isa::WORD_BYTES;
  const int byte = tap.weight % acs_isa::WORD_BYTES;
  const int row_words = int(job.op.row_words) - acs_isa::RECORD_WORDS;
  const bool reads = job.conv && !round.blank;
EACH_BANK:
  for (int bank = 0; bank < LANE_GROUPS; ++bank) {
#pragma HLS UNROLL
    const int base =
        in_ring<RING_WORDS>(int(round.base) + (bank < int(round.first_bank) ? row_words : 0));
    const int first_address = reads && round.reads[bank] ? in_ring<RING_WORDS>(base + word) : 0;
    const int second_address =
        reads && round.second ? in_ring<RING_FIRST>(int(round.first_start) + word) : 0;
    ACS_PORT_TRACE(weights, bank, read_weights, false, first_address);
    ACS_PORT_TRACE(first_rows, bank, read_weights, false, second_address);
    first_weight[bank] = int8_t(byte_of(memories.weights[bank][first_address], byte));
    second_weight[bank] = int8_t(byte_of(memories.first_rows[bank][second_address], byte));
  }
EACH_GROUP:
  for (int group = 0; group < LANE_GROUPS; ++group) {
#pragma HLS UNROLL
    const Item &item = round.item[group];
    weight[group] = !job.conv     ? round.constants[int(walker.x) & 1]
                    : round.blank ? weight_t(0)
                    : item.second ? second_weight[int(item.bank)]
                                  : first_weight[int(item.bank)];
    if (!job.conv && job.moves) weight[group] = round.constants[0];
  }
}

// Adds a tap to every item of the round.
inline void add_tap(const Job &job, const Memories &memories, const Walker &walker, const Tap &tap,
                    const FeatureData &data, const Window &window, Lanes &lanes) {
#pragma HLS INLINE
  weight_t weight[LANE_GROUPS];
#pragma HLS ARRAY_PARTITION variable=weight complete
  read_weights(job, memories, walker, tap, weight);

  segment_t in_columns[acs_isa::SEGMENTS];
#pragma HLS ARRAY_PARTITION variable=in_columns complete
  find_columns(job, tap, in_columns);

  const bool is_signed = job.op.src_signed;
  const bool maximum = job.op.pool_max;
  packed_pixels_t pairs[WINDOWS][PAIRS];
#pragma HLS ARRAY_PARTITION variable=pairs complete dim=0
  int pixels[WINDOWS][2][PAIRS];
#pragma HLS ARRAY_PARTITION variable=pixels complete dim=0
EACH_WHICH:
  for (int which = 0; which < WINDOWS; ++which) {
#pragma HLS UNROLL
    if (which == 0 || walker.round.second) {
      segment_t segments[acs_isa::SEGMENTS];
#pragma HLS ARRAY_PARTITION variable=segments complete
      shift_window(data, window, tap, which, in_columns, segments);
    EACH_PAIR:
      for (int pair = 0; pair < PAIRS; ++pair) {
#pragma HLS UNROLL
      EACH_ODD:
        for (int odd = 0; odd < 2; ++odd) {
#pragma HLS UNROLL
          const int lane = 2 * pair + odd;
          pixels[which][odd][pair] = pixel_value(
              byte_of(segments[lane / acs_isa::SEGMENT_PIXELS], lane % acs_isa::SEGMENT_PIXELS),
              is_signed);
        }
        pairs[which][pair] = pair_pixels(pixels[which][1][pair], pixels[which][0][pair]);
      }
    }
  }

EACH_GROUP:
  for (int group = 0; group < LANE_GROUPS; ++group) {
#pragma HLS UNROLL
    if (group < int(walker.round.items)) {
      const Item &item = walker.round.item[group];
      const int which = item.second ? 1 : 0;
      acc_t(&sums)[2][PAIRS] = lanes.sums[group];
    EACH_PAIR_2:
      for (int pair = 0; pair < PAIRS; ++pair) {
#pragma HLS UNROLL
        const acc_t low_before = tap.first ? item.bias : sums[0][pair];
        const acc_t high_before = tap.first ? item.bias : sums[1][pair];
        // A job without words has at most two items, so only two groups can take a maximum.
        if (maximum && group < WINDOWS) {
          if (weight[group] != 0) {
            const acc_t low = pixels[which][0][pair];
            const acc_t high = pixels[which][1][pair];
            sums[0][pair] = low > low_before ? low : low_before;
            sums[1][pair] = high > high_before ? high : high_before;
          } else {
            sums[0][pair] = low_before;
            sums[1][pair] = high_before;
          }
        } else {
          int high;
          int low;
          multiply_pair(pairs[which][pair], weight[group], high, low);
          sums[0][pair] = low_before + low;
          sums[1][pair] = high_before + high;
        }
      }
    }
  }
}

}  // namespace acs
