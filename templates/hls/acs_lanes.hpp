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

// The sum of a lane on its way to requantization.
inline acc_t leaving_sum(const Lanes &lanes, group_t item, int lane) {
#pragma HLS INLINE
  return lanes.leaving[int(item)][lane % 2][lane / 2];
}

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
  const bool reads = job.conv && !round.blank;
EACH_BANK:
  for (int bank = 0; bank < LANE_GROUPS; ++bank) {
#pragma HLS UNROLL
    const int base = in_ring<RING_WORDS>(
        int(round.base) + (bank < int(round.first_bank) ? int(job.weight_words) : 0));
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
    weight[group] = !job.conv                   ? round.constants[int(walker.x) & 1]
                    : round.blank               ? weight_t(0)
                    : group != 0 && item.second ? second_weight[int(item.bank)]
                                                : first_weight[int(item.bank)];
    if (!job.conv && job.moves) weight[group] = round.constants[0];
  }
}

// Adds a tap to every item of the round.
inline void add_tap(const Job &job, const Walker &walker, bool first,
                    const segment_t pixels[WINDOWS][acs_isa::SEGMENTS],
                    const weight_t weight[LANE_GROUPS], Lanes &lanes) {
#pragma HLS INLINE
  const bool is_signed = job.op.src_signed;
  const bool maximum = job.op.pool_max;
  packed_pixels_t pairs[WINDOWS][PAIRS];
#pragma HLS ARRAY_PARTITION variable=pairs complete dim=0
EACH_WHICH:
  for (int which = 0; which < WINDOWS; ++which) {
#pragma HLS UNROLL
  EACH_PAIR:
    for (int pair = 0; pair < PAIRS; ++pair) {
#pragma HLS UNROLL
      const segment_t segment = pixels[which][2 * pair / acs_isa::SEGMENT_PIXELS];
      const int place = 2 * pair % acs_isa::SEGMENT_PIXELS;
      pairs[which][pair] = pair_pixels(pixel_value(byte_of(segment, place + 1), is_signed),
                                       pixel_value(byte_of(segment, place), is_signed));
    }
  }

EACH_GROUP:
  for (int group = 0; group < LANE_GROUPS; ++group) {
#pragma HLS UNROLL
    const Item &item = walker.round.item[group];
    const bool adds = group < int(walker.round.items);
    const bool second = group != 0 && item.second;  // a round begins with its first block
    // A job without words has at most two items, so only two groups can take a maximum.
    const bool largest = maximum && group < WINDOWS;
  EACH_PAIR_2:
    for (int pair = 0; pair < PAIRS; ++pair) {
#pragma HLS UNROLL
      product_t value[2];
#pragma HLS ARRAY_PARTITION variable=value complete
      multiply_pair(pairs[second ? 1 : 0][pair], weight[group], value[1], value[0]);
    EACH_ODD:
      for (int odd = 0; odd < 2; ++odd) {
#pragma HLS UNROLL
        acc_t &sum = lanes.sums[group][odd][pair];
        // Values of a maximum are pixels, and so is what the sum holds.
        const bool larger = int(pixel_t(int(value[odd]))) > int(pixel_t(int(sum)));
        const acc_t held = largest ? acc_t(0) : first ? item.bias : sum;
        if (adds && (!largest || first || larger)) sum = held + acc_t(int(value[odd]));
      }
    }
  }
}

}  // namespace acs
