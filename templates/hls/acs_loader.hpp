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
  row_t rows;
  row_t ready;        // rows complete
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
  unsigned_t<16> word;  // of the row
};

struct Storer {
  set_t set;
  row_t row;
  unsigned_t<16> word;  // of the row
  group_t bank;
  bank_word_t base;     // first word of the row in its bank
};

struct Loader {
  Chunk chunk[2];
  Chunker chunker;
  Asker asker;
  Storer storer;
  set_t deal_set;                                        // on which the dealer works
  unsigned_t<4> open_bursts;
  unsigned_t<bits_for(BURST_WORDS * OPEN_BURSTS)> due;   // words that have had time to arrive
  unsigned_t<bits_for(BURST_WORDS)> age[READ_LATENCY];   // words asked for so many iterations ago
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
  loader.storer.set = 0;
  loader.storer.row = 0;
  loader.storer.word = 0;
  loader.storer.bank = 0;
  loader.storer.base = 0;
  loader.deal_set = 0;
  loader.open_bursts = 0;
  loader.due = 0;
  for (int i = 0; i < READ_LATENCY; ++i) {
#pragma HLS UNROLL
    loader.age[i] = 0;
  }
  for (int i = 0; i < MARGIN; ++i) {
#pragma HLS UNROLL
    loader.row_stored[i][0] = false;
    loader.row_stored[i][1] = false;
  }
}

// Words of a row that a chunk needs, and whether they come from memory at all.
inline int chunk_row_words(const Job &job, const Chunk &chunk) {
#pragma HLS INLINE
  return chunk.fill ? acs_isa::RECORD_WORDS : int(job.op.row_words);
}

inline bool chunk_loads(const Job &job, bool fill) {
#pragma HLS INLINE
  return job.conv && !(fill && job.op.masked_zero);
}

// Counts of a job's group, where they are not in memory.
inline bool counts_in_memory(const Job &job) {
#pragma HLS INLINE
  return job.lists_out && job.groups > 1u;
}

inline void enter_group(const Job &job, Chunker &chunker) {
#pragma HLS INLINE
  chunker.inputs = job.lists_in ? job.counts.inputs : job.channels_in;
  chunker.outputs = job.lists_out ? job.counts.outputs : job.channels;
  chunker.left = chunker.outputs;
  chunker.wait = counts_in_memory(job) ? unsigned(GROUP_WAIT) : 0u;
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
                       Loader &loader) {
#pragma HLS INLINE
  Storer &storer = loader.storer;
  storer.set = set_at_work(storer.set, loader.chunk[0].stores, loader.chunk[1].stores);
  const int set = int(storer.set);
  Chunk &chunk = loader.chunk[set];
  bool complete = false;
  if (loader.due != 0u) {
    loader.due = loader.due - 1;
    const uint64_t data = uint64_t(params.read());
    const int word = int(storer.word);
    const int row_words = chunk_row_words(chunk.ahead ? next : job, chunk);
    complete = word + 1 == row_words;
    if (complete || word % BURST_WORDS == BURST_WORDS - 1) {
      loader.open_bursts = loader.open_bursts - 1;
    }
    if (word < acs_isa::RECORD_WORDS) {
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
    if (!complete) {
      storer.word = storer.word + 1;
    } else {
      storer.word = 0;
      if (storer.row + 1 == chunk.rows) {
        chunk.stores = false;
        storer.row = 0;
        storer.bank = 0;
        storer.base = 0;
      } else {
        storer.row = storer.row + 1;
        if (int(storer.bank) == LANE_GROUPS - 1) {
          storer.bank = 0;
          storer.base = storer.base + unsigned(row_words - acs_isa::RECORD_WORDS);
        } else {
          storer.bank = storer.bank + 1;
        }
      }
    }
  }

  // Rows become ready MARGIN iterations later, words due READ_LATENCY after they were asked for.
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
  loader.due = loader.due + loader.age[READ_LATENCY - 1];
}

// The next burst, if the port has room for it.
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
  loader.age[0] = 0;
  if (chunk.asks && int(loader.open_bursts) < OPEN_BURSTS) {
    const Job &on = chunk.ahead ? next : job;
    const int left = chunk_row_words(on, chunk) - int(asker.word);
    const int words = left < BURST_WORDS ? left : BURST_WORDS;
    const int position = int(chunk.first) + int(asker.row);
    int row = position;
    if (on.lists_out) {
      if (chunk.fill) {
        ACS_PORT_TRACE(masked, 0, ask_burst, false, position);
        row = int(lists.masked[position].index);
      } else {
        ACS_PORT_TRACE(outputs, 0, ask_burst, false, position);
        row = int(lists.outputs[position].index);
      }
    }
    params.read_request(on.op.weight_addr + unsigned(row) * on.op.row_words + unsigned(asker.word),
                        unsigned(words));
    loader.open_bursts = loader.open_bursts + 1;
    loader.age[0] = unsigned(words);
    if (left > BURST_WORDS) {
      asker.word = asker.word + unsigned(BURST_WORDS);
    } else {
      asker.word = 0;
      if (asker.row + 1 == chunk.rows) {
        asker.row = 0;
        chunk.asks = false;
      } else {
        asker.row = asker.row + 1;
      }
    }
  }
}

inline void name_chunk(const Job &job, const Job &next, bool has_next, const Lists &lists,
                       Loader &loader) {
#pragma HLS INLINE
  Chunker &chunker = loader.chunker;
  Chunk &chunk = loader.chunk[int(chunker.set)];
  const Job &on = chunker.next ? next : job;

  const int group = int(chunker.group);
  const channel_t group_inputs = chunker.arriving_inputs[GROUP_WAIT - 2];
  const channel_t group_outputs = chunker.arriving_outputs[GROUP_WAIT - 2];
  for (int i = GROUP_WAIT - 2; i > 0; --i) {
#pragma HLS UNROLL
    chunker.arriving_inputs[i] = chunker.arriving_inputs[i - 1];
    chunker.arriving_outputs[i] = chunker.arriving_outputs[i - 1];
  }
  if (counts_in_memory(on)) {
    ACS_PORT_TRACE(group_inputs, 0, name_chunk, false, group);
    ACS_PORT_TRACE(group_outputs, 0, name_chunk, false, group);
    chunker.arriving_inputs[0] = lists.group_inputs[group];
    chunker.arriving_outputs[0] = lists.group_outputs[group];
  }

  if (chunker.done) {
    if (has_next && !chunker.next) {
      chunker.next = true;
      start_chunker(next, chunker);
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
      const row_t rows = whole ? row_t(chunker.left) : on.chunk;
      chunk.busy = true;
      chunk.asks = chunk_loads(on, chunker.fill);
      chunk.stores = chunk.asks;
      chunk.deals = true;
      chunk.ahead = chunker.next;
      chunk.fill = chunker.fill;
      chunk.rows = rows;
      chunk.ready = chunk.asks ? row_t(0) : rows;
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
