#include "acs_lists.hpp"

namespace acs {

namespace {

const int WORD_BITS = acs_isa::WORD_BITS;
const int RECORD_WORDS = acs_isa::RECORD_WORDS;

// Iterations from the address of a mask word to its bits.
const int MASK_WAIT = 3;

// The channels of one mask, lowest first: those whose bit equals `wanted`.
struct Scan {
  bool ended;
  int number;  // of the mask word
  int words;
  int wait;
  uint64_t bits;  // still to be visited
  uint64_t arriving[MASK_WAIT - 1];
};

Scan begin_scan(int channels) {
#pragma HLS INLINE
  Scan scan;
  scan.ended = channels == 0;
  scan.number = 0;
  scan.words = ceil_div<WORD_BITS>(channels);
  scan.wait = MASK_WAIT;
  scan.bits = 0;
  return scan;
}

// One step: true with the next channel, or false where none is known yet.
bool step_scan(Scan &scan, uint64_t word, bool wanted, int channels, int &channel) {
#pragma HLS INLINE
  const uint64_t arrived = scan.arriving[MASK_WAIT - 2];
EACH_WAIT:
  for (int i = MASK_WAIT - 2; i > 0; --i) {
#pragma HLS UNROLL
    scan.arriving[i] = scan.arriving[i - 1];
  }
  scan.arriving[0] = word;
  if (scan.ended) return false;
  if (scan.wait != 0) {
    if (--scan.wait == 0) {
      const int left = channels - scan.number * WORD_BITS;
      const uint64_t inside = left >= WORD_BITS ? ~uint64_t(0) : (uint64_t(1) << left) - 1;
      scan.bits = (wanted ? arrived : ~arrived) & inside;
      scan.ended = scan.bits == 0 && scan.number + 1 == scan.words;
    }
    return false;
  }
  const uint64_t bits = scan.bits;
  if (bits != 0) {
    channel = scan.number * WORD_BITS + lowest_bit(bits);
    scan.bits = bits & (bits - 1);
  }
  if ((bits & (bits - 1)) == 0) {
    if (scan.number + 1 == scan.words) {
      scan.ended = true;
    } else {
      ++scan.number;
      scan.wait = MASK_WAIT;
    }
  }
  return bits != 0;
}

uint64_t mask_word(const Memories &memories, int side, int mask, const Scan &scan) {
#pragma HLS INLINE
  const int number = scan.number < scan.words ? scan.number : 0;
  const int address = (has_mask(mask) ? mask * MASK_WORDS : 0) + number;
  ACS_PORT_TRACE(masks, side, mask_word, false, address);
  return memories.masks[side][address];
}

// The bursts of a row, made while the active columns come by.
struct RunMaker {
  int first;  // of the run, behind the words that are in bursts already
  int last;
  int runs;
  int made;   // bursts
  int words;  // in all runs
};

// Adds a column's words; returns true with a burst that is complete.
bool add_column(RunMaker &maker, int first, int last, Burst &burst) {
#pragma HLS INLINE
  const bool joins = first <= maker.last + 2 || maker.runs == MAX_RUNS;
  const bool full = last - maker.first >= BURST_WORDS && maker.runs != MAX_RUNS;
  const int held = maker.last - maker.first + 1;
  burst.offset = unsigned(maker.first);
  burst.words = unsigned(joins ? BURST_WORDS : held);
  burst.last = false;
  burst.table = false;
  maker.words += joins ? last - maker.last : last - first + 1;
  const bool made = joins ? full : held > 0;
  if (joins) {
    if (full) maker.first += BURST_WORDS;
  } else {
    maker.first = first;
    ++maker.runs;
  }
  maker.last = last;
  return made;
}

// Masks without groups or tables: the lists of active channels, found by their bits; a channel that
// is masked costs nothing.
void list_masks(const Instruction &op, const Memories &memories, Lists &lists, int list,
                ListCounts &counts) {
  const int inputs = has_mask(int(op.mask_in)) ? int(op.channels_in) : 0;
  const int outputs = has_mask(int(op.mask_out)) ? int(op.channels) : 0;
  const bool fills = outputs > 0 && !(op.masked_zero && !op.res_enable);
  const int taps = int(op.kernel * op.kernel);
  const int base = list * acs_isa::MAX_CHANNELS;
  const int burst_base = list * MAX_BURSTS;
  Scan input_scan = begin_scan(inputs);
  Scan output_scan = begin_scan(outputs);
  Scan masked_scan = begin_scan(fills ? outputs : 0);
  RunMaker maker = {0, RECORD_WORDS - 1, 1, 0, RECORD_WORDS};
  int made_inputs = 0;
  int made_outputs = 0;
  int made_masked = 0;
  bool tail = inputs > 0;  // the last run is still to be stored
  bool busy = inputs > 0 || outputs > 0;
LISTS:
  while (busy) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_TRIPCOUNT min=1 max=TRIP_CHANNELS
    ACS_LOOP(LISTS);
    int channel = 0;
    Burst burst;
    bool has_burst = false;
    const bool inputs_ended = input_scan.ended;
    if (step_scan(input_scan, mask_word(memories, 0, int(op.mask_in), input_scan), true, inputs,
                  channel)) {
      ACS_PORT_TRACE(inputs, 0, list_masks, true, base + made_inputs);
      lists.inputs[base + made_inputs].channel = unsigned(channel);
      lists.inputs[base + made_inputs].column = unsigned(channel);
      ++made_inputs;
      const int first = RECORD_WORDS + channel * taps / acs_isa::WORD_BYTES;
      const int last = RECORD_WORDS + (channel * taps + taps - 1) / acs_isa::WORD_BYTES;
      has_burst = add_column(maker, first, last, burst);
    } else if (inputs_ended && tail) {
      const int left = maker.last - maker.first + 1;
      burst.offset = unsigned(maker.first);
      burst.words = unsigned(left < BURST_WORDS ? left : BURST_WORDS);
      burst.last = left <= BURST_WORDS;
      burst.table = false;
      maker.first += BURST_WORDS;
      has_burst = left > 0;
      tail = left > BURST_WORDS;
    }
    if (has_burst) {
      ACS_PORT_TRACE(bursts, 0, list_masks, true, burst_base + maker.made);
      lists.bursts[burst_base + maker.made] = burst;
      ++maker.made;
    }

    // Masked outputs wait until the active ones are listed: one entry an iteration.
    int place = 0;
    bool found = false;
    const bool outputs_ended = output_scan.ended;
    if (step_scan(output_scan, mask_word(memories, 1, int(op.mask_out), output_scan), true, outputs,
                  channel)) {
      place = made_outputs;
      found = true;
      ++made_outputs;
    } else if (outputs_ended &&
               step_scan(masked_scan, mask_word(memories, 2, int(op.mask_out), masked_scan), false,
                         outputs, channel)) {
      place = masked_place(made_masked);
      found = true;
      ++made_masked;
    }
    if (found) {
      ACS_PORT_TRACE(output_rows, 0, list_masks, true, base + place);
      ACS_PORT_TRACE(output_channels, 0, list_masks, true, base + place);
      lists.output_rows[base + place] = unsigned(channel);
      lists.output_channels[base + place] = unsigned(channel);
    }
    busy = !input_scan.ended || tail || !output_scan.ended || !masked_scan.ended;
  }

  counts.inputs = inputs > 0 ? unsigned(made_inputs) : unsigned(op.channels_in);
  counts.outputs = outputs > 0 ? unsigned(made_outputs) : unsigned(op.channels);
  counts.pairs = uint32_t(counts.inputs) * uint32_t(counts.outputs);
  if (inputs > 0) {
    counts.bursts = unsigned(maker.made);
    counts.row_words = unsigned(maker.words);
  }
}

// Masks with groups or tables: channels are looked at one by one, in the order of their rows.
void list_in_order(const Instruction &op, const Memories &memories, Lists &lists, int list,
                   ListCounts &counts) {
  const int inputs = int(op.groups * op.channels_in);
  const int outputs = int(op.groups * op.channels);
  const int length = inputs > outputs ? inputs : outputs;
  const int base = list * acs_isa::MAX_CHANNELS;

  int made_inputs = 0;
  int made_outputs = 0;
  int made_masked = 0;
  int column = 0;
  int row = 0;
  int input_group = 0;
  int output_group = 0;
  int first_input = 0;
  int first_output = 0;
ORDERED_LISTS:
  for (int i = 0; i < length; ++i) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_TRIPCOUNT min=1 max=TRIP_CHANNELS
    ACS_LOOP(ORDERED_LISTS);
    if (i < inputs) {
      ACS_PORT_TRACE(input_table, 0, list_in_order, false, i);
      const int channel = op.has_table ? int(lists.input_table[i]) : i;
      if (channel_active(memories, 0, int(op.mask_in), channel)) {
        ACS_PORT_TRACE(inputs, 0, list_in_order, true, base + made_inputs);
        lists.inputs[base + made_inputs].channel = unsigned(channel);
        lists.inputs[base + made_inputs].column = unsigned(column);
        ++made_inputs;
      }
      if (++column == int(op.channels_in)) {
        ACS_PORT_TRACE(group_inputs, 0, list_in_order, true, base + input_group);
        lists.group_inputs[base + input_group] = unsigned(made_inputs - first_input);
        first_input = made_inputs;
        ++input_group;
        column = 0;
      }
    }
    if (i < outputs) {
      ACS_PORT_TRACE(output_table, 0, list_in_order, false, i);
      const int channel = op.has_table ? int(lists.output_table[i]) : i;
      const bool active = channel_active(memories, 1, int(op.mask_out), channel);
      const int place = base + (active ? made_outputs : masked_place(made_masked));
      ACS_PORT_TRACE(output_rows, 0, list_in_order, true, place);
      ACS_PORT_TRACE(output_channels, 0, list_in_order, true, place);
      lists.output_rows[place] = unsigned(i);
      lists.output_channels[place] = unsigned(channel);
      if (active) {
        ++made_outputs;
      } else {
        ++made_masked;
      }
      if (++row == int(op.channels)) {
        ACS_PORT_TRACE(group_outputs, 0, list_in_order, true, base + output_group);
        lists.group_outputs[base + output_group] = unsigned(made_outputs - first_output);
        first_output = made_outputs;
        ++output_group;
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
  counts.inputs = unsigned(made_inputs);
  counts.outputs = unsigned(made_outputs);
  counts.pairs = pairs;
}

}  // namespace

bool read_tables(const Instruction &op, params_port params, Lists &lists, int list) {
  const int inputs = int(op.groups * op.channels_in);
  const int entries = inputs + int(op.groups * op.channels);
  TableCursor cursor = {0, 0, true};
  uint64_t word = 0;
  params.read_request(op.table_addr, unsigned(ceil_div<TABLE_ENTRIES>(entries)));
TABLE:
  for (int i = 0; i < entries; ++i) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_TRIPCOUNT min=1 max=TRIP_CHANNELS
    ACS_LOOP(TABLE);
    word = i % TABLE_ENTRIES == 0 ? uint64_t(params.read()) : word >> 16;
    const unsigned channel = unsigned(word & 0xFFFF) % acs_isa::MAX_CHANNELS;
    if (i < inputs) {
      ACS_PORT_TRACE(input_table, 0, read_tables, true, i);
      lists.input_table[i] = channel;
    } else {
      ACS_PORT_TRACE(output_table, 0, read_tables, true, i - inputs);
      lists.output_table[i - inputs] = channel;
    }
    take_entry(op, word, lists, list, cursor);
  }
  return cursor.valid;
}

void make_lists(const Instruction &op, const Memories &memories, Lists &lists, int list,
                ListCounts &counts) {
  counts.inputs = op.groups * op.channels_in;
  counts.outputs = op.groups * op.channels;
  counts.pairs = uint32_t(op.groups * op.channels_in) * uint32_t(op.channels);
  counts.bursts = 0;
  counts.row_words = op.row_words;
  if (lists_in_order(op)) {
    list_in_order(op, memories, lists, list, counts);
  } else if (is_masked(op)) {
    list_masks(op, memories, lists, list, counts);
  }
  counts.masked = unsigned(op.groups * op.channels) - unsigned(counts.outputs);
}

}  // namespace acs
