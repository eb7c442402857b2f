// From sums to stored pixels: residual, requantization, and the writes of finished blocks.
//
// The one requantization unit of the design: POST_LANES pixels an iteration, item by item, while
// the lanes add up the next round.
#pragma once

#include "acs_lanes.hpp"

namespace acs {

// Iterations from the address of a mask word to its bits.
constexpr int CLEAR_WAIT = 3;

constexpr int SLICES = acs_isa::LANES / POST_LANES;

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

// True where this iteration's read of the feature memory is a residual's.
inline bool wants_residual(const Job &job, const Post &post) {
#pragma HLS INLINE
  return post.busy && post.slice == 0u && job.op.res_enable;
}

inline void take_residual(const segment_t pixels[acs_isa::SEGMENTS], Post &post) {
#pragma HLS INLINE
EACH_LANE:
  for (int lane = 0; lane < acs_isa::LANES; ++lane) {
#pragma HLS UNROLL
    post.residual[lane] =
        byte_of(pixels[lane / acs_isa::SEGMENT_PIXELS], lane % acs_isa::SEGMENT_PIXELS);
  }
}

// A slice of the item that leaves, and behind the last one the block to the writer.
inline void post_slice(const Job &job, const Lanes &lanes, Post &post, Writer &writer) {
#pragma HLS INLINE
  if (!post.busy) return;
  const Instruction &op = job.op;
  const int slice = int(post.slice);
  const Item &item = post.entry[int(post.item)];
  const acc_t(&sums)[2][PAIRS] = lanes.leaving[int(post.item)];
  const bool is_signed = op.pool_max ? op.src_signed : op.dst_signed;
  const Scale scale = make_scale(item.mult, item.shift);
  if (slice < SLICES) {
  EACH_LANE:
    for (int i = 0; i < POST_LANES; ++i) {
#pragma HLS UNROLL
      const int lane = slice * POST_LANES + i;
      const pixel_t residual =
          op.res_enable ? pixel_value(post.residual[lane], op.res_signed) : pixel_t(0);
      post.pixel[lane] = requantize(sums[lane % 2][lane / 2], scale, residual,
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
  uint64_t bits;    // channels of the word that are still to be cleared
  bool any;         // there are some
  uint64_t inside;  // bits of the word that are channels
  uint64_t arriving[CLEAR_WAIT - 1];
  block_t block;
};

inline void start_clearer(const Job &job, Clearer &clearer) {
#pragma HLS INLINE
  clearer.busy = job.clears && job.counts.masked != 0u;
  clearer.number = 0;
  clearer.words = unsigned(ceil_div<acs_isa::WORD_BITS>(int(job.op.groups * job.op.channels)));
  clearer.last = clearer.words == 1u;
  clearer.wait = unsigned(CLEAR_WAIT);
  clearer.bits = 0;
  clearer.any = false;
  clearer.block = 0;
}

// The writes of one iteration: each bank of each half at most once.
struct FeatureWrites {
  bool enable[HALVES][acs_isa::SEGMENTS];
  int address[HALVES][acs_isa::SEGMENTS];
  segment_t segment[HALVES][acs_isa::SEGMENTS];
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

// A raster block: every bank at one address.
inline void plan_raster(int address, const segment_t segments[acs_isa::SEGMENTS],
                        FeatureWrites &writes) {
#pragma HLS INLINE
EACH_BANK:
  for (int bank = 0; bank < acs_isa::SEGMENTS; ++bank) {
#pragma HLS UNROLL
  EACH_HALF:
    for (int half = 0; half < HALVES; ++half) {
#pragma HLS UNROLL
      writes.enable[half][bank] = (address & 1) == half;
      writes.address[half][bank] = address >> 1;
      writes.segment[half][bank] = segments[bank];
    }
  }
}

// The rows of one parity of a block, split: their even columns go to one plane, their odd columns
// to the next.  They are two or four segments of each plane, side by side; as the odd columns lie
// turned by half a block, no bank is met twice.
inline void plan_split(const Job &job, const Writer &writer,
                       const segment_t segments[acs_isa::SEGMENTS], FeatureWrites &writes) {
#pragma HLS INLINE
  const int row_log2 = int(job.op.row_log2);
  const int block = int(writer.block);
  const int parity = row_log2 == acs_isa::MAX_ROW_LOG2 ? block & 1 : int(writer.parity);
  const int count = row_log2 == 0 || row_log2 == acs_isa::MAX_ROW_LOG2 ? 4 : 2;
  const int first = row_log2 == 0                       ? 4 * block
                    : row_log2 == acs_isa::MAX_ROW_LOG2 ? 4 * (block >> 1)
                                                        : 2 * block;
  const int first_row = (block * acs_isa::SEGMENTS) >> row_log2;
EACH_BANK:
  for (int bank = 0; bank < acs_isa::SEGMENTS; ++bank) {
#pragma HLS UNROLL
    const int even_at = (bank - first) & (acs_isa::SEGMENTS - 1);
    const int odd_at = (even_at - ODD_COLUMNS_TURN) & (acs_isa::SEGMENTS - 1);
    const bool odd = even_at >= count;
    const int at = odd ? odd_at : even_at;  // segment of the phase row or rows
    const bool used = at < count;
    // Where its pixels come from: a pair of segments of a row, or one where a row has no more.
    const int row = row_log2 == acs_isa::MAX_ROW_LOG2 ? 0
                    : row_log2 == 2                   ? parity
                                                      : parity + 2 * at;
    const int from = row_log2 == acs_isa::MAX_ROW_LOG2 ? 2 * at
                     : row_log2 == 2                   ? 4 * parity + 2 * at
                     : row_log2 == 1                   ? 2 * row
                                                       : row;
    const segment_t low = segments[from & (acs_isa::SEGMENTS - 1)];
    const segment_t high =
        row_log2 == 0 ? segment_t(0) : segments[(from + 1) & (acs_isa::SEGMENTS - 1)];
    const segment_t data =
        segment_t(every_second(high, odd ? 1 : 0)) << 32 | every_second(low, odd ? 1 : 0);
    const int plane = (parity ? 2 * int(job.split_plane) : 0) + (odd ? int(job.split_plane) : 0);
    const int address = int(writer.result) + plane + (first >> 3);
    const bool enable = used && first_row + row < int(job.op.dst_height);
  EACH_HALF:
    for (int half = 0; half < HALVES; ++half) {
#pragma HLS UNROLL
      writes.enable[half][bank] = enable && (address & 1) == half;
      writes.address[half][bank] = address >> 1;
      writes.segment[half][bank] = data;
    }
  }
}

// The only place where the flat loop writes the feature memory.
inline void write_features(const Job &job, Memories &memories, Writer &writer, Clearer &clearer) {
#pragma HLS INLINE
  const bool writing = writer.left != 0u;
  const bool clearing = !writing && clearer.busy && clearer.any;
  if (!writing && !clearing) return;

  segment_t segments[acs_isa::SEGMENTS];
#pragma HLS ARRAY_PARTITION variable=segments complete
EACH_SEGMENT:
  for (int i = 0; i < acs_isa::SEGMENTS; ++i) {
#pragma HLS UNROLL
    segments[i] = writing ? pack_segment(writer.pixel, i) : segment_t(0);
  }
  FeatureWrites writes;
#pragma HLS ARRAY_PARTITION variable=writes.enable complete dim=0
#pragma HLS ARRAY_PARTITION variable=writes.address complete dim=0
#pragma HLS ARRAY_PARTITION variable=writes.segment complete dim=0
  if (writing && job.op.dst_split) {
    plan_split(job, writer, segments, writes);
  } else {
    int address = int(writer.result) + int(writer.block);
    if (clearing) {
      const int channel = int(clearer.number) * acs_isa::WORD_BITS + lowest_bit(clearer.bits);
      address = int(job.op.dst_base) + channel * int(job.op.dst_step) + int(clearer.block);
    }
    plan_raster(address, segments, writes);
  }
EACH_HALF:
  for (int half = 0; half < HALVES; ++half) {
#pragma HLS UNROLL
  EACH_BANK:
    for (int bank = 0; bank < acs_isa::SEGMENTS; ++bank) {
#pragma HLS UNROLL
      if (writes.enable[half][bank]) {
        ACS_PORT_TRACE(half, half * acs_isa::SEGMENTS + bank, write_features, true,
                       writes.address[half][bank]);
        memories.half[half][bank][writes.address[half][bank]] = writes.segment[half][bank];
      }
    }
  }

  if (writing) {
    // A row as long as a block has only one parity.
    const bool one = int(job.op.row_log2) == acs_isa::MAX_ROW_LOG2;
    writer.left = one ? 0u : unsigned(writer.left - 1);
    writer.parity = 1;
  } else {
    const block_t final_block = job.clear_blocks - block_t(1);
    const bool more = clearer.block != final_block;
    clearer.block = more ? block_t(clearer.block + block_t(1)) : block_t(0);
    const uint64_t rest = clearer.bits & (clearer.bits - 1);
    clearer.bits = more ? clearer.bits : rest;
    clearer.any = more || rest != 0;
  }
}

// Fetches the next mask word where one is done, that is `cleared`.
inline void find_masked(const Job &job, const Memories &memories, bool cleared, Clearer &clearer) {
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

  // Which bits of the word are channels is known an iteration before the word is.
  const uint64_t inside = clearer.inside;
  const int channels = int(job.op.groups * job.op.channels);
  const int left = channels - int(clearer.number) * acs_isa::WORD_BITS;
  clearer.inside = left >= acs_isa::WORD_BITS ? ~uint64_t(0) : (uint64_t(1) << left) - 1;
  if (clearer.wait != 0u) {
    clearer.wait = clearer.wait - 1;
    if (clearer.wait == 0u) {
      clearer.bits = ~arrived & inside;
      clearer.any = clearer.bits != 0;
    }
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
