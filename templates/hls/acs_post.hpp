// From sums to stored pixels: residual, requantization, and the writes of finished blocks.
//
// The one requantization unit of the design: POST_LANES pixels an iteration, item by item, while
// the lanes add up the next round.
#pragma once

#include "acs_lanes.hpp"

namespace acs {

// Iterations from the address of a mask word to its bits.
constexpr int CLEAR_WAIT = 3;

struct Post {
  bool busy;
  group_t item;
  group_t items;
  count_t<SLICES> slice;
  block_t block;  // number of the round's first block in its channel
  Item entry[LANE_GROUPS];
  uint8_t residual[acs_isa::LANES];
  uint8_t pixel[acs_isa::LANES];
};

// A block on its way into the feature memory: in one write, or split in two.
struct Writer {
  unsigned_t<2> left;    // writes still to be made
  unsigned_t<1> parity;  // of the rows that the next one stores
  block_t result;        // first block of the channel
  block_t block;         // number of the block in its channel
  uint8_t pixel[acs_isa::LANES];
};

// Iterations of an item: its slices, and no fewer than it has writes.
inline int item_iterations(const Job &job) {
#pragma HLS INLINE
  return SLICES == 1 && job.op.dst_split ? 2 : SLICES;
}

inline bool at_last_slice(const Job &job, const Post &post) {
#pragma HLS INLINE
  return int(post.slice) + 1 == item_iterations(job);
}

// True where the next round may leave the lanes in this iteration.
inline bool post_free(const Job &job, const Post &post) {
#pragma HLS INLINE
  return !post.busy || (post.item + 1 == post.items && at_last_slice(job, post));
}

// True where the item cannot begin without its residual.
inline bool wants_residual(const Job &job, const Post &post) {
#pragma HLS INLINE
  return post.busy && post.slice == 0u && job.op.res_enable;
}

// Takes a block that was read as it lies in memory: its segments are in the banks of one half.
inline void take_residual(const FeatureData &data, block_t block, Post &post) {
#pragma HLS INLINE
EACH_LANE:
  for (int lane = 0; lane < acs_isa::LANES; ++lane) {
#pragma HLS UNROLL
    const int bank = lane / acs_isa::SEGMENT_PIXELS;
    const segment_t segment = int(block) & 1 ? data.segment[1][bank] : data.segment[0][bank];
    post.residual[lane] = byte_of(segment, lane % acs_isa::SEGMENT_PIXELS);
  }
}

// A slice of the item that leaves, and behind the last one the block to the writer.
inline void post_slice(const Job &job, const Lanes &lanes, Post &post, Writer &writer) {
#pragma HLS INLINE
  if (!post.busy) return;
  const Instruction &op = job.op;
  const int slice = int(post.slice);
  const Item &item = post.entry[int(post.item)];
  const bool is_signed = op.pool_max ? op.src_signed : op.dst_signed;
  const Scale scale = make_scale(item.mult, item.shift);
  if (slice < SLICES) {
  EACH_LANE:
    for (int i = 0; i < POST_LANES; ++i) {
#pragma HLS UNROLL
      const int lane = slice * POST_LANES + i;
      const pixel_t residual =
          op.res_enable ? pixel_value(post.residual[lane], op.res_signed) : pixel_t(0);
      post.pixel[lane] = requantize(leaving_sum(lanes, post.item, lane), scale, residual,
                                    unsigned_t<16>(op.res_mult), is_signed);
    }
    if (slice == SLICES - 1) {
      writer.left = op.dst_split ? 2u : 1u;
      writer.parity = 0;
      writer.result = item.result;
      writer.block = post.block + (item.second ? 1u : 0u);
    EACH_LANE_2:
      for (int lane = 0; lane < acs_isa::LANES; ++lane) {
#pragma HLS UNROLL
        writer.pixel[lane] = post.pixel[lane];
      }
    }
  }
  if (!at_last_slice(job, post)) {
    post.slice = post.slice + 1;
  } else {
    post.slice = 0;
    post.busy = post.item + 1 != post.items;
    post.item = post.busy ? unsigned(post.item + 1) : 0u;
  }
}

// A round leaves the lanes.
inline void leave(const Round &round, Lanes &lanes, Post &post) {
#pragma HLS INLINE
EACH_GROUP:
  for (int group = 0; group < LANE_GROUPS; ++group) {
#pragma HLS UNROLL
  EACH_PAIR:
    for (int pair = 0; pair < PAIRS; ++pair) {
#pragma HLS UNROLL
      lanes.leaving[group][0][pair] = lanes.sums[group][0][pair];
      lanes.leaving[group][1][pair] = lanes.sums[group][1][pair];
    }
    post.entry[group] = round.item[group];
  }
  post.busy = true;
  post.item = 0;
  post.items = round.items;
  post.slice = 0;
  post.block = round.block;
}

// Masked channels of exact zeros, cleared when nothing else is written.  They are found by their
// mask bits, a word at a time.
struct Clearer {
  bool busy;
  count_t<MASK_WORDS> number;  // of the mask word
  count_t<MASK_WORDS> words;   // that the mask has
  bool last;                   // `number` is that of the last of them
  unsigned_t<2> wait;
  uint64_t bits;  // channels of the word that are still to be cleared
  uint64_t rest;  // the same without the first of them
  bool any;       // there are some
  uint64_t tail;  // bits of the last word that are channels
  bool partial;   // `last`, an iteration ago, which is early enough for the word that arrives
  uint64_t arriving[CLEAR_WAIT - 1];
  block_t block;
  bool last_block;  // `block` is the channel's last
};

inline void start_clearer(const Job &job, Clearer &clearer) {
#pragma HLS INLINE
  clearer.busy = job.clears && job.counts.masked != 0u;
  clearer.number = 0;
  clearer.words = unsigned(ceil_div<acs_isa::WORD_BITS>(int(job.outputs)));
  clearer.last = clearer.words == 1u;
  clearer.partial = clearer.last;
  clearer.wait = unsigned(CLEAR_WAIT);
  clearer.tail = last_word_bits(int(job.outputs));
  clearer.bits = 0;
  clearer.rest = 0;
  clearer.any = false;
  clearer.block = 0;
  clearer.last_block = job.final_clear_block == 0u;
}

// The writes of one iteration: each bank of each half at most once.
struct FeatureWrites {
  bool enable[HALVES][acs_isa::SEGMENTS];
  block_t address[acs_isa::SEGMENTS];
  segment_t segment[acs_isa::SEGMENTS];
};

inline segment_t pack_segment(const uint8_t pixel[acs_isa::LANES], int index) {
#pragma HLS INLINE
  segment_t packed = 0;
EACH_PIXEL:
  for (int j = 0; j < acs_isa::SEGMENT_PIXELS; ++j) {
#pragma HLS UNROLL
    packed |= segment_t(pixel[index * acs_isa::SEGMENT_PIXELS + j]) << (8 * j);
  }
  return packed;
}

// The four pixels of one parity out of eight.
inline uint32_t every_second(segment_t segment, int parity) {
#pragma HLS INLINE
  uint32_t half = 0;
EACH_PIXEL:
  for (int i = 0; i < acs_isa::SEGMENT_PIXELS / 2; ++i) {
#pragma HLS UNROLL
    half |= uint32_t(byte_of(segment, 2 * i + parity)) << (8 * i);
  }
  return half;
}

// Rows of one parity make up to so many segments of a plane of even columns, and of one of odd
// ones.
constexpr int SPLIT_SEGMENTS = acs_isa::SEGMENTS / 2;

// The rows of one parity of a block, split by the parity of their columns: first the segments of
// even columns, then those of odd ones.
struct SplitRows {
  unsigned_t<3> first;  // bank of the first segment
  block_t even;         // where they go
  block_t odd;
  bool used[SPLIT_SEGMENTS];
  segment_t segment[acs_isa::SEGMENTS];
};

// A segment of a plane comes from two segments of a row, or from one where a row has no more.  Of
// the eight segments, each has few that it may come from.
inline void split_rows(const Job &job, const Writer &writer,
                       const segment_t segments[acs_isa::SEGMENTS], SplitRows &rows) {
#pragma HLS INLINE
  const int row_log2 = int(job.op.row_log2);
  const int block = int(writer.block);
  const int parity = row_log2 == acs_isa::MAX_ROW_LOG2 ? block & 1 : int(writer.parity);
  const int count = row_log2 == 0 || row_log2 == acs_isa::MAX_ROW_LOG2 ? 4 : 2;
  const int first = row_log2 == 0                       ? 4 * block
                    : row_log2 == acs_isa::MAX_ROW_LOG2 ? 4 * (block >> 1)
                                                        : 2 * block;
  const int rows_left = int(job.op.dst_height) - ((block * acs_isa::SEGMENTS) >> row_log2);
  const int place = int(writer.result) + (first >> 3) + (parity ? 2 * int(job.split_plane) : 0);
  rows.first = unsigned(first & (acs_isa::SEGMENTS - 1));
  rows.even = unsigned(place);
  rows.odd = unsigned(place + int(job.split_plane));
EACH_SEGMENT:
  for (int at = 0; at < SPLIT_SEGMENTS; ++at) {
#pragma HLS UNROLL
    const int row = row_log2 == acs_isa::MAX_ROW_LOG2 ? 0
                    : row_log2 == 2                   ? parity
                                                      : parity + 2 * at;
    rows.used[at] = at < count && row < rows_left;
    segment_t low;
    segment_t high;
    if (at < 2) {
      // The first one is from segment 0, 1, 2 or 4, the second one from 2, 3, 4 or 6.
      const int choice = !parity || row_log2 == acs_isa::MAX_ROW_LOG2
                             ? (at == 1 && row_log2 == 1 ? 2 : 0)
                         : row_log2 == 0 ? 1
                         : row_log2 == 2 ? 3
                         : at == 0       ? 2
                                         : 3;
      const segment_t lows[4] = {segments[2 * at], segments[2 * at + 1], segments[2 * at + 2],
                                 segments[2 * at + 4]};
      const segment_t highs[4] = {segments[2 * at + 1], segment_t(0), segments[2 * at + 3],
                                  segments[2 * at + 5]};
      low = lows[choice];
      high = highs[row_log2 == 0 ? 1 : choice];
    } else {
      low = row_log2 == 0 && parity ? segments[2 * at + 1] : segments[2 * at];
      high = row_log2 == 0 ? segment_t(0) : segments[2 * at + 1];
    }
  EACH_PARITY:
    for (int odd = 0; odd < 2; ++odd) {
#pragma HLS UNROLL
      rows.segment[odd * SPLIT_SEGMENTS + at] =
          segment_t(every_second(high, odd)) << 32 | every_second(low, odd);
    }
  }
}

// A block in raster order goes to every bank at one address.  The segments of a split one go to the
// banks from the first on; as the odd columns lie turned by half a block, no bank is met twice.
inline void plan_writes(bool split, const SplitRows &rows, int raster,
                        const segment_t segments[acs_isa::SEGMENTS], FeatureWrites &writes) {
#pragma HLS INLINE
  static_assert(ODD_COLUMNS_TURN == SPLIT_SEGMENTS, "odd columns begin behind the even ones");
EACH_BANK:
  for (int bank = 0; bank < acs_isa::SEGMENTS; ++bank) {
#pragma HLS UNROLL
    const int n = acs_isa::SEGMENTS;
    const int at = (bank - int(rows.first)) & (n - 1);
    // The first bank is 0, 2, 4 or 6.
    const segment_t choice[4] = {rows.segment[bank], rows.segment[(bank + n - 2) % n],
                                 rows.segment[(bank + n - 4) % n],
                                 rows.segment[(bank + n - 6) % n]};
    const segment_t turned = choice[int(rows.first) >> 1];
    const block_t split_place = at < SPLIT_SEGMENTS ? rows.even : rows.odd;
    const block_t place = split ? split_place : block_t(unsigned(raster));
    const bool used = !split || rows.used[at % SPLIT_SEGMENTS];
    writes.segment[bank] = split ? turned : segments[bank];
    writes.address[bank] = unsigned(place) >> 1;
    writes.enable[0][bank] = used && (unsigned(place) & 1u) == 0;
    writes.enable[1][bank] = used && (unsigned(place) & 1u) == 1;
  }
}

// The only place where the flat loop writes the feature memory.  True with the last block of a
// masked channel.
inline bool write_features(const Job &job, Memories &memories, Writer &writer, Clearer &clearer) {
#pragma HLS INLINE
  const bool writing = writer.left != 0u;
  const bool clearing = !writing && clearer.any;
  if (!writing && !clearing) return false;

  segment_t segments[acs_isa::SEGMENTS];
#pragma HLS ARRAY_PARTITION variable=segments complete
EACH_SEGMENT:
  for (int i = 0; i < acs_isa::SEGMENTS; ++i) {
#pragma HLS UNROLL
    segments[i] = writing ? pack_segment(writer.pixel, i) : segment_t(0);
  }
  SplitRows rows;
#pragma HLS ARRAY_PARTITION variable=rows.used complete
#pragma HLS ARRAY_PARTITION variable=rows.segment complete
  split_rows(job, writer, segments, rows);
  const int channel = int(clearer.number) * acs_isa::WORD_BITS + lowest_bit(clearer.bits);
  const int cleared = int(job.op.dst_base) + channel * int(job.op.dst_step) + int(clearer.block);
  const int raster = writing ? int(writer.result) + int(writer.block) : cleared;
  FeatureWrites writes;
#pragma HLS ARRAY_PARTITION variable=writes.enable complete dim=0
#pragma HLS ARRAY_PARTITION variable=writes.address complete
#pragma HLS ARRAY_PARTITION variable=writes.segment complete
  plan_writes(writing && job.op.dst_split, rows, raster, segments, writes);
EACH_HALF:
  for (int half = 0; half < HALVES; ++half) {
#pragma HLS UNROLL
  EACH_BANK:
    for (int bank = 0; bank < acs_isa::SEGMENTS; ++bank) {
#pragma HLS UNROLL
      if (writes.enable[half][bank]) {
        ACS_PORT_TRACE(half, half * acs_isa::SEGMENTS + bank, write_features, true,
                       int(writes.address[bank]));
        memories.half[half][bank][int(writes.address[bank])] = writes.segment[bank];
      }
    }
  }

  if (writing) {
    // A row as long as a block has only one parity.
    const bool one = int(job.op.row_log2) == acs_isa::MAX_ROW_LOG2;
    writer.left = one ? 0u : unsigned(writer.left - 1);
    writer.parity = 1;
    return false;
  }
  const bool ends = clearer.last_block;
  const block_t next = clearer.block + block_t(1);
  clearer.block = ends ? block_t(0) : next;
  clearer.last_block = ends ? job.final_clear_block == 0u : next == job.final_clear_block;
  return ends;
}

// Goes on to the next masked channel where one `ends`, and fetches the next mask word where one is
// done, that is `cleared`.
inline void find_masked(const Job &job, const Memories &memories, bool ends, bool cleared,
                        Clearer &clearer) {
#pragma HLS INLINE
  if (!clearer.busy) return;
  const uint64_t arrived = clearer.arriving[CLEAR_WAIT - 2];
EACH_WAIT:
  for (int i = CLEAR_WAIT - 2; i > 0; --i) {
#pragma HLS UNROLL
    clearer.arriving[i] = clearer.arriving[i - 1];
  }
  const int address = int(job.op.mask_out) * MASK_WORDS + int(clearer.number);
  ACS_PORT_TRACE(masks, 2, find_masked, false, address);
  clearer.arriving[0] = memories.masks[2][address];

  const bool arrives = clearer.wait == 1u;
  if (arrives || ends) {
    // What is behind a bit was made ready when the bit came up.
    const uint64_t masked = ~arrived & (clearer.partial ? clearer.tail : ~uint64_t(0));
    const uint64_t bits = arrives ? masked : clearer.rest;
    clearer.bits = bits;
    clearer.rest = bits & (bits - 1);
    clearer.any = bits != 0;
  }
  clearer.partial = clearer.last;
  if (clearer.wait != 0u) {
    clearer.wait = clearer.wait - 1;
  } else if (cleared) {
    if (clearer.last) {
      clearer.busy = false;
    } else {
      const count_t<MASK_WORDS> next = clearer.number + count_t<MASK_WORDS>(1);
      clearer.number = next;
      clearer.last = next + count_t<MASK_WORDS>(1) == clearer.words;
      clearer.wait = unsigned(CLEAR_WAIT);
    }
  }
}

}  // namespace acs
