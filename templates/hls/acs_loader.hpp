// The loader: weight rows from memory into the banks, inside the flat loop and ahead of it.
//
// Output channels come in chunks; the rows of one chunk fill one of the two sets of the weight
// banks while the lanes use the other.  Four units pass each other single registers:
//
//   chunker   names the next chunk as soon as a set is free
//   asker     requests its rows, a burst an iteration
//   storer    takes a word an iteration and stores it
//   dealer    (acs_dealer.hpp) deals rows that are complete; the walker frees the set
//
// When all chunks of a job are named, those of the next instruction follow if its rows do not
// depend on a mask; what is then on its way is taken by that instruction's loop.
#pragma once

#include "acs_job.hpp"

namespace acs {

// A row counts as complete so many iterations after its last word.  The loop states this distance
// between writes and reads of the weights, and the schedule keeps to it.
constexpr int MARGIN = 8;

// Iterations from the address of a group's counts to the counts.
constexpr int GROUP_WAIT = 3;

// A chunk of output channels of one group: its rows are in one set of the banks.
struct Chunk {
  bool busy;          // named, and not yet behind the lanes
  bool asks;          // rows are still to be requested
  bool stores;        // words are still to be stored
  bool deals;         // rounds are still to be dealt
  bool ahead;         // of the next instruction
  bool fill;          // masked channels: records without weights
  channel_t rows;
  channel_t ready;    // rows complete
  channel_t first;    // its first channel, in the list or by number
  channel_t first_input;
  channel_t inputs;
};

struct Chunker {
  bool next;            // works on the next instruction
  bool done;            // has named all chunks
  bool fill;
  set_t set;
  unsigned_t<2> wait;
  channel_t group;
  channel_t left;       // channels still to be named of this group
  channel_t inputs;     // active channels of this group
  channel_t outputs;
  channel_t first_input;
  channel_t first_output;
  channel_t first_masked;
  channel_t arriving_inputs[GROUP_WAIT - 1];  // counts on their way from memory
  channel_t arriving_outputs[GROUP_WAIT - 1];
};

struct Asker {
  set_t set;
  row_t row;
  unsigned_t<16> word;   // of the row, where whole rows are read
  unsigned_t<bits_for(MAX_BURSTS)> burst;                // of the row, where bursts are listed
  unsigned_t<bits_for(TABLE_WORDS)> table_left;          // words of the next table to ask for
};

struct Storer {
  set_t set;
  row_t row;
  group_t bank;
  bank_word_t base;      // first word of the row in its bank
  unsigned_t<bits_for(TABLE_WORDS)> table_left;          // words of the next table to store
};

struct Loader {
  Chunk chunk[2];
  Chunker chunker;
  Asker asker;
  Storer storer;
  set_t deal_set;                                        // on which the dealer works
  unsigned_t<bits_for(OPEN_BURSTS)> open_bursts;
  unsigned_t<bits_for(OPEN_BURSTS * BURST_WORDS)> open_words;
  Burst age[READ_LATENCY];                               // asked for so many iterations ago
  Burst due[OPEN_BURSTS];                                // that have had time to arrive
  unsigned_t<bits_for(OPEN_BURSTS)> due_bursts;
  bool row_stored[MARGIN][2];                            // a row of a set, as long ago
};

inline void reset_loader(Loader &loader) {
#pragma HLS INLINE
  for (int set = 0; set < 2; ++set) {
#pragma HLS UNROLL
    loader.chunk[set].busy = false;
    loader.chunk[set].asks = false;
    loader.chunk[set].stores = false;
    loader.chunk[set].deals = false;
    loader.chunk[set].ahead = false;
  }
  loader.chunker.next = false;
  loader.chunker.done = true;
  loader.chunker.set = 0;
  loader.asker.set = 0;
  loader.asker.row = 0;
  loader.asker.word = 0;
  loader.asker.burst = 0;
  loader.asker.table_left = 0;
  loader.storer.set = 0;
  loader.storer.row = 0;
  loader.storer.table_left = 0;
  loader.storer.bank = 0;
  loader.storer.base = 0;
  loader.deal_set = 0;
  loader.open_bursts = 0;
  loader.open_words = 0;
  loader.due_bursts = 0;
  for (int i = 0; i < READ_LATENCY; ++i) {
#pragma HLS UNROLL
    loader.age[i].words = 0;
  }
  for (int i = 0; i < MARGIN; ++i) {
#pragma HLS UNROLL
    loader.row_stored[i][0] = false;
    loader.row_stored[i][1] = false;
  }
}

// Whether rows of a job come from memory; `fill`: those of masked channels.
inline bool chunk_loads(const Job &job, bool fill) {
#pragma HLS INLINE
  return job.conv && !(fill && job.op.masked_zero);
}

inline void enter_group(const Job &job, Chunker &chunker) {
#pragma HLS INLINE
  const bool one = job.conv && job.groups == 1u;
  chunker.inputs = one ? job.counts.inputs : job.channels_in;
  chunker.outputs = one ? job.counts.outputs : job.channels;
  chunker.left = chunker.outputs;
  chunker.wait = job.counts_vary ? unsigned(GROUP_WAIT) : 0u;
}

inline void start_chunker(const Job &job, Chunker &chunker) {
#pragma HLS INLINE
  chunker.done = false;
  chunker.fill = false;
  chunker.group = 0;
  chunker.first_input = 0;
  chunker.first_output = 0;
  chunker.first_masked = 0;
  enter_group(job, chunker);
}

// A job begins, unless it began ahead.
inline void start_loader(const Job &job, Loader &loader) {
#pragma HLS INLINE
  if (loader.chunker.next) {
    loader.chunker.next = false;
    loader.chunk[0].ahead = false;
    loader.chunk[1].ahead = false;
  } else {
    start_chunker(job, loader.chunker);
  }
}

// The set on which a unit works: the one it is at while that has work, then the other.  Chunks are
// named for the sets in turn, and every unit looks in every iteration, so none is overtaken.
inline set_t set_at_work(set_t at, bool work_0, bool work_1) {
#pragma HLS INLINE
  if (at == 0u) return work_0 || !work_1 ? 0 : 1;
  return work_1 || !work_0 ? 1 : 0;
}

// One word from the port into the banks, if one has had time to arrive.
inline void store_word(const Job &job, const Job &next, params_port params, Memories &memories,
                       Lists &lists, Loader &loader) {
#pragma HLS INLINE
  Storer &storer = loader.storer;
  storer.set = set_at_work(storer.set, loader.chunk[0].stores, loader.chunk[1].stores);
  const int set = int(storer.set);
  Chunk &chunk = loader.chunk[set];
  bool complete = false;
  if (loader.due_bursts != 0u) {
    Burst &burst = loader.due[0];
    const uint64_t data = uint64_t(params.read());
    loader.open_words = loader.open_words - 1;
    const int word = int(burst.offset);
    const bool ends = burst.words == 1u;
    complete = ends && burst.last && !burst.table;
    if (burst.table) {
      ACS_PORT_TRACE(table_words, 0, store_word, true, word);
      lists.table_words[word] = data;
      storer.table_left = storer.table_left - 1;
    } else if (word < acs_isa::RECORD_WORDS) {
      const int address = set * acs_isa::MAX_CHUNK + int(storer.row);
      for (int i = 0; i < acs_isa::RECORD_WORDS; ++i) {
#pragma HLS UNROLL
        if (i == word) {
          ACS_PORT_TRACE(records, i, store_word, true, address);
          memories.records[i][address] = data;
        }
      }
    } else {
      const int offset = set * BANK_WORDS + word - acs_isa::RECORD_WORDS;
      const int address = offset + int(storer.base);
      for (int bank = 0; bank < LANE_GROUPS; ++bank) {
#pragma HLS UNROLL
        if (bank == int(storer.bank)) {
          ACS_PORT_TRACE(weights, bank, store_word, true, address);
          memories.weights[bank][address] = data;
          if (int(storer.row) < LANE_GROUPS) {
            ACS_PORT_TRACE(first_rows, bank, store_word, true, offset);
            memories.first_rows[bank][offset] = data;
          }
        }
      }
    }
    burst.offset = burst.offset + 1;
    burst.words = burst.words - 1;
    if (ends) {
      for (int i = 0; i + 1 < OPEN_BURSTS; ++i) {
#pragma HLS UNROLL
        loader.due[i] = loader.due[i + 1];
      }
      loader.due_bursts = loader.due_bursts - 1;
      loader.open_bursts = loader.open_bursts - 1;
    }
    if (complete) {
      if (storer.row + 1 == chunk.rows) {
        chunk.stores = false;
        storer.row = 0;
        storer.bank = 0;
        storer.base = 0;
      } else {
        storer.row = storer.row + 1;
        if (int(storer.bank) == LANE_GROUPS - 1) {
          const Job &on = chunk.ahead ? next : job;
          storer.bank = 0;
          storer.base = storer.base + (on.op.row_words - unsigned(acs_isa::RECORD_WORDS));
        } else {
          storer.bank = storer.bank + 1;
        }
      }
    }
  }

  // Rows become ready MARGIN iterations later, bursts due READ_LATENCY after they were asked for.
  for (int i = 0; i < 2; ++i) {
#pragma HLS UNROLL
    if (loader.row_stored[MARGIN - 1][i]) loader.chunk[i].ready = loader.chunk[i].ready + 1;
  }
  for (int i = MARGIN - 1; i > 0; --i) {
#pragma HLS UNROLL
    loader.row_stored[i][0] = loader.row_stored[i - 1][0];
    loader.row_stored[i][1] = loader.row_stored[i - 1][1];
  }
  loader.row_stored[0][0] = complete && set == 0;
  loader.row_stored[0][1] = complete && set == 1;
  const Burst &arrived = loader.age[READ_LATENCY - 1];
  if (arrived.words != 0u) {
    for (int i = 0; i < OPEN_BURSTS; ++i) {
#pragma HLS UNROLL
      if (i == int(loader.due_bursts)) loader.due[i] = arrived;
    }
    loader.due_bursts = loader.due_bursts + 1;
  }
}

// The next burst of whole words from `offset` up to `end`.
inline Burst whole_burst(int offset, int end) {
#pragma HLS INLINE
  const int left = end - offset;
  Burst burst;
  burst.offset = unsigned(offset);
  burst.words = unsigned(left < BURST_WORDS ? left : BURST_WORDS);
  burst.last = left <= BURST_WORDS;
  burst.table = false;
  return burst;
}

// Requests the next burst, if the port has room for it.
inline void ask_burst(const Job &job, const Job &next, const Lists &lists, params_port params,
                      Loader &loader) {
#pragma HLS INLINE
  Asker &asker = loader.asker;
  asker.set = set_at_work(asker.set, loader.chunk[0].asks, loader.chunk[1].asks);
  Chunk &chunk = loader.chunk[int(asker.set)];
  for (int i = READ_LATENCY - 1; i > 0; --i) {
#pragma HLS UNROLL
    loader.age[i] = loader.age[i - 1];
  }
  loader.age[0].words = 0;
  const bool table = asker.table_left != 0u;
  if ((!table && !chunk.asks) || int(loader.open_bursts) == OPEN_BURSTS) return;

  const Job &on = chunk.ahead ? next : job;
  const int list = int(on.list);
  const bool listed = on.counts.bursts != 0u && !chunk.fill;
  Burst burst;
  uint32_t address;
  if (table) {
    const Instruction &op = next.op;
    const int words = ceil_div<TABLE_ENTRIES>(int(op.groups * (op.channels_in + op.channels)));
    burst = whole_burst(words - int(asker.table_left), words);
    burst.table = true;
    address = op.table_addr;
  } else {
    if (listed) {
      const int place = list * MAX_BURSTS + int(asker.burst);
      ACS_PORT_TRACE(bursts, 0, ask_burst, false, place);
      burst = lists.bursts[place];
    } else {
      burst = whole_burst(int(asker.word),
                          chunk.fill ? acs_isa::RECORD_WORDS : int(on.op.row_words));
    }
    const int position = int(chunk.first) + int(asker.row);
    int row = position;
    // Without masks the rows are all in order, whatever a table says of their channels.
    if (on.lists_out && is_masked(on.op)) {
      const int place =
          list * acs_isa::MAX_CHANNELS + (chunk.fill ? masked_place(position) : position);
      ACS_PORT_TRACE(output_rows, 0, ask_burst, false, place);
      row = int(lists.output_rows[place]);
    }
    address = on.op.weight_addr + unsigned(row) * on.op.row_words;
  }
  params.read_request(address + unsigned(burst.offset), unsigned(burst.words));
  loader.open_bursts = loader.open_bursts + 1;
  loader.open_words = loader.open_words + unsigned(burst.words);
  loader.age[0] = burst;

  // Counters only: what a list says of a burst steers nothing here.
  const bool last_listed = asker.burst + 1 == on.counts.bursts;
  const bool last_whole = int(asker.word) + BURST_WORDS >=
                          (chunk.fill ? acs_isa::RECORD_WORDS : int(on.op.row_words));
  if (table) {
    asker.table_left =
        int(asker.table_left) > BURST_WORDS ? unsigned(int(asker.table_left) - BURST_WORDS) : 0u;
  } else if (listed ? last_listed : last_whole) {
    asker.word = 0;
    asker.burst = 0;
    if (asker.row + 1 == chunk.rows) {
      asker.row = 0;
      chunk.asks = false;
    } else {
      asker.row = asker.row + 1;
    }
  } else {
    asker.word = asker.word + unsigned(BURST_WORDS);
    asker.burst = asker.burst + 1;
  }
}

inline void name_chunk(const Job &job, const Job &next, bool has_next, const Lists &lists,
                       Loader &loader) {
#pragma HLS INLINE
  Chunker &chunker = loader.chunker;
  Chunk &chunk = loader.chunk[int(chunker.set)];
  const Job &on = chunker.next ? next : job;

  const int group = int(on.list) * acs_isa::MAX_CHANNELS + int(chunker.group);
  const channel_t group_inputs = chunker.arriving_inputs[GROUP_WAIT - 2];
  const channel_t group_outputs = chunker.arriving_outputs[GROUP_WAIT - 2];
  for (int i = GROUP_WAIT - 2; i > 0; --i) {
#pragma HLS UNROLL
    chunker.arriving_inputs[i] = chunker.arriving_inputs[i - 1];
    chunker.arriving_outputs[i] = chunker.arriving_outputs[i - 1];
  }
  if (on.counts_vary && !chunker.done) {
    ACS_PORT_TRACE(group_inputs, 0, name_chunk, false, group);
    ACS_PORT_TRACE(group_outputs, 0, name_chunk, false, group);
    chunker.arriving_inputs[0] = lists.group_inputs[group];
    chunker.arriving_outputs[0] = lists.group_outputs[group];
  }

  if (chunker.done) {
    if (has_next && !chunker.next) {
      chunker.next = true;
      start_chunker(next, chunker);
      if (next.op.has_table) {
        const Instruction &op = next.op;
        const unsigned words = unsigned(
            ceil_div<TABLE_ENTRIES>(int(op.groups * (op.channels_in + op.channels))));
        loader.asker.table_left = words;
        loader.storer.table_left = words;
      }
    }
  } else if (chunker.wait != 0u) {
    chunker.wait = chunker.wait - 1;
    if (chunker.wait == 0u) {
      chunker.inputs = group_inputs;
      chunker.outputs = group_outputs;
      chunker.left = group_outputs;
    }
  } else if (chunker.left != 0u) {
    if (!chunk.busy) {
      const bool whole = chunker.left <= on.chunk;
      const channel_t rows = whole ? chunker.left : on.chunk;
      chunk.busy = true;
      chunk.asks = chunk_loads(on, chunker.fill);
      chunk.stores = chunk.asks;
      chunk.deals = true;
      chunk.ahead = chunker.next;
      chunk.fill = chunker.fill;
      chunk.rows = rows;
      chunk.ready = chunk.asks ? channel_t(0) : rows;
      chunk.first = chunker.fill ? chunker.first_masked : chunker.first_output;
      chunk.first_input = chunker.first_input;
      chunk.inputs = chunker.fill ? channel_t(0) : chunker.inputs;
      if (chunker.fill) {
        chunker.first_masked = chunker.first_masked + rows;
      } else {
        chunker.first_output = chunker.first_output + rows;
      }
      chunker.left = chunker.left - rows;
      chunker.set = chunker.set ^ 1;
    }
  } else if (!chunker.fill && on.fills) {
    chunker.fill = true;
    chunker.left = on.channels - chunker.outputs;
  } else {
    chunker.fill = false;
    chunker.first_input = chunker.first_input + chunker.inputs;
    chunker.group = chunker.group + 1;
    if (chunker.group == on.groups) {
      chunker.done = true;
    } else {
      enter_group(on, chunker);
    }
  }
}

}  // namespace acs
