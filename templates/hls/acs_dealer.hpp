// The dealer: work items to rounds.
//
// A work item is (block of 64 result pixels, output channel).  A round has the next items, block by
// block, one for each lane group; at most two blocks meet in it, so that two windows feed all
// groups. The dealer adds an item an iteration to the round that comes next, and waits for rows
// that are not ready.  The loop decides by the counters here; channels, addresses and
// constants of an item are looked up behind it, and nothing waits for them.
#pragma once

#include "acs_loader.hpp"

namespace acs {

// The constants and addresses that an item needs on its way out, beside its sums.
struct Item {
  bool second;   // of the round's second block
  group_t bank;  // of its weights
  acc_t bias;    // the sums start here
  unsigned_t<16> mult;
  unsigned_t<6> shift;
  block_t result;    // first block of its result channel
  block_t residual;  // the block that is added to it
};

// Rounds of fewer inputs, under a window of 3 x 3, take fewer iterations than a full round takes in
// requantization.
constexpr int SLICES = acs_isa::LANES / POST_LANES;
constexpr int BRIEF_INPUTS = (LANE_GROUPS * SLICES + 8) / 9;

struct Round {
  group_t items;
  bool second;                      // it has a second block
  bool last;                        // of its chunk
  bool growing;                     // words of its rows may still have to be stored
  bool brief;                       // it ends before the round in front of it has left
  bool blank;                       // nothing is added up: no active input, or a masked channel
  chunk_place_t place;              // of the chunk in the queue
  count_t<RING_FIRST> first_start;  // of the chunk among the first rows
  block_t block;                    // number of the first block in its channel
  channel_t first_input;
  channel_t inputs;
  group_t first_bank;        // bank of the first item; banks below it are one row further
  ring_word_t base;          // first word of that row
  bool reads[LANE_GROUPS];   // banks that the first block reads
  signed_t<9> constants[2];  // weights of a job without words from memory
  Item item[LANE_GROUPS];
};

struct Dealer {
  bool full;  // `round` is complete
  Round round;
  group_t slot;
  channel_t row;
  group_t bank;
  bank_word_t base;  // of the row, from the chunk's first word
  block_t block;
};

// Constants of a row as its record says; a shift outside its range acts as the nearer bound.
inline void take_record(const Memories &memories, int address, Item &item) {
#pragma HLS INLINE
  uint64_t words[acs_isa::RECORD_WORDS];
EACH_RECORD_WORD:
  for (int i = 0; i < acs_isa::RECORD_WORDS; ++i) {
#pragma HLS UNROLL
    ACS_PORT_TRACE(records, i, take_record, false, address);
    words[i] = memories.records[i][address];
  }
  const Record record = acs_isa::decode_record(words);
  const unsigned shift = record.shift;
  item.bias = record.bias;
  item.mult = record.mult;
  item.shift = shift < unsigned(acs_isa::SHIFT_MIN)   ? unsigned(acs_isa::SHIFT_MIN)
               : shift > unsigned(acs_isa::SHIFT_MAX) ? unsigned(acs_isa::SHIFT_MAX)
                                                      : shift;
}

// Weights of a job that reads none: 1, or the two halves of the factor of SCALE, so that products
// keep to 16 bits; 0 where the channel is masked.
inline void take_constants(const Job &job, const Memories &memories, int channel, Round &round,
                           Item &item) {
#pragma HLS INLINE
  const Instruction &op = job.op;
  const bool active =
      channel_active(memories, 0, int(op.mask_in), channel) &&
      (!acs_isa::masks_result(op) || channel_active(memories, 1, int(op.mask_out), channel));
  const bool maximum = op.pool_max;
  int low = 1;
  int high = 0;
  if (op.opcode == unsigned(acs_isa::OP_SCALE)) {
    const int address = int(op.vec_src) + channel / acs_isa::WORD_BYTES;
    ACS_PORT_TRACE(vectors, 0, take_constants, false, address);
    const int factor = byte_of(memories.vectors[address], channel % acs_isa::WORD_BYTES);
    low = factor >> 1;
    high = factor - low;
  }
  round.constants[0] = active ? low : 0;
  round.constants[1] = active ? high : 0;
  item.bias = 0;
  // A maximum is stored as it is: times one.
  item.mult = maximum ? 1u << acs_isa::SHIFT_MIN : unsigned(op.mult);
  item.shift = maximum ? unsigned(acs_isa::SHIFT_MIN) : unsigned(op.shift);
}

inline void deal_item(const Job &job, const Memories &memories, const Lists &lists, Loader &loader,
                      Dealer &dealer) {
#pragma HLS INLINE
  const Chunk &chunk = loader.chunk[int(loader.deal_place)];
  if (dealer.full || loader.undealt == 0u || chunk.ready <= dealer.row) return;

  const Instruction &op = job.op;
  Round &round = dealer.round;
  const int slot = int(dealer.slot);
  if (slot == 0) {
    round.second = false;
    round.growing = false;
    round.brief = chunk.inputs < unsigned(BRIEF_INPUTS);
    round.blank = chunk.inputs == 0u;
    round.place = loader.deal_place;
    round.first_start = chunk.first_start;
    round.block = dealer.block;
    round.first_input = job.conv ? chunk.first_input : channel_t(chunk.first + dealer.row);
    round.inputs = chunk.inputs;
    round.first_bank = dealer.bank;
    round.base = unsigned(in_ring<RING_WORDS>(int(chunk.start) + int(dealer.base)));
  EACH_BANK:
    for (int bank = 0; bank < LANE_GROUPS; ++bank) {
#pragma HLS UNROLL
      round.reads[bank] = false;
    }
  }

  Item item;
  const int position = int(chunk.first) + int(dealer.row);
  int channel = position;
  if (job.lists_out) {
    const int place =
        int(job.list) * acs_isa::MAX_LISTED + (chunk.fill ? masked_place(position) : position);
    ACS_PORT_TRACE(output_channels, 0, deal_item, false, place);
    channel = int(lists.output_channels[place]);
  }
  item.second = round.second;
  item.bank = dealer.bank;
  item.result = unsigned(int(op.dst_base) + channel * int(op.dst_step));
  item.residual = unsigned(int(op.res_base) + channel * int(op.res_step) + int(dealer.block));
  if (!job.conv) {
    take_constants(job, memories, channel, round, item);
  } else if (chunk.fill && op.masked_zero) {
    item.bias = 0;
    item.mult = 0;
    item.shift = unsigned(acs_isa::SHIFT_MIN);
  } else {
    take_record(memories, in_ring<RING_RECORDS>(int(chunk.record) + int(dealer.row)), item);
  }
EACH_GROUP:
  for (int i = 0; i < LANE_GROUPS; ++i) {
#pragma HLS UNROLL
    if (i == slot) round.item[i] = item;
    if (i == int(dealer.bank) && !round.second) round.reads[i] = true;
  }

  if (chunk.growing) round.growing = true;

  // The next item; a round ends with its lane groups, with its second block and with its chunk.
  // Where every channel is its own input, a round is of one channel: blocks come first, then rows.
  bool ends = slot == LANE_GROUPS - 1;
  bool last = false;
  const channel_t next_row = dealer.row + channel_t(1);
  const block_t next_block = dealer.block + block_t(1);
  // The last numbers are made beside what is counted, so that nothing waits for a sum.
  const channel_t final_row = chunk.rows - channel_t(1);
  const block_t final_block = job.blocks - block_t(1);
  const bool last_row = dealer.row == final_row;
  const bool last_block = dealer.block == final_block;
  if (!job.conv) {
    if (!last_block) {
      dealer.block = next_block;
      ends = ends || round.second;
      if (!ends) round.second = true;
    } else {
      dealer.block = 0;
      dealer.row = last_row ? channel_t(0) : next_row;
      last = last_row;
      ends = true;
    }
  } else if (last_row) {
    dealer.row = 0;
    dealer.bank = 0;
    dealer.base = 0;
    if (last_block) {
      dealer.block = 0;
      ends = true;
      last = true;
    } else {
      dealer.block = next_block;
      ends = ends || round.second;
      // Items that follow in this round are of its second block.
      if (!ends) round.second = true;
    }
  } else {
    dealer.row = next_row;
    if (int(dealer.bank) == LANE_GROUPS - 1) {
      dealer.bank = 0;
      dealer.base = dealer.base + job.weight_words;
    } else {
      dealer.bank = dealer.bank + 1;
    }
  }
  if (last) {
    loader.deal_place = next_place(loader.deal_place);
    loader.undealt = loader.undealt - 1;
  }
  round.items = unsigned(slot + 1);
  round.last = last;
  dealer.full = ends;
  dealer.slot = ends ? 0u : unsigned(slot + 1);
}

}  // namespace acs
