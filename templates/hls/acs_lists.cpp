#include "acs_lists.hpp"

namespace acs {

namespace {

const int TABLE_ENTRIES = acs_isa::WORD_BITS / 16;  // of 16 bits, in a word

}  // namespace

bool lists_inputs(const Instruction &op) {
#pragma HLS INLINE
  return op.has_table || op.mask_in != unsigned(acs_isa::MASK_NONE) ||
         (op.groups > 1 && op.mask_out != unsigned(acs_isa::MASK_NONE));
}

bool lists_outputs(const Instruction &op) {
#pragma HLS INLINE
  return op.has_table || op.mask_out != unsigned(acs_isa::MASK_NONE) ||
         (op.groups > 1 && op.mask_in != unsigned(acs_isa::MASK_NONE));
}

bool read_tables(const Instruction &op, params_port params, Lists &lists) {
  const int inputs = int(op.groups * op.channels_in);
  const int outputs = int(op.groups * op.channels);
  const int entries = inputs + outputs;
  bool valid = true;
  uint64_t word = 0;
  params.read_request(op.table_addr, unsigned(ceil_div<TABLE_ENTRIES>(entries)));
TABLE:
  for (int i = 0; i < entries; ++i) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_TRIPCOUNT min=1 max=TRIP_CHANNELS
    ACS_LOOP(TABLE);
    word = i % TABLE_ENTRIES == 0 ? uint64_t(params.read()) : word >> 16;
    const int entry = int(word & 0xFFFF);
    if (i < inputs) {
      lists.input_table[i] = unsigned(entry) % acs_isa::MAX_CHANNELS;
      valid = valid && entry < inputs;
    } else {
      lists.output_table[i - inputs] = unsigned(entry) % acs_isa::MAX_CHANNELS;
      valid = valid && entry < outputs;
    }
  }
  return valid;
}

void make_lists(const Instruction &op, const Memories &memories, Lists &lists, ListCounts &counts) {
  const int inputs = lists_inputs(op) ? int(op.groups * op.channels_in) : 0;
  const int outputs = lists_outputs(op) ? int(op.groups * op.channels) : 0;
  const int length = inputs > outputs ? inputs : outputs;

  int made_inputs = 0;
  int made_outputs = 0;
  int made_masked = 0;
  int column = 0;
  int row = 0;
  int input_group = 0;
  int output_group = 0;
  int first_input = 0;
  int first_output = 0;
LISTS:
  for (int i = 0; i < length; ++i) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_TRIPCOUNT min=1 max=TRIP_CHANNELS
    ACS_LOOP(LISTS);
    if (i < inputs) {
      const int channel = op.has_table ? int(lists.input_table[i]) : i;
      if (channel_active(memories, 0, int(op.mask_in), channel)) {
        ACS_PORT_TRACE(inputs, 0, LISTS, true, made_inputs);
        lists.inputs[made_inputs].channel = unsigned(channel);
        lists.inputs[made_inputs].index = unsigned(column);
        ++made_inputs;
      }
      if (++column == int(op.channels_in)) {
        ACS_PORT_TRACE(group_inputs, 0, LISTS, true, input_group);
        lists.group_inputs[input_group] = unsigned(made_inputs - first_input);
        first_input = made_inputs;
        ++input_group;
        column = 0;
      }
    }
    if (i < outputs) {
      const int channel = op.has_table ? int(lists.output_table[i]) : i;
      if (channel_active(memories, 1, int(op.mask_out), channel)) {
        ACS_PORT_TRACE(outputs, 0, LISTS, true, made_outputs);
        lists.outputs[made_outputs].channel = unsigned(channel);
        lists.outputs[made_outputs].index = unsigned(i);
        ++made_outputs;
      } else {
        ACS_PORT_TRACE(masked, 0, LISTS, true, made_masked);
        lists.masked[made_masked].channel = unsigned(channel);
        lists.masked[made_masked].index = unsigned(i);
        ++made_masked;
      }
      if (++row == int(op.channels)) {
        ACS_PORT_TRACE(group_outputs, 0, LISTS, true, output_group);
        lists.group_outputs[output_group] = unsigned(made_outputs - first_output);
        first_output = made_outputs;
        ++output_group;
        row = 0;
      }
    }
  }

  counts.inputs = inputs > 0 ? unsigned(made_inputs) : unsigned(op.groups * op.channels_in);
  counts.outputs = outputs > 0 ? unsigned(made_outputs) : unsigned(op.groups * op.channels);
  counts.masked = unsigned(made_masked);
  if (op.groups == 1) {
    counts.pairs = uint32_t(counts.inputs) * uint32_t(counts.outputs);
  } else if (length == 0) {
    counts.pairs = uint32_t(op.groups * op.channels_in) * uint32_t(op.channels);
  } else {
    counts.pairs = 0;
  PAIRS:
    for (int group = 0; group < int(op.groups); ++group) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_TRIPCOUNT min=1 max=TRIP_GROUPS
      ACS_LOOP(PAIRS);
      counts.pairs += uint32_t(lists.group_inputs[group]) * uint32_t(lists.group_outputs[group]);
    }
  }
}

}  // namespace acs
