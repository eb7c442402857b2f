// A job: an instruction as the flat loop must know it, in registers that stay as they are while
// the loop runs.
//
// CONV is a job as it is.  ELTWISE, POOL and SCALE are jobs of one chunk: all their channels, each
// with itself as its only input, and with a constant in place of weights from memory.
#pragma once

#include "acs_lists.hpp"

namespace acs {

struct Job {
  Instruction op;

  bool conv;         // weights and records come from memory
  bool lists_in;     // input channels are those of a list
  bool lists_out;    // output channels are
  bool counts_vary;  // groups have active channels of their own numbers
  bool fills;        // masked channels pass through requantization
  bool clears;       // masked channels become exact zeros
  channel_t groups;
  channel_t channels_in;
  channel_t channels;
  channel_t inputs;   // of all groups
  channel_t outputs;  // of all groups
  channel_t chunk;
  count_t<BANK_WORDS> chunk_words;   // of a bank, that a chunk takes
  count_t<BANK_WORDS> weight_words;  // of a row
  bool masked_records;               // rows begin with the records of masked channels
  ListCounts counts;
  unsigned_t<1> list;  // which of the two places in the lists is its own

  unsigned_t<4> taps_x;  // taps in a row of the window; the two weights of SCALE
  unsigned_t<4> taps_y;
  count_t<acs_isa::MAX_KERNEL * acs_isa::MAX_KERNEL> taps;  // weights of an input in a row
  bool moves;                                               // taps move the window
  bool shares_reads;                                        // taps of a row lie in the same words
  unsigned_t<8> source_rows;                                // of the map that is read
  unsigned_t<8> source_columns;

  block_t blocks;             // of a raster result channel
  block_t split_plane;        // blocks of a phase plane of a split result
  block_t final_clear_block;  // the last block of a result channel as stored
};

inline Job make_job(const Instruction &op, const Products &products, const ListCounts &counts,
                    int list) {
#pragma HLS INLINE
  Job job;
  job.op = op;
  job.conv = op.opcode == unsigned(acs_isa::OP_CONV);
  job.lists_in = job.conv && lists_inputs(op);
  job.lists_out = job.conv && lists_outputs(op);
  const bool masks = job.conv && has_mask(int(op.mask_out));
  job.counts_vary = job.conv && op.groups > 1 && is_masked(op);
  job.clears = masks && op.masked_zero && !op.res_enable;
  job.fills = masks && !job.clears;
  job.groups = job.conv ? unsigned(op.groups) : 1u;
  job.channels_in = job.conv ? unsigned(op.channels_in) : 1u;
  job.channels = op.channels;
  job.inputs = unsigned(products.inputs);
  job.outputs = unsigned(products.outputs);
  job.chunk = job.conv ? unsigned(op.chunk) : unsigned(op.channels);
  const int weight_words = int(op.row_words) - acs_isa::record_words(op);
  job.chunk_words = job.conv ? unsigned(products.chunk_words) : 0u;
  job.weight_words = job.conv ? unsigned(weight_words) : 0u;
  job.masked_records = acs_isa::has_masked_records(op);
  job.counts = counts;
  job.list = unsigned(list);
  job.moves = acs_isa::moves_window(op);
  job.taps_x = job.moves ? unsigned(op.kernel) : op.opcode == unsigned(acs_isa::OP_SCALE) ? 2u : 1u;
  job.taps_y = job.moves ? unsigned(op.kernel) : 1u;
  // The windows of a row's taps differ by columns.  Those of a split map are in different planes.
  job.shares_reads = job.moves && op.stride == 1 && op.kernel > 1;
  job.taps = unsigned(products.taps);
  job.source_rows = job.moves ? unsigned(op.src_height) : unsigned(op.dst_height);
  job.source_columns = job.moves ? unsigned(op.src_width) : unsigned(op.dst_width);
  job.blocks = unsigned(plane_blocks(int(op.dst_height), int(op.row_log2)));
  job.split_plane = unsigned(split_plane_blocks(int(op.dst_height), int(op.row_log2)));
  job.final_clear_block =
      op.dst_split ? unsigned(4 * job.split_plane - 1) : unsigned(job.blocks - 1);
  return job;
}

}  // namespace acs
