#include "acs_lists.hpp"

namespace acs {

namespace {

const int WORD_BITS = acs_isa::WORD_BITS;
const int RECORD_WORDS = acs_isa::RECORD_WORDS;

// Iterations from the address of a mask word to its bits.
const int MASK_WAIT = 3;

typedef count_t<BANK_WORDS + RECORD_WORDS + acs_isa::MAX_KERNEL * acs_isa::MAX_KERNEL> row_word_t;

// The channels of one mask, lowest first: those whose bit equals `wanted`.
struct Scan {
  bool ended;
  bool wanted;
  bool last;                   // `number` is that of the mask's last word
  count_t<MASK_WORDS> number;  // of the mask word
  count_t<MASK_WORDS> words;
  unsigned_t<2> wait;
  bool any;       // `bits` has some
  uint64_t bits;  // still to be visited
  uint64_t rest;  // the same without the first of them
  uint64_t tail;  // bits of the last word that are channels
  bool partial;   // `last`, an iteration ago, which is early enough for the word that arrives
  uint64_t arriving[MASK_WAIT - 1];
};

Scan begin_scan(channel_t channels, bool wanted) {
#pragma HLS INLINE
  Scan scan;
  scan.ended = channels == 0u;
  scan.wanted = wanted;
  scan.number = 0;
  scan.words = unsigned(ceil_div<WORD_BITS>(int(channels)));
  scan.last = scan.words == 1u;
  scan.partial = scan.last;
  scan.wait = unsigned(MASK_WAIT);
  scan.any = false;
  scan.bits = 0;
  scan.rest = 0;
  scan.tail = last_word_bits(int(channels));
  return scan;
}

// One step: true with the next channel, or false where none is known yet.
bool step_scan(Scan &scan, uint64_t word, listed_t &channel) {
#pragma HLS INLINE
  const uint64_t arrived = scan.arriving[MASK_WAIT - 2];
EACH_WAIT:
  for (int i = MASK_WAIT - 2; i > 0; --i) {
#pragma HLS UNROLL
    scan.arriving[i] = scan.arriving[i - 1];
  }
  scan.arriving[0] = word;
  const uint64_t inside = scan.partial ? scan.tail : ~uint64_t(0);
  scan.partial = scan.last;
  const uint64_t fresh = (scan.wanted ? arrived : ~arrived) & inside;
  const bool found = scan.any;
  channel = unsigned(int(scan.number) * WORD_BITS + lowest_bit(scan.bits));
  // What is behind a bit was made ready when the bit came up.
  const bool more = scan.rest != 0;
  const bool waits = scan.wait != 0u;
  const bool arrives = scan.wait == 1u;
  if (scan.ended) return false;
  // Behind the last bit are none, which is no matter: the next word comes in their place.
  if (arrives || (!waits && found)) {
    const uint64_t bits = arrives ? fresh : scan.rest;
    scan.bits = bits;
    scan.rest = bits & (bits - 1);
  }
  if (waits) {
    scan.wait = scan.wait - 1u;
    if (arrives) scan.any = fresh != 0;
  } else if (!found || !more) {
    const count_t<MASK_WORDS> next = scan.number + 1u;
    scan.any = false;
    scan.ended = scan.last;
    // A scan that has ended stays at its last word: behind it are no channels to count.
    if (!scan.last) {
      scan.number = next;
      scan.last = next + 1u == scan.words;
    }
    scan.wait = unsigned(MASK_WAIT);
  }
  return found;
}

uint64_t mask_word(const Memories &memories, int side, int mask, const Scan &scan) {
#pragma HLS INLINE
  const int number = scan.ended ? 0 : int(scan.number);
  const int address = (has_mask(mask) ? mask * MASK_WORDS : 0) + number;
  ACS_PORT_TRACE(masks, side, mask_word, false, address);
  return memories.masks[side][address];
}

// The bursts of a row, made while the active columns come by.
struct RunMaker {
  row_word_t first;     // of the run, behind the words that are in bursts already
  row_word_t last;      // of the run
  row_word_t joins_at;  // a column that begins here or before continues the run
  row_word_t full_at;   // a column that ends here or behind makes a burst
  count_t<MAX_RUNS> runs;
  count_t<MAX_BURSTS> made;  // bursts
  unsigned_t<16> words;      // in all runs
};

// Adds a column's words; returns true with a burst that is complete.
bool add_column(RunMaker &maker, row_word_t first, row_word_t last, Burst &burst) {
#pragma HLS INLINE
  const bool out_of_runs = int(maker.runs) == MAX_RUNS;
  const bool joins = first <= maker.joins_at || out_of_runs;
  const bool full = last >= maker.full_at && !out_of_runs;
  burst.offset = unsigned(maker.first);
  burst.words = unsigned(joins ? BURST_WORDS : int(maker.last) - int(maker.first) + 1);
  burst.last = false;
  burst.table = false;
  const row_word_t begins = joins ? row_word_t(unsigned(maker.last + 1u)) : first;
  maker.words = unsigned(int(maker.words) + (int(last) - int(begins) + 1));
  const row_word_t next_burst = maker.full_at;
  if (!joins) {
    maker.first = first;
    maker.full_at = unsigned(first + unsigned(BURST_WORDS));
    maker.runs = maker.runs + 1u;
  } else if (full) {
    maker.first = next_burst;
    maker.full_at = unsigned(next_burst + unsigned(BURST_WORDS));
  }
  maker.last = last;
  maker.joins_at = unsigned(last + 1u + MAX_GAP);
  return full || !joins;
}

void store_burst(const Burst &burst, Lists &lists, int base, RunMaker &maker) {
#pragma HLS INLINE
  ACS_PORT_TRACE(bursts, 0, store_burst, true, base + int(maker.made));
  lists.bursts[base + int(maker.made)] = burst;
  maker.made = maker.made + 1u;
}

// Masks without groups or tables: the lists of active channels, found by their bits; a channel that
// is masked costs nothing.
void list_masks(const MaskedInputs &from, const Instruction &op, const Memories &memories,
                Lists &lists, int list, ListCounts &counts, InputLists &made) {
  const bool masks_out = has_mask(int(op.mask_out));
  const channel_t outputs = masks_out ? unsigned(op.channels) : 0u;
  const bool fills = masks_out && !(op.masked_zero && !op.res_enable);
  const int base_in = int(from.list) * acs_isa::MAX_LISTED;
  const int base = list * acs_isa::MAX_LISTED;
  const int burst_base = int(from.list) * MAX_BURSTS;
  Scan input_scan = begin_scan(from.channels, true);
  // Of the active outputs, and then of the masked ones.
  Scan output_scan = begin_scan(outputs, true);
  bool again = fills;
  RunMaker maker;
  maker.first = 0;
  maker.last = unsigned(RECORD_WORDS - 1);
  maker.joins_at = unsigned(RECORD_WORDS + MAX_GAP);
  maker.full_at = unsigned(BURST_WORDS);
  maker.runs = 1;
  maker.made = 0;
  maker.words = unsigned(RECORD_WORDS);
  channel_t made_inputs = 0;
  channel_t made_outputs = 0;
  channel_t made_masked = 0;
  bool busy = true;
  ACS_RUN();
LISTS:
  while (busy) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_TRIPCOUNT min=1 max=TRIP_CHANNELS
    ACS_LOOP(LISTS);
    // The loop ends an iteration late, so that its end hangs on nothing that this one computes.
    busy = !input_scan.ended || !output_scan.ended || again;
    listed_t input;
    if (step_scan(input_scan, mask_word(memories, 0, int(from.mask), input_scan), input)) {
      const int place = base_in + int(made_inputs);
      ACS_PORT_TRACE(inputs, 0, list_masks, true, place);
      lists.inputs[place].channel = input;
      lists.inputs[place].column = input;
      made_inputs = made_inputs + 1u;
      const unsigned byte = unsigned(input) * unsigned(from.taps);
      const row_word_t first = unsigned(RECORD_WORDS) + byte / unsigned(acs_isa::WORD_BYTES);
      const row_word_t last = unsigned(RECORD_WORDS) +
                              (byte + unsigned(from.taps) - 1u) / unsigned(acs_isa::WORD_BYTES);
      Burst burst;
      if (add_column(maker, first, last, burst)) store_burst(burst, lists, burst_base, maker);
    }

    const bool restarts = output_scan.ended && again;
    listed_t output;
    if (step_scan(output_scan, mask_word(memories, 1, int(op.mask_out), output_scan), output)) {
      const bool active = output_scan.wanted;
      const int place = base + (active ? int(made_outputs) : masked_place(int(made_masked)));
      ACS_PORT_TRACE(output_rows, 0, list_masks, true, place);
      ACS_PORT_TRACE(output_channels, 0, list_masks, true, place);
      lists.output_rows[place] = output;
      lists.output_channels[place] = output;
      if (active) {
        made_outputs = made_outputs + 1u;
      } else {
        made_masked = made_masked + 1u;
      }
    }
    if (restarts) {
      output_scan = begin_scan(outputs, false);
      again = false;
    }
  }

  if (masks_out) counts.outputs = made_outputs;
  made.inputs = made_inputs;
  if (!has_mask(int(from.mask))) return;

  // The last run may be longer than a burst.
  row_word_t left = maker.last - maker.first + 1u;
LAST_BURSTS:
  while (left != 0u) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_TRIPCOUNT min=1 max=TRIP_LAST_BURSTS
    ACS_LOOP(LAST_BURSTS);
    const bool last = int(left) <= BURST_WORDS;
    Burst burst;
    burst.offset = unsigned(maker.first);
    burst.words = last ? unsigned(left) : unsigned(BURST_WORDS);
    burst.last = last;
    burst.table = false;
    store_burst(burst, lists, burst_base, maker);
    maker.first = maker.first + unsigned(BURST_WORDS);
    left = last ? row_word_t(0) : row_word_t(unsigned(left - unsigned(BURST_WORDS)));
  }
  made.bursts = maker.made;
  made.row_words = maker.words;
}

// Masks with groups or tables: channels are looked at one by one, in the order of their rows.
void list_in_order(const Instruction &op, const Products &products, const Memories &memories,
                   Lists &lists, int list, ListCounts &counts) {
  const int inputs = int(products.inputs);
  const int outputs = int(products.outputs);
  const int length = inputs > outputs ? inputs : outputs;
  const int base = list * acs_isa::MAX_LISTED;

  channel_t made_inputs = 0;
  channel_t made_outputs = 0;
  channel_t made_masked = 0;
  channel_t column = 0;
  channel_t row = 0;
  channel_t input_group = 0;
  channel_t output_group = 0;
  channel_t first_input = 0;
  channel_t first_output = 0;
  ACS_RUN();
ORDERED_LISTS:
  for (int i = 0; i < length; ++i) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_TRIPCOUNT min=1 max=TRIP_CHANNELS
    ACS_LOOP(ORDERED_LISTS);
    if (i < inputs) {
      ACS_PORT_TRACE(input_table, 0, list_in_order, false, i);
      const int channel = op.has_table ? int(lists.input_table[i]) : i;
      if (channel_active(memories, 0, int(op.mask_in), channel)) {
        const int place = base + int(made_inputs);
        ACS_PORT_TRACE(inputs, 0, list_in_order, true, place);
        lists.inputs[place].channel = unsigned(channel);
        lists.inputs[place].column = unsigned(column);
        made_inputs = made_inputs + 1u;
      }
      column = column + 1u;
      if (column == op.channels_in) {
        const int group = base + int(input_group);
        ACS_PORT_TRACE(group_inputs, 0, list_in_order, true, group);
        lists.group_inputs[group] = made_inputs - first_input;
        first_input = made_inputs;
        input_group = input_group + 1u;
        column = 0;
      }
    }
    if (i < outputs) {
      ACS_PORT_TRACE(output_table, 0, list_in_order, false, i);
      const int channel = op.has_table ? int(lists.output_table[i]) : i;
      const bool active = channel_active(memories, 1, int(op.mask_out), channel);
      const int place = base + (active ? int(made_outputs) : masked_place(int(made_masked)));
      ACS_PORT_TRACE(output_rows, 0, list_in_order, true, place);
      ACS_PORT_TRACE(output_channels, 0, list_in_order, true, place);
      lists.output_rows[place] = unsigned(i);
      lists.output_channels[place] = unsigned(channel);
      if (active) {
        made_outputs = made_outputs + 1u;
      } else {
        made_masked = made_masked + 1u;
      }
      row = row + 1u;
      if (row == op.channels) {
        const int group = base + int(output_group);
        ACS_PORT_TRACE(group_outputs, 0, list_in_order, true, group);
        lists.group_outputs[group] = made_outputs - first_output;
        first_output = made_outputs;
        output_group = output_group + 1u;
        row = 0;
      }
    }
  }

  uint32_t pairs = 0;
PAIRS:
  for (int group = 0; group < int(op.groups); ++group) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_TRIPCOUNT min=1 max=TRIP_GROUPS
    ACS_LOOP(PAIRS);
    pairs +=
        uint32_t(lists.group_inputs[base + group]) * uint32_t(lists.group_outputs[base + group]);
  }
  counts.inputs = made_inputs;
  counts.outputs = made_outputs;
  counts.pairs = pairs;
}

}  // namespace

bool read_tables(const Instruction &op, const Products &products, params_port params, Lists &lists,
                 int list) {
  const channel_t all_inputs = unsigned(products.inputs);
  const channel_t all_outputs = unsigned(products.outputs);
  const int inputs = int(all_inputs);
  const int entries = inputs + int(all_outputs);
  TableCursor cursor = {0, 0, true};
  uint64_t word = 0;
  params.read_request(op.table_addr, unsigned(ceil_div<TABLE_ENTRIES>(entries)));
TABLE:
  for (int i = 0; i < entries; ++i) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_TRIPCOUNT min=1 max=TRIP_CHANNELS
    ACS_LOOP(TABLE);
    word = i % TABLE_ENTRIES == 0 ? uint64_t(params.read()) : word >> 16;
    const unsigned channel = unsigned(word & 0xFFFF) % acs_isa::MAX_LISTED;
    if (i < inputs) {
      ACS_PORT_TRACE(input_table, 0, read_tables, true, i);
      lists.input_table[i] = channel;
    } else {
      ACS_PORT_TRACE(output_table, 0, read_tables, true, i - inputs);
      lists.output_table[i - inputs] = channel;
    }
    take_entry(all_inputs, all_outputs, op.channels_in, word, lists, list, cursor);
  }
  return cursor.valid;
}

InputLists make_lists(const Instruction &op, const MaskedInputs &from, const Products &products,
                      const Memories &memories, Lists &lists, int list, ListCounts &counts) {
#pragma HLS INLINE off
// No loop of the lists has more than one product.
#pragma HLS ALLOCATION operation instances=mul limit=1
  InputLists made = {0, 0, 0};
  if (lists_in_order(op)) {
    list_in_order(op, products, memories, lists, list, counts);
  } else if (is_masked(op)) {
    list_masks(from, op, memories, lists, list, counts, made);
  }
  counts.masked = unsigned(products.outputs) - unsigned(counts.outputs);
  return made;
}

}  // namespace acs
