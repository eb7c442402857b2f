// Mask registers and channel orders, made into the lists that the flat loop walks: of active
// channels, and the bursts of a weight row that hold weights of active inputs.
#pragma once

#include "acs_params.hpp"
#include "acs_products.hpp"

namespace acs {

typedef count_t<acs_isa::MAX_CHANNELS - 1> channel_number_t;
typedef count_t<acs_isa::MAX_LISTED - 1> listed_t;  // of a channel that is in a list

// An active input: where it lies in its map, and its column in the rows of its group.
struct InputEntry {
  listed_t channel;
  listed_t column;
};

// A burst of a weight row.
struct Burst {
  unsigned_t<16> offset;  // of its first word in the row
  count_t<BURST_WORDS> words;
  bool last;   // of the row
  bool table;  // part of a table of channel orders, not of a row
};

// Runs of words that are told apart in a row; behind the last of them everything is read.
constexpr int MAX_RUNS = 64;
// Unneeded words between two needed ones that are read all the same: another burst costs more, and
// DRAM reads four words at a time.
constexpr int MAX_GAP = 2;
constexpr int MAX_BURSTS = 2 * MAX_RUNS + (BANK_WORDS + acs_isa::RECORD_WORDS) / BURST_WORDS;

constexpr int TABLE_ENTRIES = acs_isa::WORD_BITS / 16;  // of 16 bits, in a word
constexpr int MAX_ENTRIES = 2 * acs_isa::MAX_LISTED;
constexpr int TABLE_WORDS = MAX_ENTRIES / TABLE_ENTRIES;

// The lists of two instructions: of the one that runs, and of the next one.  Groups follow each
// other.  Outputs are listed once for the asker of rows and once for the dealer of items; active
// ones from the front, masked ones from the back, as there are never more than MAX_LISTED.
struct Lists {
  InputEntry inputs[2 * acs_isa::MAX_LISTED];
  listed_t output_rows[2 * acs_isa::MAX_LISTED];
  listed_t output_channels[2 * acs_isa::MAX_LISTED];
  Burst bursts[2 * MAX_BURSTS];

  // Active channels of every group, where masks meet groups.
  channel_t group_inputs[2 * acs_isa::MAX_LISTED];
  channel_t group_outputs[2 * acs_isa::MAX_LISTED];

  // Channel orders from which masks choose.
  listed_t input_table[acs_isa::MAX_LISTED];
  listed_t output_table[acs_isa::MAX_LISTED];
};

// Where a masked output stands in the lists.
inline int masked_place(int position) { return acs_isa::MAX_LISTED - 1 - position; }

// The sizes of the lists of an instruction.
struct ListCounts {
  channel_t inputs;  // active, over all groups
  channel_t outputs;
  channel_t masked;            // outputs that are not active
  uint32_t pairs;              // active input times active output, summed over the groups, where
                               // channels are listed in order
  count_t<MAX_BURSTS> bursts;  // of a row; 0: whole rows are read
  unsigned_t<16> row_words;    // words read of an active row
};

// The masked inputs of an instruction whose channels come by their mask bits.
struct MaskedInputs {
  unsigned_t<8> mask;  // MASK_NONE: there are none
  channel_t channels;
  count_t<acs_isa::MAX_KERNEL * acs_isa::MAX_KERNEL> taps;
  unsigned_t<1> list;  // their place in the lists
};

// The lists made of them.
struct InputLists {
  channel_t inputs;  // active
  count_t<MAX_BURSTS> bursts;
  unsigned_t<16> row_words;
};

inline bool has_mask(int mask) { return mask != acs_isa::MASK_NONE; }
inline bool is_masked(const Instruction &op) {
  return has_mask(int(op.mask_in)) || has_mask(int(op.mask_out));
}

// Whether a CONV has masks whose channels are compacted in the order of their rows.
inline bool lists_in_order(const Instruction &op) {
  return is_masked(op) && (op.has_table || op.groups > 1);
}

// Whether input channels, and output channels, of a CONV come from lists rather than from counting.
inline bool lists_inputs(const Instruction &op) {
  return op.has_table || has_mask(int(op.mask_in)) || lists_in_order(op);
}
inline bool lists_outputs(const Instruction &op) {
  return op.has_table || has_mask(int(op.mask_out)) || lists_in_order(op);
}

// Where the next entry of a table goes, and whether those before were in their ranges.
struct TableCursor {
  count_t<MAX_ENTRIES> entry;
  channel_t column;  // of an input within its group
  bool valid;
};

// Takes an entry of a table into the lists in place `list`, as if no channel were masked.
//
// The channels are those of all groups, the columns those of one.
inline void take_entry(channel_t all_inputs, channel_t all_outputs, channel_t columns,
                       uint64_t word, Lists &lists, int list, TableCursor &cursor) {
#pragma HLS INLINE
  const int inputs = int(all_inputs);
  const int outputs = int(all_outputs);
  const int base = list * acs_isa::MAX_LISTED;
  const int number = int(cursor.entry);
  const int entry = int(word & 0xFFFF);
  const unsigned channel = unsigned(entry) % acs_isa::MAX_LISTED;
  if (number < inputs) {
    ACS_PORT_TRACE(inputs, 0, take_entry, true, base + number);
    lists.inputs[base + number].channel = channel;
    lists.inputs[base + number].column = unsigned(cursor.column);
    cursor.valid = cursor.valid && entry < inputs;
    const channel_t next = cursor.column + channel_t(1);
    cursor.column = next == columns ? channel_t(0) : next;
  } else {
    const int row = number - inputs;
    ACS_PORT_TRACE(output_rows, 0, take_entry, true, base + row);
    ACS_PORT_TRACE(output_channels, 0, take_entry, true, base + row);
    lists.output_rows[base + row] = unsigned(row);
    lists.output_channels[base + row] = channel;
    cursor.valid = cursor.valid && entry < outputs;
  }
  cursor.entry = cursor.entry + 1u;
}

// Reads the channel orders of a CONV.  False where an entry is too large.
bool read_tables(const Instruction &op, const Products &products, params_port params, Lists &lists,
                 int list);

// The sizes of a CONV's lists as long as no channel is masked.
inline ListCounts count_all(const Instruction &op, const Products &products) {
#pragma HLS INLINE
  ListCounts counts;
  counts.inputs = unsigned(products.inputs);
  counts.outputs = unsigned(products.outputs);
  counts.masked = 0;
  counts.pairs = 0;
  counts.bursts = 0;
  counts.row_words = op.row_words - unsigned(acs_isa::record_words(op) - acs_isa::RECORD_WORDS);
  return counts;
}

// The masked inputs of a CONV whose lists are in place `list`.
inline MaskedInputs masked_inputs(const Instruction &op, const Products &products, int list) {
#pragma HLS INLINE
  const bool any = has_mask(int(op.mask_in)) && !lists_in_order(op);
  MaskedInputs from;
  from.mask = any ? unsigned(op.mask_in) : unsigned(acs_isa::MASK_NONE);
  from.channels = any ? unsigned(op.channels_in) : 0u;
  from.taps = unsigned(products.taps);
  from.list = unsigned(list);
  return from;
}

// Takes the lists of an instruction's masked inputs.
inline void take_inputs(const MaskedInputs &from, const InputLists &made, ListCounts &counts) {
#pragma HLS INLINE
  if (!has_mask(int(from.mask))) return;
  counts.inputs = made.inputs;
  counts.bursts = made.bursts;
  counts.row_words = made.row_words;
}

// Makes the lists of a CONV in place `list`, 0 or 1.  The inputs that are found by their mask bits,
// if any are, are those of `from`, be it of this CONV or of the one behind it.
InputLists make_lists(const Instruction &op, const MaskedInputs &from, const Products &products,
                      const Memories &memories, Lists &lists, int list, ListCounts &counts);

}  // namespace acs
