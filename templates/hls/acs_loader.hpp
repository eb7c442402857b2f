// The loader: weight rows from memory into the banks, inside the flat loop and ahead of it.
//
// Output channels come in chunks.  Chunks lie one behind the other in the weight banks, which are a
// ring; several are on their way while the lanes use the first.  Five units pass a chunk on, each
// at its own place in the queue:
//
//   chunker   names the next chunk as soon as there is room
//   asker     requests its rows, a burst an iteration: the rows that lie side by side in the banks
//             take turns, so that a round can begin with the first words of all of them
//   storer    takes a word an iteration and stores it
//   dealer    (acs_dealer.hpp) deals rows that are complete, or have begun and stay ahead
//   walker    (acs_walker.hpp) gives the room back behind the last round
//
// When all chunks of a job are named, those of the next instruction follow; the words that are then
// on their way are taken by that instruction's loop.
#pragma once

#include "acs_job.hpp"

namespace acs {

// A word counts as stored so many iterations after its write.  The loop states this distance
// between writes and reads of the weights, and the schedule keeps to it.
constexpr int MARGIN = 8;

// Iterations from the address of a group's counts to the counts.
constexpr int GROUP_WAIT = 3;

// Chunks in the queue.  A convolution of many small groups has one for each group, and needs as
// many as hide the memory's latency.
constexpr int CHUNKS = 8;

constexpr int RING_WORDS = 2 * BANK_WORDS;  // of a bank
constexpr int RING_FIRST = BANK_WORDS;      // of first rows
constexpr int RING_RECORDS = 2 * acs_isa::MAX_CHUNK;

typedef count_t<CHUNKS> chunk_count_t;
typedef count_t<CHUNKS - 1> chunk_place_t;
typedef count_t<RING_WORDS> ring_word_t;
typedef count_t<RING_RECORDS> ring_record_t;
typedef count_t<OPEN_BURSTS * BURST_WORDS> open_words_t;

// Addresses in a ring: a sum of two is beyond its end at most once.
template <int SIZE>
inline int in_ring(int address) {
#pragma HLS INLINE
  return address >= SIZE ? address - SIZE : address;
}

inline chunk_place_t next_place(chunk_place_t place) {
#pragma HLS INLINE
  return int(place) == CHUNKS - 1 ? 0u : unsigned(place + 1);
}

// A chunk of output channels of one group.
struct Chunk {
  bool asks;    // rows are still to be requested
  bool stores;  // words are still to be stored
  bool ahead;   // of the next instruction
  bool fill;    // masked channels: records without weights
  channel_t rows;
  channel_t ready;  // rows that can be dealt
  bool growing;     // words of the last of them are still to be stored; a chunk ends without
  channel_t first;  // its first channel, in the list or by number
  channel_t first_input;
  channel_t inputs;
  ring_word_t start;  // its first words in the banks
  ring_record_t record;
  ring_word_t words;                // its room, in every bank and among the records
  count_t<RING_FIRST> first_start;  // its first row among the first rows
  count_t<RING_FIRST> first_words;
  channel_t records;
};

struct Chunker {
  bool next;  // works on the next instruction
  bool done;  // has named all chunks
  bool fill;
  chunk_place_t place;
  unsigned_t<2> wait;
  channel_t group;
  channel_t left;    // channels still to be named of this group
  channel_t inputs;  // active channels of this group
  channel_t outputs;
  channel_t first_input;
  channel_t first_output;
  channel_t first_masked;
  channel_t arriving_inputs[GROUP_WAIT - 1];  // counts on their way from memory
  channel_t arriving_outputs[GROUP_WAIT - 1];
  ring_word_t start;  // where the next chunk begins
  count_t<RING_FIRST> first_start;
  ring_record_t record;
};

struct Asker {
  chunk_place_t place;
  chunk_count_t waiting;  // chunks that it has still to pass on
  row_t row;
  row_t first;                      // of the rows side by side
  group_t bank;                     // of the row
  unsigned_t<16> word;              // of the row, where whole rows are read
  count_t<MAX_BURSTS> burst;        // of the row, where bursts are listed
  count_t<TABLE_WORDS> table_left;  // words of the next table to ask for
};

struct Storer {
  chunk_place_t place;
  chunk_count_t waiting;
  row_t row;
  row_t first;  // of the rows side by side
  group_t bank;
  ring_word_t base;                   // first word of the row in its bank
  bool started;                       // `base` is this chunk's
  bool opens;                         // the rows have no words yet
  count_t<MAX_ENTRIES> entries_left;  // of the next table to take
  uint64_t table_word;                // the entries that are left of a word of it
  TableCursor table;
};

// What an iteration stored, beyond a word.  A stripe is a burst of each of the rows side by side.
struct Stored {
  bool opened;    // enough of a row to deal it
  bool complete;  // the last word of a row
  bool stripe;    // the last word of a stripe
  chunk_place_t place;
};

struct Loader {
  Chunk chunk[CHUNKS];
  Chunker chunker;
  Asker asker;
  Storer storer;
  chunk_place_t deal_place;     // where the dealer is
  chunk_count_t undealt;        // chunks of this job that it has still to pass on
  chunk_count_t undealt_ahead;  // of the next instruction
  chunk_count_t held;           // chunks in the queue
  ring_word_t words_held;
  count_t<RING_FIRST> first_held;
  ring_record_t records_held;
  count_t<OPEN_BURSTS> open_bursts;
  open_words_t open_words;
  Burst age[READ_LATENCY];  // asked for so many iterations ago
  Burst due[OPEN_BURSTS];   // that have had time to arrive
  count_t<OPEN_BURSTS> due_bursts;
  Stored stored[MARGIN];        // so many iterations ago
  count_t<MAX_BURSTS> stripes;  // of the rows that are the last to be stored
};

inline void reset_loader(Loader &loader) {
#pragma HLS INLINE
  loader.chunker.next = false;
  loader.chunker.done = true;
  loader.chunker.place = 0;
  loader.chunker.start = 0;
  loader.chunker.first_start = 0;
  loader.chunker.record = 0;
  loader.asker.place = 0;
  loader.asker.waiting = 0;
  loader.asker.row = 0;
  loader.asker.first = 0;
  loader.asker.bank = 0;
  loader.asker.word = 0;
  loader.asker.burst = 0;
  loader.asker.table_left = 0;
  loader.storer.place = 0;
  loader.storer.waiting = 0;
  loader.storer.row = 0;
  loader.storer.first = 0;
  loader.storer.bank = 0;
  loader.storer.started = false;
  loader.storer.opens = true;
  loader.storer.entries_left = 0;
  loader.deal_place = 0;
  loader.undealt = 0;
  loader.undealt_ahead = 0;
  loader.held = 0;
  loader.words_held = 0;
  loader.first_held = 0;
  loader.records_held = 0;
  loader.open_bursts = 0;
  loader.open_words = 0;
  loader.due_bursts = 0;
EACH_CHUNK:
  for (int i = 0; i < CHUNKS; ++i) {
#pragma HLS UNROLL
    loader.chunk[i].asks = false;
    loader.chunk[i].stores = false;
    loader.chunk[i].ahead = false;
    loader.chunk[i].growing = false;
  }
EACH_AGE:
  for (int i = 0; i < READ_LATENCY; ++i) {
#pragma HLS UNROLL
    loader.age[i].words = 0;
  }
EACH_MARGIN:
  for (int i = 0; i < MARGIN; ++i) {
#pragma HLS UNROLL
    loader.stored[i].opened = false;
    loader.stored[i].complete = false;
    loader.stored[i].stripe = false;
    loader.stored[i].place = 0;
  }
  loader.stripes = 0;
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
    loader.undealt = loader.undealt_ahead;
    loader.undealt_ahead = 0;
  EACH_CHUNK:
    for (int i = 0; i < CHUNKS; ++i) {
#pragma HLS UNROLL
      loader.chunk[i].ahead = false;
    }
  } else {
    start_chunker(job, loader.chunker);
  }
}

// One word from the port into the banks, if one has had time to arrive.  True where rows side by
// side have become complete.
inline bool store_word(const Job &job, const Job &next, params_port params, Memories &memories,
                       Lists &lists, Loader &loader) {
#pragma HLS INLINE
  Storer &storer = loader.storer;
  Chunk &chunk = loader.chunk[int(storer.place)];
  const int base = int(storer.started ? storer.base : chunk.start);
  Stored stored = {false, false, false, storer.place};
  bool passes = storer.waiting != 0u && !chunk.stores;
  // Words may be due while chunks without any are still to be passed. Those have no room, so that a
  // word goes where the next chunk begins all the same; but the end of a burst counts for the chunk
  // that the storer is at, and waits until that is its own.
  const bool turns = loader.due[0].words == 1u && !loader.due[0].table;
  if (loader.due_bursts != 0u && (chunk.stores || !turns)) {
    Burst &burst = loader.due[0];
    // A word of a table stays until its entries are taken, one an iteration.
    const bool fresh = !burst.table || int(storer.table.entry) % TABLE_ENTRIES == 0;
    const uint64_t data = fresh ? uint64_t(params.read()) : storer.table_word;
    if (fresh) loader.open_words = loader.open_words - 1;
    const bool used = !burst.table || storer.entries_left == 1u ||
                      int(storer.table.entry) % TABLE_ENTRIES == TABLE_ENTRIES - 1;
    const int word = int(burst.offset);
    const bool ends = used && burst.words == 1u;
    const bool last = burst.last;
    if (burst.table) {
      take_entry(next.inputs, next.outputs, next.op.channels_in, data, lists, int(next.list),
                 storer.table);
      storer.table_word = data >> 16;
      storer.entries_left = storer.entries_left - 1;
    } else if (word < acs_isa::RECORD_WORDS) {
      const int address = in_ring<RING_RECORDS>(int(chunk.record) + int(storer.row));
    EACH_RECORD_WORD:
      for (int i = 0; i < acs_isa::RECORD_WORDS; ++i) {
#pragma HLS UNROLL
        if (i == word) {
          ACS_PORT_TRACE(records, i, store_word, true, address);
          memories.records[i][address] = data;
        }
      }
    } else {
      const int address = in_ring<RING_WORDS>(base + word - acs_isa::RECORD_WORDS);
    EACH_BANK:
      for (int bank = 0; bank < LANE_GROUPS; ++bank) {
#pragma HLS UNROLL
        if (bank == int(storer.bank)) {
          ACS_PORT_TRACE(weights, bank, store_word, true, address);
          memories.weights[bank][address] = data;
          if (int(storer.row) < LANE_GROUPS) {
            const int first =
                in_ring<RING_FIRST>(int(chunk.first_start) + word - acs_isa::RECORD_WORDS);
            ACS_PORT_TRACE(first_rows, bank, store_word, true, first);
            memories.first_rows[bank][first] = data;
          }
        }
      }
    }
    if (used) {
      burst.offset = burst.offset + 1;
      burst.words = burst.words - 1;
    }
    if (ends) {
    EACH_BURST:
      for (int i = 0; i < OPEN_BURSTS - 1; ++i) {
#pragma HLS UNROLL
        loader.due[i] = loader.due[i + 1];
      }
      loader.due_bursts = loader.due_bursts - 1;
      loader.open_bursts = loader.open_bursts - 1;
    }
    if (turns) {
      const Job &on = chunk.ahead ? next : job;
      const bool last_row = storer.row + 1 == chunk.rows;
      const bool last_bank = last_row || int(storer.bank) == LANE_GROUPS - 1;
      // Inputs in order use the bytes of a row in order, one an iteration: the walker can tell
      // which words it needs.  Of inputs in a list it cannot.
      stored.opened = on.lists_in ? last : storer.opens;
      stored.complete = last;
      stored.stripe = last_bank;
      storer.started = true;
      storer.base = unsigned(base);
      if (!last_bank) {
        storer.row = storer.row + 1;
        storer.bank = storer.bank + 1;
      } else if (!last) {
        storer.row = storer.first;
        storer.bank = 0;
        storer.opens = false;
      } else {
        storer.row = last_row ? row_t(0) : row_t(storer.row + 1);
        storer.first = storer.row;
        storer.bank = 0;
        storer.opens = true;
        storer.started = !last_row;
        storer.base = unsigned(in_ring<RING_WORDS>(base + int(on.weight_words)));
        passes = last_row;
        if (last_row) chunk.stores = false;
      }
    }
  }
  if (passes) {
    storer.place = next_place(storer.place);
    storer.waiting = storer.waiting - 1;
  }

  // Words count MARGIN iterations later, bursts are due READ_LATENCY after they were asked for.
  const Stored &counts = loader.stored[MARGIN - 1];
  Chunk &counted = loader.chunk[int(counts.place)];
  const bool group_complete = counts.stripe && counts.complete;
  if (counts.opened) counted.ready = counted.ready + 1;
  if (counts.opened || group_complete) counted.growing = !counts.complete;
  if (counts.stripe) loader.stripes = counts.complete ? 0u : unsigned(loader.stripes + 1);
EACH_MARGIN:
  for (int i = MARGIN - 1; i > 0; --i) {
#pragma HLS UNROLL
    loader.stored[i] = loader.stored[i - 1];
  }
  loader.stored[0] = stored;
  const Burst &arrived = loader.age[READ_LATENCY - 1];
  if (arrived.words != 0u) {
  EACH_BURST_2:
    for (int i = 0; i < OPEN_BURSTS; ++i) {
#pragma HLS UNROLL
      if (i == int(loader.due_bursts)) loader.due[i] = arrived;
    }
    loader.due_bursts = loader.due_bursts + 1;
  }
  return group_complete;
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
  Chunk &chunk = loader.chunk[int(asker.place)];
EACH_AGE:
  for (int i = READ_LATENCY - 1; i > 0; --i) {
#pragma HLS UNROLL
    loader.age[i] = loader.age[i - 1];
  }
  loader.age[0].words = 0;
  const bool table = asker.table_left != 0u;
  if (asker.waiting != 0u && !chunk.asks) {
    asker.place = next_place(asker.place);
    asker.waiting = asker.waiting - 1;
    if (!table) return;
  }
  if ((!table && !chunk.asks) || int(loader.open_bursts) == OPEN_BURSTS) return;

  const Job &on = chunk.ahead ? next : job;
  const int list = int(on.list);
  const bool listed = on.counts.bursts != 0u && !chunk.fill;
  // Words are counted from the record that is read on: the masked one, which is the first word of a
  // row, or the one behind it.
  const int row_end = acs_isa::RECORD_WORDS + (chunk.fill ? 0 : int(on.weight_words));
  Burst burst;
  uint32_t address;
  if (table) {
    const int words = ceil_div<TABLE_ENTRIES>(int(next.inputs) + int(next.outputs));
    burst = whole_burst(words - int(asker.table_left), words);
    burst.table = true;
    address = next.op.table_addr;
  } else {
    if (listed) {
      const int place = list * MAX_BURSTS + int(asker.burst);
      ACS_PORT_TRACE(bursts, 0, ask_burst, false, place);
      burst = lists.bursts[place];
    } else {
      burst = whole_burst(int(asker.word), row_end);
    }
    const int position = int(chunk.first) + int(asker.row);
    int row = position;
    // Without masks the rows are all in order; a table changes only their channels.
    if (on.lists_out && is_masked(on.op)) {
      const int place =
          list * acs_isa::MAX_LISTED + (chunk.fill ? masked_place(position) : position);
      ACS_PORT_TRACE(output_rows, 0, ask_burst, false, place);
      row = int(lists.output_rows[place]);
    }
    const bool behind = on.masked_records && !chunk.fill;
    address = on.op.weight_addr + unsigned(row) * on.op.row_words +
              (behind ? unsigned(acs_isa::RECORD_WORDS) : 0u);
  }
  params.read_request(address + unsigned(burst.offset), unsigned(burst.words));
  loader.open_bursts = loader.open_bursts + 1;
  loader.open_words = loader.open_words + unsigned(burst.words);
  loader.age[0] = burst;

  // Counters only: the content of a listed burst steers nothing here.
  const bool last_listed = asker.burst + 1 == on.counts.bursts;
  const bool last_whole = int(asker.word) + BURST_WORDS >= row_end;
  const bool last_row = asker.row + 1 == chunk.rows;
  if (table) {
    asker.table_left =
        int(asker.table_left) > BURST_WORDS ? unsigned(int(asker.table_left) - BURST_WORDS) : 0u;
  } else if (!last_row && int(asker.bank) != LANE_GROUPS - 1) {
    asker.row = asker.row + 1;
    asker.bank = asker.bank + 1;
  } else if (listed ? last_listed : last_whole) {
    asker.row = last_row ? row_t(0) : row_t(asker.row + 1);
    asker.first = asker.row;
    asker.bank = 0;
    asker.word = 0;
    asker.burst = 0;
    if (last_row) chunk.asks = false;
  } else {
    asker.row = asker.first;
    asker.bank = 0;
    asker.word = asker.word + unsigned(BURST_WORDS);
    asker.burst = asker.burst + 1;
  }
}

// Gives back the room of the chunk at the front of the queue.
inline void release_chunk(chunk_place_t place, Loader &loader) {
#pragma HLS INLINE
  const Chunk &chunk = loader.chunk[int(place)];
  loader.held = loader.held - 1;
  loader.words_held = loader.words_held - chunk.words;
  loader.first_held = loader.first_held - chunk.first_words;
  loader.records_held = loader.records_held - chunk.records;
}

// Names the next chunk, goes to the next group, or to the next instruction.
inline void name_chunk(const Job &job, const Job &next, bool has_next, const Lists &lists,
                       Loader &loader) {
#pragma HLS INLINE
  Chunker &chunker = loader.chunker;
  Chunk &chunk = loader.chunk[int(chunker.place)];
  const Job &on = chunker.next ? next : job;

  const int group = int(on.list) * acs_isa::MAX_LISTED + int(chunker.group);
  const channel_t group_inputs = chunker.arriving_inputs[GROUP_WAIT - 2];
  const channel_t group_outputs = chunker.arriving_outputs[GROUP_WAIT - 2];
EACH_WAIT:
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
        const int entries = int(next.inputs) + int(next.outputs);
        loader.asker.table_left = unsigned(ceil_div<TABLE_ENTRIES>(entries));
        loader.storer.entries_left = unsigned(entries);
        loader.storer.table.entry = 0;
        loader.storer.table.column = 0;
        loader.storer.table.valid = true;
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
    const bool whole = chunker.left <= on.chunk;
    const channel_t rows = whole ? chunker.left : on.chunk;
    const bool loads = chunk_loads(on, chunker.fill);
    const bool room = int(loader.held) != CHUNKS &&
                      (!loads || (int(loader.words_held) + int(on.chunk_words) <= RING_WORDS &&
                                  int(loader.first_held) + int(on.weight_words) <= RING_FIRST &&
                                  int(loader.records_held) + int(rows) <= RING_RECORDS));
    if (room) {
      chunk.asks = loads;
      chunk.stores = loads;
      chunk.ahead = chunker.next;
      chunk.fill = chunker.fill;
      chunk.rows = rows;
      chunk.ready = loads ? channel_t(0) : rows;
      chunk.first = chunker.fill ? chunker.first_masked : chunker.first_output;
      chunk.first_input = chunker.first_input;
      chunk.inputs = chunker.fill ? channel_t(0) : chunker.inputs;
      chunk.start = chunker.start;
      chunk.record = chunker.record;
      chunk.words = loads ? ring_word_t(on.chunk_words) : ring_word_t(0);
      chunk.first_start = chunker.first_start;
      chunk.first_words = loads ? count_t<RING_FIRST>(on.weight_words) : count_t<RING_FIRST>(0);
      chunk.records = loads ? rows : channel_t(0);
      if (chunker.fill) {
        chunker.first_masked = chunker.first_masked + rows;
      } else {
        chunker.first_output = chunker.first_output + rows;
      }
      chunker.left = chunker.left - rows;
      chunker.place = next_place(chunker.place);
      chunker.start = unsigned(in_ring<RING_WORDS>(int(chunk.start) + int(chunk.words)));
      chunker.first_start =
          unsigned(in_ring<RING_FIRST>(int(chunk.first_start) + int(chunk.first_words)));
      chunker.record = unsigned(in_ring<RING_RECORDS>(int(chunk.record) + int(chunk.records)));
      loader.held = loader.held + 1;
      loader.words_held = loader.words_held + chunk.words;
      loader.first_held = loader.first_held + chunk.first_words;
      loader.records_held = loader.records_held + chunk.records;
      loader.asker.waiting = loader.asker.waiting + 1;
      loader.storer.waiting = loader.storer.waiting + 1;
      if (chunker.next) {
        loader.undealt_ahead = loader.undealt_ahead + 1;
      } else {
        loader.undealt = loader.undealt + 1;
      }
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
