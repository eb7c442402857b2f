#include "acs_sequencer.hpp"

#include "acs_array.hpp"
#include "acs_check.hpp"
#include "acs_copies.hpp"
#include "acs_vectors.hpp"

namespace acs {

namespace {

using acs_isa::Status;

// Instructions that are read in one burst and kept; a longer program comes page by page.
const int PAGE = 64;

struct Page {
  uint64_t words[acs_isa::INSTRUCTION_WORDS][PAGE];
};

// An instruction, and the judgement of the check.
struct Fetched {
  Instruction op;
  Status status;
};

void read_page(const word_t *program, uint32_t first, uint32_t program_words, Page &page) {
  const uint32_t first_word = first * acs_isa::INSTRUCTION_WORDS;
  const uint32_t left = program_words - first_word;
  const int size = PAGE * acs_isa::INSTRUCTION_WORDS;
  const int words = left < uint32_t(size) ? int(left) : size;
  const word_t *const source = program + first_word;
  ACS_BURST(words);
PROGRAM:
  for (int i = 0; i < words; ++i) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_TRIPCOUNT min=1 max=TRIP_PROGRAM_WORDS
    ACS_LOOP(PROGRAM);
    ACS_PORT_TRACE(words, i % acs_isa::INSTRUCTION_WORDS, read_page, true,
                   i / acs_isa::INSTRUCTION_WORDS);
    page.words[i % acs_isa::INSTRUCTION_WORDS][i / acs_isa::INSTRUCTION_WORDS] =
        uint64_t(source[i]);
  }
}

Fetched fetch(const word_t *program, uint32_t index, const BufferSizes &sizes, bool trace,
              Page &page) {
#pragma HLS INLINE off
  Fetched fetched;
  if (uint64_t(index + 1) * acs_isa::INSTRUCTION_WORDS > sizes.program) {
    fetched.op = Instruction();
    fetched.status = acs_isa::STATUS_NO_END;
    return fetched;
  }
  if (index % PAGE == 0) read_page(program, index, sizes.program, page);
  uint64_t words[acs_isa::INSTRUCTION_WORDS];
#pragma HLS ARRAY_PARTITION variable=words complete
EACH_WORD:
  for (int i = 0; i < acs_isa::INSTRUCTION_WORDS; ++i) {
#pragma HLS UNROLL
    ACS_PORT_TRACE(words, i, fetch, false, index % PAGE);
    words[i] = page.words[i][index % PAGE];
  }
  fetched.op = acs_isa::decode(words);
  if (!trace) fetched.op.trace_addr = 0;
  fetched.status = check_instruction(fetched.op, words, sizes);
  return fetched;
}

// A convolution that can be prepared, and whose rows can be asked for, before the instruction in
// front of it has ended.  A table that masks choose from must be read first.
bool loads_ahead(const Fetched &fetched) {
  return fetched.status == acs_isa::STATUS_OK && fetched.op.opcode == unsigned(acs_isa::OP_CONV) &&
         !(fetched.op.has_table && is_masked(fetched.op));
}

bool is_linear(const Fetched &fetched) {
  return fetched.status == acs_isa::STATUS_OK && fetched.op.opcode == unsigned(acs_isa::OP_LINEAR);
}

void count_conv(const Job &job, Counters &counters) {
#pragma HLS INLINE off
// An instruction is counted once: its products may wait for each other.
#pragma HLS ALLOCATION operation instances=mul limit=1
  const Instruction &op = job.op;
  typedef count_t<acs_isa::MAX_CHANNELS * acs_isa::MAX_CHANNELS> pairs_t;
  const unsigned_t<6> taps = unsigned(op.kernel * op.kernel);
  const unsigned_t<20> pixels = unsigned(taps * op.pixels);
  const channel_t inputs = unsigned(op.groups * op.channels_in);
  const pairs_t dense = unsigned(inputs) * unsigned(op.channels);
  const pairs_t executed = unsigned(job.counts.pairs);
  const pairs_t skipped = dense - executed;
  const uint64_t outputs = uint64_t(job.counts.outputs);
  const uint64_t masked = uint64_t(job.counts.masked);
  counters.macs_executed += uint64_t(executed) * uint64_t(pixels);
  counters.macs_skipped += uint64_t(skipped) * uint64_t(pixels);
  counters.channels_executed += outputs;
  counters.channels_skipped += masked;
  counters.read_words += outputs * uint64_t(job.counts.row_words);
  if (!op.masked_zero) counters.read_words += masked * acs_isa::RECORD_WORDS;
  if (op.has_table) {
    counters.read_words += ceil_div<4>(int(op.groups * (op.channels_in + op.channels)));
  }
}

// The preparations of the instruction that comes next.
struct Ahead {
  bool lists;  // its lists are made
  bool table;  // its table is in the lists
  int list;    // its place in the lists
  ListCounts counts;
};

// Runs a job of the lane array.  Masks change only in LINEAR, so that every instruction behind an
// array instruction can be prepared before it.
Status run_job(const Instruction &op, const Fetched &next, params_port params, Lists &lists,
               Memories &memories, Loader &loader, Ahead &ahead, Counters &counters) {
// The lists of two instructions are made one after the other: by one unit.
#pragma HLS ALLOCATION function instances=make_lists limit=1
  const bool conv = op.opcode == unsigned(acs_isa::OP_CONV);
  const int list = ahead.list;
  ListCounts counts = ahead.counts;
  if (conv) {
    if (op.has_table) {
      const bool valid =
          ahead.table ? loader.storer.table.valid : read_tables(op, params, lists, list);
      if (!valid) return acs_isa::STATUS_BAD_FIELD;
    }
    if (!ahead.lists) make_lists(op, memories, lists, list, counts);
  }
  const bool has_next = loads_ahead(next);
  ahead.list = 1 - list;
  ahead.lists = has_next;
  ahead.table = has_next && next.op.has_table;
  if (has_next) make_lists(next.op, memories, lists, ahead.list, ahead.counts);

  const Job job = make_job(op, counts, list);
  const Job next_job = make_job(next.op, ahead.counts, ahead.list);
  const uint64_t iterations = run_array(job, next_job, has_next, lists, params, memories, loader);
  if (conv) {
    counters.array_iterations += iterations;
    count_conv(job, counters);
  }
  return acs_isa::STATUS_OK;
}

}  // namespace

Stop run_program(const word_t *program, params_port params, const word_t *image, result_port result,
                 const BufferSizes &sizes, bool trace, Memories &memories, Lists &lists,
                 Counters &counters) {
// The fetch before the first step and that of every step never run at once.
#pragma HLS ALLOCATION function instances=fetch limit=1
  Page page;
#pragma HLS ARRAY_PARTITION variable=page.words complete dim=1
#pragma HLS BIND_STORAGE variable=page.words type=ram_s2p impl=lutram
  Loader loader = Loader();
#pragma HLS ARRAY_PARTITION variable=loader.chunk complete
#pragma HLS ARRAY_PARTITION variable=loader.age complete
#pragma HLS ARRAY_PARTITION variable=loader.due complete
#pragma HLS ARRAY_PARTITION variable=loader.row_stored complete
#pragma HLS ARRAY_PARTITION variable=loader.row_place complete

  reset_loader(loader);
  Ahead ahead = {false, false, 0, ListCounts()};
  bool unanswered = false;  // results are written, and the memory has not confirmed it
  bool asked = false;       // for the words of a LINEAR, before its turn
  Stop stop = {acs_isa::STATUS_OK, 0, false};
  Fetched next = fetch(program, 0, sizes, trace, page);
PROGRAM_STEPS:
  while (true) {
#pragma HLS LOOP_TRIPCOUNT min=1 max=TRIP_INSTRUCTIONS
    ACS_LOOP(PROGRAM_STEPS);
    const Fetched now = next;
    const Instruction &op = now.op;
    stop.status = now.status;
    if (now.status != acs_isa::STATUS_NO_END) counters.read_words += acs_isa::INSTRUCTION_WORDS;
    if (now.status != acs_isa::STATUS_OK) break;
    if (op.opcode == unsigned(acs_isa::OP_END)) {
      ++counters.instructions;
      break;
    }
    next = fetch(program, stop.index + 1, sizes, trace, page);

    if (is_linear(now) && !asked) ask_linear(op, params);
    // The next words of a LINEAR may wait at the port unless this instruction reads there.
    asked = is_linear(next) && op.opcode != unsigned(acs_isa::OP_CONV);
    if (asked) ask_linear(next.op, params);

    switch (int(op.opcode)) {
      case acs_isa::OP_LOAD: run_load(op, image, memories, counters); break;
      case acs_isa::OP_GAVG: run_gavg(op, memories); break;
      case acs_isa::OP_FLATTEN: run_flatten(op, memories); break;
      case acs_isa::OP_LINEAR:
        run_linear(op, params, memories, result, unanswered, counters);
        break;
      case acs_isa::OP_CONV:
      case acs_isa::OP_ELTWISE:
      case acs_isa::OP_POOL:
      case acs_isa::OP_SCALE:
        stop.status = run_job(op, next, params, lists, memories, loader, ahead, counters);
        break;
      default:  // an opcode of the specification that nothing here runs
        stop.status = acs_isa::STATUS_ILLEGAL_OPCODE;
        break;
    }
    if (stop.status != acs_isa::STATUS_OK) break;
    if (op.trace_addr != 0) {
      if (unanswered) result.write_response();
      unanswered = false;
      if (acs_isa::writes_map(op)) {
        trace_map(op, memories, result, counters);
      } else {
        const int words = acs_isa::copies_map(op)
                              ? int(op.channels * op.src_step) * acs_isa::SEGMENTS
                              : ceil_div<acs_isa::WORD_BYTES>(int(op.channels));
        trace_vector(op, words, memories, result, counters);
      }
    }
    ++counters.instructions;
    ++stop.index;
  }

  stop.unanswered = unanswered;

  // Words that were asked for ahead of an instruction that cannot run.
DRAIN:
  for (int i = 0; i < int(loader.open_words); ++i) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_TRIPCOUNT min=1 max=OPEN_BURSTS
    ACS_LOOP(DRAIN);
    params.read();
  }
  return stop;
}

}  // namespace acs
